//! Sends spans to a collector in the background, many at once, and never makes anybody wait.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use prometheus::IntCounterVec;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::otlp;
use super::settings::Collector;
use super::span::Finished;
use crate::diagnostic::Diagnostic;
use crate::http::{Http, Network, Proxy, Reach, Redirects, Terms, Tls};
use crate::metrics::SpanResult;

/// How many spans may wait to be sent: some megabytes.
const BACKLOG: usize = 8192;

/// How many are sent at once.
const BATCH: usize = 512;

/// For how long spans are gathered before they are sent.
const GATHERED: Duration = Duration::from_secs(1);

/// How long a collector may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of a collector's answer is read.
const ANSWER: usize = 64 * 1024;

/// Sends spans.
pub(super) struct Exporter {
    backlog: mpsc::Sender<Finished>,
    counted: IntCounterVec,
}

impl Exporter {
    /// Sends to `collector` until stopped, or until nobody holds the exporter any more.
    pub(super) fn spawn(
        collector: Collector,
        network: &Network,
        counted: IntCounterVec,
        stop: &CancellationToken,
    ) -> Result<Self, Diagnostic> {
        let terms = Terms {
            tls: Tls::default(),
            proxy: Proxy::Environment,
            redirects: Redirects::Nowhere,
            reach: Reach::Anywhere,
            limit: LIMIT,
        };
        let http = network.open(&terms).map_err(|why| {
            Diagnostic::config("OtlpUnusable", format!("traces cannot be sent: {why}"))
        })?;
        let (backlog, waiting) = mpsc::channel(BACKLOG);
        let (sending, stopped) = (counted.clone(), stop.clone());
        tokio::spawn(async move {
            let sending = send_all(collector, http, sending, waiting);
            stopped.run_until_cancelled(sending).await
        });
        Ok(Self { backlog, counted })
    }

    /// Has a span sent, or drops it where too many wait already.
    pub(super) fn send(&self, span: Finished) {
        if self.backlog.try_send(span).is_err() {
            SpanResult::Dropped.count(&self.counted, 1);
        }
    }
}

async fn send_all(
    collector: Collector,
    http: Http,
    counted: IntCounterVec,
    mut waiting: mpsc::Receiver<Finished>,
) {
    let mut has_failed = false;
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH {
            tokio::time::sleep(GATHERED).await;
            while batch.len() < BATCH
                && let Ok(span) = waiting.try_recv()
            {
                batch.push(span);
            }
        }
        let result = match send(&collector, http.clone(), &batch).await {
            Ok(()) => SpanResult::Sent,
            Err(why) => {
                // Told once, and again when it is over: a collector may be down for long.
                if !has_failed {
                    tracing::warn!(
                        error = why,
                        "traces cannot be sent and are dropped meanwhile"
                    );
                }
                SpanResult::Failed
            }
        };
        if has_failed && result == SpanResult::Sent {
            tracing::info!("traces can be sent again");
        }
        has_failed = result == SpanResult::Failed;
        result.count(&counted, batch.len());
        batch.clear();
    }
}

/// Sends spans; says why where the collector does not take them.
async fn send(collector: &Collector, http: Http, spans: &[Finished]) -> Result<(), String> {
    let body = otlp::request(&collector.attributes, spans).to_string();
    let mut request = Request::post(collector.url.as_str())
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
        .map_err(|error| error.to_string())?;
    for (name, value) in &collector.headers {
        request.headers_mut().insert(name, value.clone());
    }
    let answer = http.oneshot(request).await;
    let answer = answer.map_err(|failure| failure.to_string())?;
    let status = answer.status();
    // What is read to its end leaves its connection to the next.
    let _ = Limited::new(answer.into_body(), ANSWER).collect().await;
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => Err(format!(
            "the collector answered {status}: does it take OTLP over HTTP there?"
        )),
        status => Err(format!("the collector answered {status}")),
    }
}

#[cfg(test)]
impl Exporter {
    /// One that sends nothing: what it takes, `room` at once, comes out of the receiver.
    pub(super) fn into_channel(
        room: usize,
        counted: IntCounterVec,
    ) -> (Self, mpsc::Receiver<Finished>) {
        let (backlog, waiting) = mpsc::channel(room);
        (Self { backlog, counted }, waiting)
    }
}
