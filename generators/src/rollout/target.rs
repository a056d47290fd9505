//! The revisions that a rollout is to reach.
//!
//! Applications with the same repository and target revision are to be at the same commit. Their
//! statuses learn of a new one at different times; the one that was compared last knows best. Which
//! of two revisions is chosen while they disagree cannot open a step too early: whoever does not
//! name the target neither begins nor counts as complete.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::ApplicationSource;
use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::SyncStatusCode;
use jiff::Timestamp;

use super::reading::Reading;

/// What a source follows.
type Followed = (String, String, String, String);

/// The newest known revision of everything that the Applications of a set follow.
pub(super) struct Targets(BTreeMap<Followed, Found>);

/// A revision, ordered by how much it is to be believed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// It was compared then: what cannot be compared names what was known before, however often it
    /// is looked at.
    is_compared: bool,
    at: Option<Timestamp>,
    /// It was a target before: of two that were found at once the known one stays, so that one plan
    /// is like the next.
    is_known: bool,
    revision: String,
}

impl Targets {
    pub(super) fn new<'r>(
        readings: impl Iterator<Item = &'r Reading<'r>>,
        previous: &[ApplicationSetApplicationStatus],
    ) -> Self {
        let known: BTreeSet<&String> = previous
            .iter()
            .flat_map(|entry| &entry.target_revisions)
            .collect();
        let mut newest = BTreeMap::new();
        for reading in readings {
            let sources = reading.live.spec.sources();
            let revisions = reading.revisions.iter().flatten();
            for (source, revision) in sources.iter().zip(revisions) {
                let found = Found {
                    is_compared: reading.sync() != SyncStatusCode::Unknown,
                    at: reading.reconciled_at(),
                    is_known: known.contains(revision),
                    revision: revision.clone(),
                };
                let newest = newest.entry(followed(source));
                match newest {
                    std::collections::btree_map::Entry::Vacant(place) => {
                        place.insert(found);
                    }
                    std::collections::btree_map::Entry::Occupied(mut place) => {
                        if found > *place.get() {
                            place.insert(found);
                        }
                    }
                }
            }
        }
        Self(newest)
    }

    /// The target of an Application: the newest revision of each of its sources, if all are known.
    pub(super) fn of(&self, reading: &Reading<'_>) -> Option<Vec<String>> {
        let sources = reading.live.spec.sources();
        let target: Option<Vec<_>> = sources
            .iter()
            .map(|source| Some(self.0.get(&followed(source))?.revision.clone()))
            .collect();
        target.filter(|target| !target.is_empty())
    }
}

fn followed(source: &ApplicationSource) -> Followed {
    (
        source.repo_url.clone(),
        source.chart.clone(),
        source.target_revision.clone(),
        source.tag_prefix.clone(),
    )
}
