//! Shadow mode: how far the verdicts of a hub agree with those that are written.

use prometheus::{IntCounter, IntGaugeVec};

use super::{Momentary, gauge};
use crate::controller::application::Report;

/// What a hub in shadow mode has found.
pub struct ShadowStates {
    applications: IntGaugeVec,
    refused: IntCounter,
}

impl ShadowStates {
    /// What the report says; other hubs expose none of it.
    pub fn new(report: &Report) -> prometheus::Result<Self> {
        let applications = gauge(
            "argosy_shadow_applications",
            "Applications of a hub in shadow mode by how its verdict stands to the one that is written: `agreed`, `disagreed`, `undecided` without a dry run, or `unknown`.",
            &["verdict"],
        )?;
        let refused = IntCounter::new(
            "argosy_shadow_refused_writes_total",
            "Requests that a hub in shadow mode refused to send, because they were no reads.",
        )?;
        for (verdict, count) in [
            ("agreed", report.agreed),
            ("disagreed", report.disagreed.len()),
            ("undecided", report.undecided.len()),
            ("unknown", report.unknown),
        ] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            applications.with_label_values(&[verdict]).set(count);
        }
        refused.inc_by(report.refused_writes);
        Ok(Self {
            applications,
            refused,
        })
    }

    /// What is exposed.
    pub fn into_collectors(self) -> Vec<Momentary> {
        vec![Box::new(self.applications), Box::new(self.refused)]
    }
}
