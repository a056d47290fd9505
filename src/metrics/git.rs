//! Requests to repositories of git and of charts, as they have been counted at the moment of a
//! scrape.

use std::sync::atomic::Ordering;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGaugeVec, Opts};

use super::config::cut;
use super::{Momentary, count, counter, gauge};
use crate::source::{DiskUse, RequestCount, shown_url};

const SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// The histogram of requests of one kind to one repository: `registry` for those that hold charts
/// and artifacts.
pub fn request_seconds(registry: bool, kind: &str, url: &str) -> prometheus::Result<Histogram> {
    let (name, help) = if registry {
        (
            "argosy_registry_request_duration_seconds",
            "How long requests to repositories of charts and artifacts took.",
        )
    } else {
        (
            "argocd_git_request_duration_seconds",
            "How long requests to git repositories took.",
        )
    };
    let opts = Opts::new(name, help)
        .const_label("repo", cut(&shown_url(url)))
        .const_label("request_type", kind);
    Histogram::with_opts(HistogramOpts {
        common_opts: opts,
        buckets: SECONDS.to_vec(),
    })
}

/// What was asked of git repositories.
pub struct GitStates {
    requests: IntCounterVec,
    fetch_fails: IntCounterVec,
    ls_remote_fails: IntCounterVec,
    pending: IntGaugeVec,
    disk: IntGaugeVec,
    seconds: Vec<Histogram>,
}

impl GitStates {
    /// Declares the families, empty.
    pub fn new() -> prometheus::Result<Self> {
        Ok(Self {
            requests: counter(
                "argocd_git_request_total",
                "Number of requests to git repositories.",
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
            pending: gauge(
                "argocd_repo_pending_request_total",
                "Requests that wait for their turn at a git repository.",
                &["repo"],
            )?,
            disk: gauge(
                "argosy_git_mirrors_bytes",
                "What the mirrors of git repositories hold on disk (`held`), and may hold (`quota`).",
                &["bytes"],
            )?,
            seconds: Vec::new(),
        })
    }

    /// Adds the requests of one kind to one repository, whose URL carries no credentials.
    pub fn add(&mut self, kind: &str, repo: &str, count: &RequestCount) {
        let repo = cut(repo);
        let requests = count.requests.load(Ordering::Relaxed);
        let failures = count.failures.load(Ordering::Relaxed);
        self.requests
            .with_label_values(&[repo, kind])
            .inc_by(requests);
        let fails = if kind == "ls-remote" {
            &self.ls_remote_fails
        } else {
            &self.fetch_fails
        };
        fails.with_label_values(&[repo]).inc_by(failures);
        self.seconds.extend(count.seconds.clone());
    }

    /// Adds requests to a repository that wait for their turn.
    pub fn add_pending(&self, repo: &str, waiting: usize) {
        self.pending
            .with_label_values(&[cut(repo)])
            .add(count(waiting));
    }

    /// Takes the room of the mirrors.
    pub fn set_disk_use(&self, disk: DiskUse) {
        for (of, bytes) in [("held", disk.bytes), ("quota", disk.quota)] {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.disk.with_label_values(&[of]).set(bytes);
        }
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Momentary> {
        let families: [Momentary; 5] = [
            Box::new(self.requests),
            Box::new(self.fetch_fails),
            Box::new(self.ls_remote_fails),
            Box::new(self.pending),
            Box::new(self.disk),
        ];
        families.into_iter().chain(boxed(self.seconds)).collect()
    }

    /// As if something had been asked.
    pub(super) fn every(mut self) -> prometheus::Result<Vec<Momentary>> {
        self.seconds.push(request_seconds(false, "", "")?);
        Ok(self.into_collectors())
    }
}

/// What was asked of repositories of charts and artifacts.
pub struct RegistryStates {
    requests: IntCounterVec,
    fails: IntCounterVec,
    seconds: Vec<Histogram>,
}

impl RegistryStates {
    /// Declares the families, empty.
    pub fn new() -> prometheus::Result<Self> {
        let labels = ["repo", "request_type"];
        Ok(Self {
            requests: counter(
                "argosy_registry_request_total",
                "Requests to Helm repositories and OCI registries.",
                &labels,
            )?,
            fails: counter(
                "argosy_registry_request_fail_total",
                "Requests to Helm repositories and OCI registries that failed.",
                &labels,
            )?,
            seconds: Vec::new(),
        })
    }

    /// Adds the requests of one kind to one repository.
    pub fn add(&mut self, kind: &str, repo: &str, count: &RequestCount) {
        let repo = shown_url(repo);
        let labels = [cut(&repo), kind];
        let counted = [
            (&self.requests, &count.requests),
            (&self.fails, &count.failures),
        ];
        for (family, value) in counted {
            family
                .with_label_values(&labels)
                .inc_by(value.load(Ordering::Relaxed));
        }
        self.seconds.extend(count.seconds.clone());
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Momentary> {
        let families: [Momentary; 2] = [Box::new(self.requests), Box::new(self.fails)];
        families.into_iter().chain(boxed(self.seconds)).collect()
    }

    /// As if something had been asked.
    pub(super) fn every(mut self) -> prometheus::Result<Vec<Momentary>> {
        self.seconds.push(request_seconds(true, "", "")?);
        Ok(self.into_collectors())
    }
}

fn boxed(seconds: Vec<Histogram>) -> impl Iterator<Item = Momentary> {
    seconds.into_iter().map(|one| Box::new(one) as Momentary)
}
