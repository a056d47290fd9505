//! When each watch was last heard of, bookmarks included.
//!
//! A watch of which nothing changes is as silent as one that was forgotten on the way, but for the
//! bookmarks that an API server sends about once a minute. kube's watcher keeps them to itself, so
//! they are listened for in the answers as they arrive. A server that sends none is expected to send
//! none.
//!
//! A watch that was asked for is answered at once, before there is anything to tell. One that is not,
//! sees nothing, and nobody would notice: an API server that cannot convert the objects of a kind has
//! its watches wait for as long as that is so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;

use crate::cluster::signal::Signal;

/// How long a watch may go without being answered.
const UNANSWERED: Duration = Duration::from_secs(10);

/// How the line of a bookmark begins.
const BOOKMARK: &[u8] = br#"{"type":"BOOKMARK""#;

/// The pulses of a cluster's watches, by the path of their requests.
#[derive(Default)]
pub(super) struct Pulses(Mutex<BTreeMap<String, Arc<Pulse>>>);

/// The pulse of one watch.
pub(super) struct Pulse(Signal<Beat>);

#[derive(Clone, Copy)]
struct Beat {
    last: Instant,
    /// How many times the server sent something.
    times: u64,
    /// Whether it has ever sent a bookmark.
    is_regular: bool,
    /// Since when the server owes an answer.
    asked: Option<Instant>,
}

impl Pulses {
    /// The pulse of the watch whose requests have this path.
    pub(super) fn of(&self, path: &str) -> Arc<Pulse> {
        let mut pulses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pulses.entry(path.to_owned()).or_default())
    }

    /// The same client, whose watches are listened to.
    pub(super) fn listening(self: &Arc<Self>, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let pulses = Arc::clone(self);
        let service = tower::service_fn(move |request: Request<Body>| {
            let query = request.uri().query().unwrap_or_default();
            let is_watch = query.split('&').any(|one| one == "watch=true");
            let pulse = is_watch.then(|| pulses.of(request.uri().path()));
            let client = client.clone();
            async move {
                if let Some(pulse) = &pulse {
                    pulse.asks(Some(Instant::now()));
                }
                let answer = client.send(request).await;
                if let Some(pulse) = &pulse {
                    pulse.asks(None);
                }
                Ok::<_, kube::Error>(answer?.map(|body| {
                    body.map_frame(move |frame| {
                        if let (Some(pulse), Some(bytes)) = (&pulse, frame.data_ref()) {
                            pulse.heard(bytes);
                        }
                        frame
                    })
                }))
            }
        });
        Client::new(service, namespace)
    }
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Signal::new(Beat {
            last: Instant::now(),
            times: 0,
            is_regular: false,
            asked: None,
        }))
    }
}

impl Pulse {
    fn heard(&self, bytes: &Bytes) {
        self.0.change(|beat| {
            beat.last = Instant::now();
            beat.times += 1;
            beat.is_regular |= bytes.starts_with(BOOKMARK);
        });
    }

    fn asks(&self, asked: Option<Instant>) {
        self.0.change(|beat| beat.asked = asked);
    }

    /// Counts anew from now on.
    pub(super) fn rest(&self) {
        self.0.change(|beat| {
            beat.last = Instant::now();
            beat.asked = None;
        });
    }

    /// How many times the server has sent something.
    pub(super) fn times(&self) -> u64 {
        self.0.get().times
    }

    /// Ends once more than `times` is heard.
    pub(super) async fn beats(&self, times: u64) {
        self.0.wait_for(|beat| beat.times != times).await;
    }

    /// Ends once nothing was heard for `longest`, or the watch was not answered; of a server that
    /// sends no bookmarks only an answer is expected, and nothing if `longest` is zero.
    pub(super) async fn stops(&self, longest: Duration) {
        loop {
            let beat = self
                .0
                .wait_for(|beat| !longest.is_zero() && (beat.is_regular || beat.asked.is_some()));
            let beat = beat.await;
            let due = match beat.asked {
                Some(asked) => asked + longest.min(UNANSWERED),
                None => beat.last + longest,
            };
            if due <= Instant::now() {
                return;
            }
            // Meanwhile it may be answered, or end and be asked for again.
            let turned = self.0.wait_for(|now| now.asked != beat.asked);
            let _ = tokio::time::timeout_at(due, turned).await;
        }
    }
}
