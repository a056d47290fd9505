//! The sync windows of projects at the moment of a scrape.

use argosy_crds::AppProject;
use argosy_engine::windows::Window;
use jiff::Timestamp;

use super::Momentary;
use super::config::cut;
use super::snapshot::{Snapshot, unix_time};

/// The gauges of sync windows.
pub struct SyncWindowStates {
    active: Snapshot,
    next_change: Snapshot,
}

impl Default for SyncWindowStates {
    /// Declares the gauges, empty.
    fn default() -> Self {
        // The number is that of `argosy proj windows list`: two windows may have the same schedule.
        let labels = ["project", "window", "kind", "schedule"];
        Self {
            active: Snapshot::gauge(
                "argocd_sync_window_active",
                "Whether a sync window of a project is open.",
                &labels,
            ),
            next_change: Snapshot::gauge(
                "argosy_sync_window_next_change_timestamp_seconds",
                "When a sync window opens or closes next, in Unix time.",
                &labels,
            ),
        }
    }
}

impl SyncWindowStates {
    /// Adds the windows of a project as they are at `now`; those that cannot be read are left out,
    /// as applications have a condition for them.
    pub fn add(&mut self, project: &AppProject, now: Timestamp) {
        let name = project.metadata.name.as_deref().unwrap_or_default();
        for (number, spec) in project.spec.sync_windows.iter().enumerate() {
            let Ok(window) = Window::parse(spec) else {
                continue;
            };
            let number = number.to_string();
            let labels = [name, &number, window.kind().as_str(), cut(&spec.schedule)];
            let is_active = window.is_active(now);
            self.active.set(&labels, f64::from(is_active));
            let change = if is_active {
                window.closes_after(now)
            } else {
                window.opens_after(now)
            };
            if let Some(change) = change {
                self.next_change.set(&labels, unix_time(change));
            }
        }
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![self.active.into(), self.next_change.into()]
    }
}
