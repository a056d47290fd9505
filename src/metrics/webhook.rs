//! Webhooks that came in.

use prometheus::{IntCounterVec, IntGauge};

use super::config::cut;
use super::counter;
use super::declaration::Families;

/// What is counted of webhooks.
pub struct WebhookMetrics {
    requests: IntCounterVec,
    deliveries: IntCounterVec,
    in_flight: IntGauge,
}

impl WebhookMetrics {
    pub(super) fn declare(families: &mut Families) -> prometheus::Result<Self> {
        Ok(Self {
            requests: families.declare(counter(
                "argocd_webhook_requests_total",
                "Pushes that webhooks told of, by the repository that applications or sets read.",
                &["repo"],
            ))?,
            deliveries: families.declare(counter(
                "argosy_webhook_deliveries_total",
                "Deliveries of webhooks by the HTTP status that they were answered with.",
                &["code"],
            ))?,
            in_flight: families.declare(IntGauge::new(
                "argocd_webhook_handlers_in_flight",
                "Webhooks that are being handled.",
            ))?,
        })
    }

    /// Counts a push to a repository that somebody reads: any other would be a label without bound.
    pub(crate) fn pushed(&self, repo: &str) {
        self.requests.with_label_values(&[cut(repo)]).inc();
    }

    /// Counts a delivery as long as the answer lives.
    pub(crate) fn handling(&self) -> Handling<'_> {
        self.in_flight.inc();
        Handling(self)
    }
}

/// A webhook that is being handled.
pub(crate) struct Handling<'a>(&'a WebhookMetrics);

impl Handling<'_> {
    /// Counts what it was answered with.
    pub(crate) fn answered(&self, code: u16) {
        self.0
            .deliveries
            .with_label_values(&[&code.to_string()])
            .inc();
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}
