//! Requests to repositories of git and of charts, as they have been counted at the moment of a
//! scrape.

use std::sync::atomic::Ordering;

use prometheus::{Histogram, HistogramOpts, Opts};

use super::Momentary;
use super::config::cut;
use super::snapshot::{Snapshot, count, number};
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
    requests: Snapshot,
    fetch_fails: Snapshot,
    ls_remote_fails: Snapshot,
    pending: Snapshot,
    disk: Snapshot,
    seconds: Vec<Histogram>,
}

impl Default for GitStates {
    /// Declares the families, empty.
    fn default() -> Self {
        Self {
            requests: Snapshot::counter(
                "argocd_git_request_total",
                "Number of requests to git repositories.",
                &["repo", "request_type"],
            ),
            fetch_fails: Snapshot::counter(
                "argocd_git_fetch_fail_total",
                "Number of fetches from git repositories that failed.",
                &["repo"],
            ),
            ls_remote_fails: Snapshot::counter(
                "argocd_git_lsremote_fail_total",
                "Number of requests for the refs of a git repository that failed.",
                &["repo"],
            ),
            pending: Snapshot::gauge(
                "argocd_repo_pending_request_total",
                "Requests that wait for their turn at a git repository.",
                &["repo"],
            ),
            disk: Snapshot::gauge(
                "argosy_git_mirrors_bytes",
                "What the mirrors of git repositories hold on disk (`held`), and may hold (`quota`).",
                &["bytes"],
            ),
            seconds: Vec::new(),
        }
    }
}

impl GitStates {
    /// Adds the requests of one kind to one repository, whose URL carries no credentials.
    pub fn add(&mut self, kind: &str, repo: &str, count: &RequestCount) {
        let repo = cut(repo);
        let requests = number(count.requests.load(Ordering::Relaxed));
        let failures = number(count.failures.load(Ordering::Relaxed));
        self.requests.add(&[repo, kind], requests);
        let fails = if kind == "ls-remote" {
            &mut self.ls_remote_fails
        } else {
            &mut self.fetch_fails
        };
        fails.add(&[repo], failures);
        self.seconds.extend(count.seconds.clone());
    }

    /// Adds requests to a repository that wait for their turn.
    pub fn add_pending(&mut self, repo: &str, waiting: usize) {
        self.pending.add(&[cut(repo)], count(waiting));
    }

    /// Takes the room of the mirrors.
    pub fn set_disk_use(&mut self, disk: DiskUse) {
        for (of, bytes) in [("held", disk.bytes), ("quota", disk.quota)] {
            self.disk.set(&[of], number(bytes));
        }
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        let families: [Momentary; 5] = [
            self.requests.into(),
            self.fetch_fails.into(),
            self.ls_remote_fails.into(),
            self.pending.into(),
            self.disk.into(),
        ];
        families.into_iter().chain(counted(self.seconds)).collect()
    }

    /// As if something had been asked.
    pub(super) fn every(mut self) -> prometheus::Result<Vec<Momentary>> {
        self.seconds.push(request_seconds(false, "", "")?);
        Ok(self.into_families())
    }
}

/// What was asked of repositories of charts and artifacts.
pub struct RegistryStates {
    requests: Snapshot,
    fails: Snapshot,
    seconds: Vec<Histogram>,
}

impl Default for RegistryStates {
    /// Declares the families, empty.
    fn default() -> Self {
        let labels = ["repo", "request_type"];
        Self {
            requests: Snapshot::counter(
                "argosy_registry_request_total",
                "Requests to Helm repositories and OCI registries.",
                &labels,
            ),
            fails: Snapshot::counter(
                "argosy_registry_request_fail_total",
                "Requests to Helm repositories and OCI registries that failed.",
                &labels,
            ),
            seconds: Vec::new(),
        }
    }
}

impl RegistryStates {
    /// Adds the requests of one kind to one repository.
    pub fn add(&mut self, kind: &str, repo: &str, count: &RequestCount) {
        let repo = shown_url(repo);
        let labels = [cut(&repo), kind];
        let counted = [
            (&mut self.requests, &count.requests),
            (&mut self.fails, &count.failures),
        ];
        for (family, value) in counted {
            family.add(&labels, number(value.load(Ordering::Relaxed)));
        }
        self.seconds.extend(count.seconds.clone());
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        let families: [Momentary; 2] = [self.requests.into(), self.fails.into()];
        families.into_iter().chain(counted(self.seconds)).collect()
    }

    /// As if something had been asked.
    pub(super) fn every(mut self) -> prometheus::Result<Vec<Momentary>> {
        self.seconds.push(request_seconds(true, "", "")?);
        Ok(self.into_families())
    }
}

fn counted(seconds: Vec<Histogram>) -> impl Iterator<Item = Momentary> {
    seconds
        .into_iter()
        .map(|one| Momentary::Counted(Box::new(one)))
}
