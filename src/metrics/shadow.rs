//! Shadow mode: how far the verdicts of a hub agree with those that are written.

use super::Momentary;
use super::snapshot::{Snapshot, count, number};
use crate::controller::application::Report;

/// What a hub in shadow mode has found.
pub struct ShadowStates {
    applications: Snapshot,
    refused: Snapshot,
}

impl ShadowStates {
    /// What the report says; other hubs expose none of it.
    pub fn new(report: &Report) -> Self {
        let mut applications = Snapshot::gauge(
            "argosy_shadow_applications",
            "Applications of a hub in shadow mode by how its verdict stands to the one that is written: `agreed`, `disagreed`, `undecided` without a dry run, or `unknown`.",
            &["verdict"],
        );
        let mut refused = Snapshot::counter(
            "argosy_shadow_refused_writes_total",
            "Requests that a hub in shadow mode refused to send, because they were no reads.",
            &[],
        );
        for (verdict, found) in [
            ("agreed", report.agreed),
            ("disagreed", report.disagreed.len()),
            ("undecided", report.undecided.len()),
            ("unknown", report.unknown),
        ] {
            applications.set(&[verdict], count(found));
        }
        refused.set(&[], number(report.refused_writes));
        Self {
            applications,
            refused,
        }
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![self.applications.into(), self.refused.into()]
    }
}
