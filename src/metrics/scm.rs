//! Requests to SCM providers and plugins, and what is left of their quotas.

use std::time::Duration;

use argosy_scm::Quota;
use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Opts};

use super::declaration::Families;
use super::{counter, gauge, histogram};

/// What generators cost at their providers.
pub struct ScmMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    remaining: IntGaugeVec,
    limit: IntGaugeVec,
    reset: GaugeVec,
}

impl ScmMetrics {
    pub(super) fn declare(families: &mut Families) -> prometheus::Result<Self> {
        let of_quota = ["provider", "host"];
        Ok(Self {
            requests: families.declare(counter(
                "argosy_scm_requests_total",
                "Requests of generators to providers and plugins; code 304 is an unchanged answer, 0 is none.",
                &["provider", "code"],
            ))?,
            seconds: families.declare(histogram(
                "argosy_scm_request_duration_seconds",
                "How long providers and plugins took to answer.",
                &["provider"],
                &[0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0],
            ))?,
            remaining: families.declare(gauge(
                "argosy_scm_quota_remaining",
                "Requests that a provider takes yet in the current window, as it last said.",
                &of_quota,
            ))?,
            limit: families.declare(gauge(
                "argosy_scm_quota_limit",
                "Requests that a provider takes in a window.",
                &of_quota,
            ))?,
            reset: families.declare(GaugeVec::new(
                Opts::new(
                    "argosy_scm_quota_reset_timestamp_seconds",
                    "When a provider's current window ends.",
                ),
                &of_quota,
            ))?,
        })
    }

    /// Counts a request; a `code` of 0 says that there was no answer.
    pub(crate) fn asked(&self, provider: &str, code: u16, took: Duration) {
        self.requests
            .with_label_values(&[provider, &code.to_string()])
            .inc();
        self.seconds
            .with_label_values(&[provider])
            .observe(took.as_secs_f64());
    }

    /// Notes what a provider said of its quota.
    pub(crate) fn quota(&self, provider: &str, host: &str, quota: &Quota) {
        let labels = [provider, host];
        self.remaining
            .with_label_values(&labels)
            .set(quota.remaining);
        if let Some(limit) = quota.limit {
            self.limit.with_label_values(&labels).set(limit);
        }
        if let Some(reset) = quota.reset {
            let seconds = reset.as_duration().as_secs_f64();
            self.reset.with_label_values(&labels).set(seconds);
        }
    }
}
