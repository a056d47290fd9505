//! The only way from the hub to an API server: everything that passes is written down, and it can be
//! cut in the middle of a request, which is what a crash of the hub is to the rest of the world.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use argosy_sim::{SimBody, SimCluster};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use kube::Client;
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceBuilder};

/// How long the client waits where the server does not say; without chance, so that it repeats.
const CLIENT_RETRY: Duration = Duration::from_millis(500);

/// One request of a hub.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When it was made, from the beginning of the story.
    pub(crate) at: Duration,
    /// Which hub made it, the first or one after a crash.
    pub(crate) life: u32,
    pub(crate) cluster: String,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// What was sent.
    pub(crate) body: Option<Value>,
    /// The HTTP status; `None` where no answer came.
    pub(crate) code: Option<u16>,
    /// The object that was answered to a write.
    pub(crate) answer: Value,
}

impl Entry {
    /// Whether it asks for a change; of who leads apart.
    pub(crate) fn is_write(&self) -> bool {
        let is_vote = self.target.contains("/leases");
        self.method != Method::GET && !self.target.contains("dryRun") && !is_vote
    }

    /// The line of the trace.
    pub(crate) fn line(&self) -> String {
        let code = self
            .code
            .map_or("broken".to_owned(), |code| code.to_string());
        format!(
            "{:>11.3?} hub {} {} {} {} -> {code}",
            self.at, self.life, self.cluster, self.method, self.target
        )
    }
}

/// What all hubs of a story asked.
#[derive(Clone)]
pub(crate) struct Log {
    start: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            entries: Arc::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    /// What was asked since there were `from` entries.
    pub(crate) fn since(&self, from: usize) -> Vec<Entry> {
        self.entries.lock().unwrap()[from..].to_vec()
    }

    fn push(&self, entry: Entry) -> usize {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        entries.len() - 1
    }

    fn answered(&self, at: usize, code: u16, answer: Value) {
        let mut entries = self.entries.lock().unwrap();
        entries[at].code = Some(code);
        entries[at].answer = answer;
    }
}

/// The wires of one hub, from its start to its end.
pub(crate) struct Life {
    pub(crate) number: u32,
    log: Log,
    ended: AtomicBool,
    fuse: Mutex<Option<Fuse>>,
    /// The cluster that it cannot reach now.
    cut_from: watch::Sender<Option<&'static str>>,
    /// Is told when a life has ended.
    told: Arc<Notify>,
}

/// Ends a life at a write.
struct Fuse {
    writes: u32,
    carried_out: bool,
}

impl Life {
    pub(crate) fn new(number: u32, log: Log, told: &Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            number,
            log,
            ended: AtomicBool::new(false),
            fuse: Mutex::default(),
            cut_from: watch::Sender::default(),
            told: Arc::clone(told),
        })
    }

    /// Ends the life after so many more writes, at the next one: before or after it is carried out.
    pub(crate) fn lay_fuse(&self, writes: u32, carried_out: bool) {
        let fuse = Fuse {
            writes,
            carried_out,
        };
        *self.fuse.lock().unwrap() = Some(fuse);
    }

    /// Takes the fuse out.
    pub(crate) fn spare(&self) {
        *self.fuse.lock().unwrap() = None;
    }

    /// Nothing passes any more, and nobody gets an answer.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.told.notify_one();
    }

    /// Whether it is over.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// What is sent to a cluster is on its way until this is over.
    pub(crate) fn cut_from(&self, cluster: Option<&'static str>) {
        self.cut_from.send_replace(cluster);
    }

    /// A client of a cluster, which retries as the real one does.
    pub(crate) fn client(self: &Arc<Self>, cluster: &str, sim: &SimCluster) -> Client {
        let wire = Wire {
            cluster: cluster.to_owned(),
            sim: sim.clone(),
            life: Arc::clone(self),
        };
        let policy = RetryPolicy::new(CLIENT_RETRY, CLIENT_RETRY, 15, true).unwrap();
        let service = ServiceBuilder::new().retry(policy).service(wire);
        Client::new(service, "default")
    }

    async fn unless_ended(&self) {
        if self.has_ended() {
            pending::<()>().await;
        }
    }

    /// Whether this write is the last one, and whether it is carried out.
    fn burns(&self) -> Option<bool> {
        let mut fuse = self.fuse.lock().unwrap();
        let burning = fuse.as_mut()?;
        if burning.writes > 0 {
            burning.writes -= 1;
            return None;
        }
        fuse.take().map(|fuse| fuse.carried_out)
    }

    async fn blow(&self) {
        self.end();
        pending::<()>().await;
    }
}

/// One client's way to one cluster.
#[derive(Clone)]
struct Wire {
    cluster: String,
    sim: SimCluster,
    life: Arc<Life>,
}

impl Wire {
    async fn pass(self, request: Request<Body>) -> Result<Response<SimBody>, BoxError> {
        let life = &self.life;
        let mut cut = life.cut_from.subscribe();
        // The sender lives as long as this wire.
        let _ = cut.wait_for(|from| *from != Some(&self.cluster)).await;
        life.unless_ended().await;
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await?.to_bytes();
        let entry = Entry {
            at: life.log.elapsed(),
            life: life.number,
            cluster: self.cluster,
            method: parts.method.clone(),
            target: parts.uri.path_and_query().unwrap().to_string(),
            body: serde_json::from_slice(&bytes).ok(),
            code: None,
            answer: Value::Null,
        };
        let is_write = entry.is_write();
        let burns = if is_write { life.burns() } else { None };
        if burns == Some(false) {
            life.blow().await;
        }
        let at = life.log.push(entry);
        let mut service = self.sim.service();
        let answer = service.call(Request::from_parts(parts, Full::new(bytes)));
        let answer = answer.await;
        if burns == Some(true) {
            life.blow().await;
        }
        life.unless_ended().await;
        let (parts, body) = answer?.into_parts();
        let code = parts.status.as_u16();
        if !is_write {
            life.log.answered(at, code, Value::Null);
            return Ok(Response::from_parts(parts, body));
        }
        let bytes = body.collect().await?.to_bytes();
        let answer = serde_json::from_slice(&bytes).unwrap_or_default();
        life.log.answered(at, code, answer);
        let body = Full::new(bytes).map_err(|never| match never {});
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }
}

impl Service<Request<Body>> for Wire {
    type Response = Response<SimBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().pass(request))
    }
}
