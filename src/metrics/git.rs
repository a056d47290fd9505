//! Requests to git repositories, as they have been counted at the moment of a scrape.

use std::sync::atomic::Ordering;

use prometheus::core::Collector;
use prometheus::{CounterVec, IntCounterVec, Opts};

use crate::source::RequestCount;

/// What was asked of git repositories.
pub struct GitStates {
    requests: IntCounterVec,
    seconds: CounterVec,
    fetch_fails: IntCounterVec,
    ls_remote_fails: IntCounterVec,
}

impl GitStates {
    /// Declares the counters, empty.
    pub fn new() -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(name, help), labels)
        };
        Ok(Self {
            requests: counter(
                "argocd_git_request_total",
                "Number of requests to git repositories.",
                &["repo", "request_type"],
            )?,
            seconds: CounterVec::new(
                Opts::new(
                    "argosy_git_request_seconds_total",
                    "Time that requests to git repositories took.",
                ),
                &["repo", "request_type"],
            )?,
            fetch_fails: counter(
                "argocd_git_fetch_fail_total",
                "Number of fetches from git repositories that failed.",
                &["repo"],
            )?,
            ls_remote_fails: counter(
                "argocd_git_lsremote_fail_total",
                "Number of requests for the refs of a git repository that failed.",
                &["repo"],
            )?,
        })
    }

    /// Adds the requests of one kind to one repository, whose URL carries no credentials.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus counts in floats")]
    pub fn add(&self, kind: &str, repo: &str, count: &RequestCount) {
        let requests = count.requests.load(Ordering::Relaxed);
        let failures = count.failures.load(Ordering::Relaxed);
        let seconds = count.micros.load(Ordering::Relaxed) as f64 / 1e6;
        self.requests
            .with_label_values(&[repo, kind])
            .inc_by(requests);
        self.seconds
            .with_label_values(&[repo, kind])
            .inc_by(seconds);
        let fails = if kind == "fetch" {
            &self.fetch_fails
        } else {
            &self.ls_remote_fails
        };
        fails.with_label_values(&[repo]).inc_by(failures);
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.requests),
            Box::new(self.seconds),
            Box::new(self.fetch_fails),
            Box::new(self.ls_remote_fails),
        ]
    }
}
