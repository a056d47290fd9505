//! Requests to git repositories.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::register;

/// What was asked of git repositories.
pub struct GitMetrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    fetch_fails: IntCounterVec,
    ls_remote_fails: IntCounterVec,
}

/// A kind of request, as Argo CD labels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestType {
    /// Asking for the refs.
    LsRemote,
    /// Fetching objects.
    Fetch,
}

impl GitMetrics {
    pub(super) fn declare(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(name, help), labels)
        };
        let requests = counter(
            "argocd_git_request_total",
            "Number of requests to git repositories.",
            &["repo", "request_type"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "argocd_git_request_duration_seconds",
                "Duration of requests to git repositories in seconds.",
            )
            .buckets(vec![0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0]),
            &["repo", "request_type"],
        )?;
        let fetch_fails = counter(
            "argocd_git_fetch_fail_total",
            "Number of fetches from git repositories that failed.",
            &["repo"],
        )?;
        let ls_remote_fails = counter(
            "argocd_git_lsremote_fail_total",
            "Number of requests for the refs of a git repository that failed.",
            &["repo"],
        )?;
        Ok(Self {
            requests: register(registry, requests)?,
            durations: register(registry, durations)?,
            fetch_fails: register(registry, fetch_fails)?,
            ls_remote_fails: register(registry, ls_remote_fails)?,
        })
    }

    /// Counts a request to `repo`, which must not carry credentials.
    pub fn requested(&self, repo: &str, request: RequestType, took: Duration, failed: bool) {
        let (name, fails) = match request {
            RequestType::LsRemote => ("ls-remote", &self.ls_remote_fails),
            RequestType::Fetch => ("fetch", &self.fetch_fails),
        };
        self.requests.with_label_values(&[repo, name]).inc();
        self.durations
            .with_label_values(&[repo, name])
            .observe(took.as_secs_f64());
        if failed {
            fails.with_label_values(&[repo]).inc();
        }
    }
}
