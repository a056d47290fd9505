//! Watches: a stream of a resource's changes from a version on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::convert;
use super::objects::{Asked, check_version, selector};
use super::respond::Shown;
use super::route::Resource;
use super::tables::{self, Form};
use crate::cluster::SimCluster;
use crate::registry::Kind;
use crate::service::{Refused, SimBody};
use crate::store::{Event, Failure, ListOptions, Selector, namespace_of};

const BOOKMARK_EVERY: Duration = Duration::from_mins(1);
/// As the real server, which picks between 30 and 60 minutes where the client names no time.
const LONGEST: Duration = Duration::from_mins(40);

/// One running watch.
struct Watching {
    cluster: SimCluster,
    kind: Arc<Kind>,
    table: String,
    namespace: String,
    selector: Selector,
    form: Option<Form>,
    bookmarks: bool,
    /// The version up to which everything was sent.
    sent: u64,
    queue: VecDeque<Bytes>,
    wake: Arc<Notify>,
    /// How often the watches had been cut when this one began, and how often silenced.
    cuts: u64,
    silences: u64,
    ends: Instant,
    next_bookmark: Instant,
    over: bool,
}

pub(super) fn answer(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
) -> Result<Response<SimBody>, Failure> {
    let query = &resource.query;
    check_version(query, true)?;
    let mut selector = selector(kind, resource)?;
    if !resource.name.is_empty() {
        selector = Selector::parse(kind, "", &format!("metadata.name={}", resource.name))?;
    }
    let seconds = query
        .number("timeoutSeconds")
        .filter(|seconds| *seconds > 0);
    let now = Instant::now();
    let table = kind.table();
    let mut state = cluster.inner.state();
    let mut watching = Watching {
        cluster: cluster.clone(),
        kind: Arc::clone(kind),
        namespace: resource.namespace.clone(),
        selector,
        form: tables::wanted(asked.accept, query),
        bookmarks: query.flag("allowWatchBookmarks"),
        sent: state.resource_version(),
        queue: VecDeque::new(),
        wake: state.wake(&table),
        cuts: cluster.faults().cuts(),
        silences: cluster.faults().silences(),
        ends: now + seconds.map_or(LONGEST, Duration::from_secs),
        next_bookmark: now + BOOKMARK_EVERY,
        over: false,
        table,
    };
    let initial = query.flag("sendInitialEvents");
    let start = query.get("resourceVersion");
    let start: u64 = start.parse().unwrap_or(0);
    if start > watching.sent {
        let message = format!(
            "Too large resource version: {start}, current: {}",
            watching.sent
        );
        return Err(Failure::new(504, "Timeout", message));
    }
    if initial || start == 0 {
        // Without a version, or with 0, a watch begins with what exists, unless told otherwise.
        let wanted = initial || query.get("sendInitialEvents").is_empty();
        let options = ListOptions {
            selector: watching.selector.clone(),
            ..ListOptions::default()
        };
        if wanted {
            for object in state.list(kind, &watching.namespace, &options)?.items {
                let line = watching.line("ADDED", &object);
                watching.queue.push_back(line);
            }
        }
        if initial {
            let end = watching.bookmark(true);
            watching.queue.push_back(end);
        }
    } else {
        watching.sent = start;
    }
    drop(state);
    let frames = stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map(Frame::data), watching))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let media = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

impl Watching {
    /// The next line, `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, Refused>> {
        loop {
            if let Some(broken) = self.broken() {
                if self.over {
                    return None;
                }
                self.over = true;
                return Some(Err(broken));
            }
            if let Some(line) = self.queue.pop_front() {
                return Some(Ok(line));
            }
            if self.over {
                return None;
            }
            // Both count from here on, so that nothing falls between the look and the wait.
            let woken = Arc::clone(&self.wake).notified_owned();
            let turned = self.cluster.faults().turned();
            if self.broken().is_some() {
                continue;
            }
            if self.cluster.faults().silences() != self.silences {
                turned.await;
                continue;
            }
            self.fill();
            if !self.queue.is_empty() {
                continue;
            }
            let until = self.ends.min(self.next_bookmark);
            tokio::select! {
                biased;
                () = woken => {}
                () = turned => {}
                () = tokio::time::sleep_until(until) => self.time_passed(),
            }
        }
    }

    /// What broke the connection, if something has.
    fn broken(&self) -> Option<Refused> {
        let name = self.cluster.name();
        let faults = self.cluster.faults();
        if faults.is_stopped() {
            return Some(Refused::stopped(name));
        }
        (faults.cuts() != self.cuts).then(|| Refused::reset(name))
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        self.over = now >= self.ends;
        if self.bookmarks {
            let line = self.bookmark(false);
            self.queue.push_back(line);
        }
        self.next_bookmark = now + BOOKMARK_EVERY;
    }

    /// Queues what happened since the last look.
    fn fill(&mut self) {
        let (events, version, gone) = {
            let state = self.cluster.inner.state();
            let kind = &self.kind;
            let found = state
                .registry
                .find(&kind.group, &kind.version, &kind.plural);
            (
                state.since(&self.table, self.sent),
                state.resource_version(),
                found.is_none(),
            )
        };
        match events {
            Ok(events) => {
                for event in events {
                    if let Some((what, object)) = self.seen(&event) {
                        let line = self.line(what, &object);
                        self.queue.push_back(line);
                    }
                }
                self.sent = version;
                self.over |= gone;
            }
            Err(compacted) => {
                let message = format!("too old resource version: {} ({compacted})", self.sent);
                let status = Failure::expired(message).status();
                self.queue.push_back(line_of("ERROR", &status));
                self.over = true;
            }
        }
    }

    /// What an event is to this watch: objects that stop matching are deleted to it.
    fn seen(&self, event: &Event) -> Option<(&'static str, Arc<Value>)> {
        let mine = |object: &Value| {
            (self.namespace.is_empty() || namespace_of(object) == self.namespace)
                && self.selector.matches(object)
        };
        let before = event.old.as_ref().is_some_and(|old| mine(old));
        let after = !event.deleted && mine(&event.new);
        match (before, after) {
            (false, true) => Some(("ADDED", Arc::clone(&event.new))),
            (true, true) => Some(("MODIFIED", Arc::clone(&event.new))),
            (true, false) if event.deleted => Some(("DELETED", Arc::clone(&event.new))),
            // What stopped matching is shown as it last matched, at the present version.
            (true, false) => {
                let mut last = event.old.as_deref().cloned().unwrap_or_default();
                last["metadata"]["resourceVersion"] =
                    event.new["metadata"]["resourceVersion"].clone();
                Some(("DELETED", Arc::new(last)))
            }
            (false, false) => None,
        }
    }

    fn line(&self, what: &str, object: &Arc<Value>) -> Bytes {
        if let Some(form) = self.form {
            let now = (self.cluster.inner.config.clock)();
            return line_of(what, &form.event(&self.kind, object, now));
        }
        let api_version = self.kind.api_version();
        let kind = Some(self.kind.kind.as_str());
        line_of(
            what,
            &Shown {
                api_version: &api_version,
                kind,
                value: convert::shown(&self.kind, object),
            },
        )
    }

    fn bookmark(&self, initial_end: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.sent.to_string()});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        if let Some(form) = self.form {
            return line_of("BOOKMARK", &form.bookmark(&metadata));
        }
        let bookmark = json!({
            "kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata,
        });
        line_of("BOOKMARK", &bookmark)
    }
}

fn line_of(what: &str, object: &impl serde::Serialize) -> Bytes {
    #[derive(serde::Serialize)]
    struct Line<'a, T> {
        r#type: &'a str,
        object: &'a T,
    }
    let line = Line {
        r#type: what,
        object,
    };
    let mut bytes = serde_json::to_vec(&line).expect("JSON values with text keys always serialise");
    bytes.push(b'\n');
    bytes.into()
}
