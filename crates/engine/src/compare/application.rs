//! A whole application: every desired object against what is live, and what is live too much.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::codes::SyncStatusCode;
use argosy_facts::Observed;
use serde_json::Value;

use super::Difference;
use super::object::{Rules, Verdict, is_left_alone, object};
use crate::object::{GroupKind, ObjectExt, ResourceKey, names};

/// Whose a live object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This application's, by its tracking mark.
    Us,
    /// Another application's, by name.
    Other(String),
    /// Nobody's.
    Nobody,
}

/// What the comparison has to ask about the application and its cluster.
pub struct Settings<'a> {
    /// The application's name as conditions write it, `namespace/name`.
    pub application: &'a str,
    /// Where objects without a namespace go.
    pub destination_namespace: &'a str,
    /// How single objects are compared.
    pub rules: Rules<'a>,
    /// Whose a live object is.
    pub owner: &'a dyn Fn(&Value) -> Owner,
    /// Whether a kind lives in namespaces; `None` if the cluster does not serve it.
    pub namespaced: &'a dyn Fn(&GroupKind) -> Option<bool>,
    /// Whether the settings keep this kind out of sight.
    pub excluded: &'a dyn Fn(&GroupKind) -> bool,
    /// The kinds whose objects cannot be seen now, and why. Of them nothing is judged, and nothing
    /// that `live` holds is of them.
    pub tainted: &'a BTreeMap<GroupKind, String>,
}

/// One resource of the comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceComparison {
    /// Its identity.
    pub key: ResourceKey,
    /// Version of its API group.
    pub version: String,
    /// Its place among the desired objects.
    pub desired: Option<usize>,
    /// Its place among the live objects.
    pub live: Option<usize>,
    /// `None` for hooks and objects to be left alone.
    pub status: Option<SyncStatusCode>,
    /// What was found.
    pub verdict: Verdict,
    /// Extra in the cluster, and its `IgnoreExtraneous` says that this is no fault; or kept by
    /// another application.
    pub tolerated: bool,
    /// The other application that the live object belongs to, which keeps it.
    pub kept_by: Option<String>,
}

/// What the conditions of a comparison are about; the names are Argo CD's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionKind {
    /// An object cannot be placed.
    InvalidSpecError,
    /// The live state is not fully known, or an ignore rule cannot be used.
    ComparisonError,
    /// An object appears more than once.
    RepeatedResourceWarning,
    /// An object is kept out of sight by the settings.
    ExcludedResourceWarning,
    /// An object is part of two applications.
    SharedResourceWarning,
}

impl ConditionKind {
    /// The condition's type on an Application.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::SharedResourceWarning => "SharedResourceWarning",
        }
    }
}

/// Something that the application's owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: ConditionKind,
    /// What is the matter.
    pub message: String,
}

/// The whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Every resource, by identity.
    pub resources: Vec<ResourceComparison>,
    /// The application's sync status.
    pub status: SyncStatusCode,
    /// What to tell.
    pub conditions: Vec<Condition>,
    /// Whether all live state was seen, but for that of the tainted kinds; without that nothing may
    /// be pruned.
    pub complete: bool,
    /// Whether something could not be seen or judged: what is in sync otherwise may not be.
    pub blind: bool,
}

impl Comparison {
    /// Takes the server's word that a suspect does not differ.
    pub fn clear(&mut self, key: &ResourceKey) {
        for resource in self.resources.iter_mut().filter(|one| one.key == *key) {
            resource.verdict.differences.clear();
            resource.verdict.suspect = false;
            if resource.status == Some(SyncStatusCode::OutOfSync) && resource.verdict.is_synced() {
                resource.status = Some(SyncStatusCode::Synced);
            }
        }
        self.status = overall(&self.resources, self.complete, self.blind);
    }

    /// Takes the server's word on how an object differs.
    pub fn differs(&mut self, key: &ResourceKey, differences: &[Difference]) {
        for resource in self.resources.iter_mut().filter(|one| one.key == *key) {
            resource.verdict.differences = differences.to_vec();
            resource.verdict.suspect = false;
            if resource.status == Some(SyncStatusCode::Synced) {
                resource.status = Some(SyncStatusCode::OutOfSync);
            }
        }
        self.status = overall(&self.resources, self.complete, self.blind);
    }

    /// Takes it that a suspect differs.
    pub fn confirm(&mut self, key: &ResourceKey) {
        for resource in self.resources.iter_mut().filter(|one| one.key == *key) {
            resource.verdict.suspect = false;
        }
    }

    /// The resources that wait for the server's word.
    pub fn suspects(&self) -> impl Iterator<Item = &ResourceComparison> {
        self.resources.iter().filter(|one| one.verdict.suspect)
    }
}

/// Compares an application. `live` holds every live object that is desired or tracked as ours, but
/// for those of tainted kinds, which are `Unknown` and stop nothing else. An incomplete observation
/// yields `Unknown` and never a resource to prune.
pub fn application(
    desired: &[Value],
    live: &Observed<Vec<Value>>,
    settings: &Settings<'_>,
) -> Comparison {
    let mut conditions = Vec::new();
    let wanted = place_desired(desired, settings, &mut conditions);
    let nothing = Vec::new();
    let seen = live.seen().unwrap_or(&nothing);
    let complete = live.as_complete().is_some();
    let gaps = settings.tainted.values().map(String::as_str);
    if let Some(why) = unseen(live.gap().into_iter().chain(gaps)) {
        conditions.push(Condition {
            kind: ConditionKind::ComparisonError,
            message: format!("Live state is not fully known: {why}"),
        });
    }
    let present: BTreeMap<ResourceKey, usize> = seen
        .iter()
        .enumerate()
        .map(|(at, one)| (one.resource_key(), at))
        .collect();
    let mut resources: BTreeMap<ResourceKey, ResourceComparison> = BTreeMap::new();
    for (key, at) in wanted {
        let found = present.get(&key).copied();
        let both = (Some(at), found);
        resources.insert(
            key.clone(),
            compare(key, both, (desired, seen), complete, settings),
        );
    }
    for (key, at) in present {
        let ours = (settings.owner)(&seen[at]) == Owner::Us && !seen[at].has_owner();
        if ours && !resources.contains_key(&key) && !(settings.excluded)(&key.group_kind()) {
            let both = (None, Some(at));
            resources.insert(
                key.clone(),
                compare(key, both, (desired, seen), complete, settings),
            );
        }
    }
    let resources: Vec<_> = resources.into_values().collect();
    for resource in &resources {
        if let (Some(at), Some(other)) = (resource.live, &resource.kept_by) {
            conditions.push(shared(&seen[at], other, settings));
        }
    }
    let flaws: BTreeSet<_> = resources
        .iter()
        .flat_map(|one| &one.verdict.flaws)
        .collect();
    conditions.extend(flaws.iter().map(|flaw| Condition {
        kind: ConditionKind::ComparisonError,
        message: flaw.to_string(),
    }));
    conditions.sort_by(|one, other| (one.kind, &one.message).cmp(&(other.kind, &other.message)));
    let blind = !settings.tainted.is_empty() || !flaws.is_empty();
    Comparison {
        status: overall(&resources, complete, blind),
        resources,
        conditions,
        complete,
        blind,
    }
}

/// How many reasons are told.
const TOLD: usize = 3;

/// Why not everything is seen, in one text.
pub fn unseen<'a>(gaps: impl Iterator<Item = &'a str>) -> Option<String> {
    let gaps: Vec<_> = gaps.collect();
    let told: Vec<_> = gaps.iter().take(TOLD).copied().collect();
    let more = gaps.len() - told.len();
    match (told.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told.join("; ")),
        (false, more) => Some(format!("{}; and {more} kinds more", told.join("; "))),
    }
}

/// Every desired object by its identity in the cluster; of duplicates the last one counts.
fn place_desired(
    desired: &[Value],
    settings: &Settings<'_>,
    conditions: &mut Vec<Condition>,
) -> BTreeMap<ResourceKey, usize> {
    let mut wanted: BTreeMap<ResourceKey, (usize, usize)> = BTreeMap::new();
    for (at, one) in desired.iter().enumerate() {
        let mut key = one.resource_key();
        if (settings.excluded)(&key.group_kind()) {
            conditions.push(Condition {
                kind: ConditionKind::ExcludedResourceWarning,
                message: format!(
                    "Resource {}/{} {} is excluded in the settings",
                    key.group, key.kind, key.name
                ),
            });
            continue;
        }
        match (settings.namespaced)(&key.group_kind()) {
            Some(false) => key.namespace.clear(),
            Some(true) | None if key.namespace.is_empty() => {
                settings
                    .destination_namespace
                    .clone_into(&mut key.namespace);
                if key.namespace.is_empty() && (settings.namespaced)(&key.group_kind()).is_some() {
                    conditions.push(Condition {
                        kind: ConditionKind::InvalidSpecError,
                        message: format!(
                            "Namespace for {} {}, Kind={} is missing.",
                            key.name,
                            one.api_version(),
                            key.kind
                        ),
                    });
                }
            }
            _ => {}
        }
        let entry = wanted.entry(key).or_insert((at, 0));
        *entry = (at, entry.1 + 1);
    }
    for (key, (_, times)) in wanted.iter().filter(|(_, (_, times))| *times > 1) {
        conditions.push(Condition {
            kind: ConditionKind::RepeatedResourceWarning,
            message: format!(
                "Resource {}/{}/{}/{} appeared {times} times among application resources.",
                key.group, key.kind, key.namespace, key.name
            ),
        });
    }
    wanted.into_iter().map(|(key, (at, _))| (key, at)).collect()
}

fn shared(live: &Value, other: &str, settings: &Settings<'_>) -> Condition {
    Condition {
        kind: ConditionKind::SharedResourceWarning,
        message: format!(
            "{}/{} is part of applications {} and {other}; {other} keeps it",
            live.kind(),
            live.name(),
            settings.application
        ),
    }
}

fn compare(
    key: ResourceKey,
    (at, found): (Option<usize>, Option<usize>),
    (desired, live): (&[Value], &[Value]),
    complete: bool,
    settings: &Settings<'_>,
) -> ResourceComparison {
    let (wanted, present) = (at.map(|at| &desired[at]), found.map(|at| &live[at]));
    let complete = complete && !settings.tainted.contains_key(&key.group_kind());
    let mut verdict = object(wanted, present, settings.rules);
    let unseen = present.is_none() && !complete;
    // What was not seen may well be there, and what seems extra may only seem so.
    verdict.missing &= complete;
    verdict.requires_pruning &= complete;
    let either = wanted.or(present);
    let left_alone = either.is_some_and(is_left_alone);
    let extraneous = wanted.is_none()
        && present.is_some_and(|one| {
            one.annotation_list(names::COMPARE_OPTIONS)
                .any(|option| option == "IgnoreExtraneous")
        });
    let kept_by = present.filter(|_| wanted.is_some() && !left_alone);
    let kept_by = kept_by.and_then(|one| match (settings.owner)(one) {
        Owner::Other(other) => Some(other),
        Owner::Us | Owner::Nobody => None,
    });
    let status = if left_alone {
        None
    } else if unseen || (wanted.is_none() && !complete) || !verdict.flaws.is_empty() {
        Some(SyncStatusCode::Unknown)
    } else if verdict.is_synced() {
        Some(SyncStatusCode::Synced)
    } else {
        Some(SyncStatusCode::OutOfSync)
    };
    ResourceComparison {
        version: either.map(|one| one.gvk().version).unwrap_or_default(),
        key,
        desired: at,
        live: found,
        status,
        verdict,
        tolerated: extraneous || kept_by.is_some(),
        kept_by,
    }
}

fn overall(resources: &[ResourceComparison], complete: bool, blind: bool) -> SyncStatusCode {
    if !complete {
        return SyncStatusCode::Unknown;
    }
    let out_of_sync = resources
        .iter()
        .any(|one| !one.tolerated && one.status == Some(SyncStatusCode::OutOfSync));
    if out_of_sync {
        SyncStatusCode::OutOfSync
    } else if blind {
        SyncStatusCode::Unknown
    } else {
        SyncStatusCode::Synced
    }
}
