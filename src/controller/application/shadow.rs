//! Shadow mode: every verdict of a hub beside those that an Argo CD wrote, and not one write.
//!
//! What is written otherwise is compared here. That nothing gets written by another way is not this
//! module's to see to: all clients of such a hub refuse it ([`crate::cluster::guarded`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_crds::Application;
use argosy_engine::compare::Comparison;
use argosy_engine::object::ResourceKey;
use argosy_engine::status::{Disagreement, disagreements};
use serde::Serialize;

use super::assess::{self, Assessment};
use super::observe;
use super::report::{revision_delay, waiting};
use super::status::judged;
use crate::cluster::MayWrite;
use crate::controller::worker::Next;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// What a hub in shadow mode has found.
#[derive(Debug, Default)]
pub struct Shadow {
    refused: Arc<AtomicU64>,
    verdicts: Mutex<BTreeMap<ObjectName, Verdict>>,
}

/// How two controllers see one application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// On what they disagree.
    pub disagreements: Vec<Disagreement>,
    /// What this hub would tell in conditions.
    pub conditions: Vec<String>,
}

/// What a hub in shadow mode tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// On how many applications both agree.
    pub agreed: usize,
    /// Where they disagree, by `namespace/name`.
    pub disagreed: BTreeMap<String, Verdict>,
    /// Where they may disagree, which only a dry run could tell.
    pub undecided: BTreeMap<String, Verdict>,
    /// The applications without a status to compare with, or not looked at yet.
    pub unknown: usize,
    /// How many requests were refused because they were no reads.
    pub refused_writes: u64,
}

impl Shadow {
    /// What every client of such a hub is told before it writes; that is counted.
    pub(crate) fn may_write(&self) -> MayWrite {
        let refused = Arc::clone(&self.refused);
        Arc::new(move || {
            refused.fetch_add(1, Ordering::Relaxed);
            Err("a hub in shadow mode writes nothing")
        })
    }

    /// What was found of the applications that are known.
    pub fn report(&self, known: impl Iterator<Item = ObjectName>) -> Report {
        let verdicts = self.verdicts();
        let mut report = Report {
            refused_writes: self.refused.load(Ordering::Relaxed),
            ..Report::default()
        };
        for name in known {
            match verdicts.get(&name).cloned() {
                None => report.unknown += 1,
                Some(verdict) if verdict.disagreements.is_empty() => report.agreed += 1,
                Some(verdict) if verdict.disagreements.iter().any(|one| one.certain) => {
                    report.disagreed.insert(name.to_string(), verdict);
                }
                Some(verdict) => {
                    report.undecided.insert(name.to_string(), verdict);
                }
            }
        }
        report
    }

    /// Keeps a verdict; whether it is another than the last one.
    fn keep(&self, name: &ObjectName, verdict: &Verdict) -> bool {
        let before = self.verdicts().insert(name.clone(), verdict.clone());
        before.unwrap_or_default().disagreements != verdict.disagreements
    }

    fn verdicts(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at everything, does nothing, and keeps what would have been said otherwise.
pub(super) async fn look(
    hub: &Arc<Hub>,
    shadow: &Shadow,
    name: &ObjectName,
    application: &Application,
) -> Next {
    let started = tokio::time::Instant::now();
    let Some(theirs) = application
        .status
        .as_ref()
        .filter(|_| !application.is_deleting())
    else {
        shadow.verdicts().remove(name);
        return Next::WhenWoken;
    };
    let observed = observe::observe(hub, name, application).await;
    let assessment = assess::assess(hub, name, application, observed).await;
    let ours = judged(application, theirs, &assessment, hub.clock.now());
    let verdict = Verdict {
        disagreements: disagreements(theirs, &ours, &suspects(&assessment)),
        conditions: assessment
            .conditions
            .iter()
            .map(|(kind, why)| format!("{kind}: {why}"))
            .collect(),
    };
    let disagree = !verdict.disagreements.is_empty();
    if shadow.keep(name, &verdict) {
        tell(name, &verdict);
    }
    hub.metrics
        .applications
        .reconciled(&name.namespace, &assessment.server, started.elapsed());
    match waiting(&assessment) {
        // One of them may be about to see what the other has seen; a large fleet has more patience.
        next if disagree => next.no_later_than(revision_delay(hub)),
        next => next,
    }
}

/// The resources that differ unless a dry run says otherwise, for which nobody was asked.
fn suspects(assessment: &Assessment) -> BTreeSet<ResourceKey> {
    let suspects = assessment.comparison.iter().flat_map(Comparison::suspects);
    suspects.map(|one| one.key.clone()).collect()
}

fn tell(name: &ObjectName, verdict: &Verdict) {
    if verdict.disagreements.is_empty() {
        tracing::info!(application = %name, "both agree");
    }
    for Disagreement {
        about,
        theirs,
        ours,
        certain,
    } in &verdict.disagreements
    {
        tracing::warn!(application = %name, about, theirs, ours, certain, "a verdict differs from the one that is written");
    }
}
