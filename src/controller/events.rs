//! Kubernetes Events, as Argo CD writes them.
//!
//! They are sent in the background and dropped when the API server cannot keep up: no reconcile
//! ever waits for one.

use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use prometheus::IntCounterVec;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::metrics::EventResult;

/// How many events may wait to be sent; a fleet-wide change makes a few per application.
const BACKLOG: usize = 10_000;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Argo CD's reason, such as `OperationCompleted`.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
    /// Whether something went wrong.
    pub warning: bool,
}

impl News {
    /// Something that is as it should be.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            warning: false,
        }
    }

    /// Something that went wrong.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            warning: true,
        }
    }
}

/// Sends events.
pub struct Events {
    clock: Clock,
    backlog: mpsc::Sender<Event>,
    sequence: AtomicU64,
    counted: IntCounterVec,
}

impl Events {
    /// Sends events with `client` until stopped, and counts in `counted` what becomes of them.
    pub fn spawn(
        client: Client,
        clock: Clock,
        counted: IntCounterVec,
        stop: &CancellationToken,
    ) -> Self {
        let (backlog, mut waiting) = mpsc::channel::<Event>(BACKLOG);
        let of_sent = counted.clone();
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped
                .run_until_cancelled(async {
                    while let Some(event) = waiting.recv().await {
                        send(&client, &event).await.count(&of_sent);
                    }
                })
                .await
        });
        Self {
            clock,
            backlog,
            sequence: AtomicU64::new(0),
            counted,
        }
    }

    /// Tells `news` of `object`.
    pub fn tell<K: Resource<DynamicType = ()>>(&self, object: &K, news: News) {
        // A full backlog means that the API server is behind; the status carries the state anyway.
        if self.backlog.try_send(self.event(object, news)).is_err() {
            EventResult::Dropped.count(&self.counted);
        }
    }

    fn event<K: Resource<DynamicType = ()>>(&self, object: &K, news: News) -> Event {
        let now = self.clock.now();
        let meta = object.meta();
        let name = meta.name.clone().unwrap_or_default();
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{:x}.{sequence:x}", now.as_microsecond())),
                namespace: meta.namespace.clone(),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference {
                api_version: Some(K::api_version(&()).into_owned()),
                kind: Some(K::kind(&()).into_owned()),
                name: meta.name.clone(),
                namespace: meta.namespace.clone(),
                uid: meta.uid.clone(),
                resource_version: meta.resource_version.clone(),
                ..ObjectReference::default()
            },
            type_: Some(if news.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(news.reason.to_owned()),
            message: Some(news.message),
            source: Some(EventSource {
                component: Some("argosy".to_owned()),
                host: None,
            }),
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            count: Some(1),
            ..Event::default()
        }
    }
}

async fn send(client: &Client, event: &Event) -> EventResult {
    let namespace = event.metadata.namespace.as_deref().unwrap_or("default");
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    if let Err(error) = api.create(&PostParams::default(), event).await {
        tracing::debug!(
            error = crate::diagnostic::chain(&error),
            "an event was not recorded"
        );
        return EventResult::Failed;
    }
    EventResult::Sent
}
