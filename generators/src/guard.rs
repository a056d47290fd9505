//! The guard of the fleet: a change that would take too much away at once waits for a person.
//!
//! It counts what cannot be undone by reverting a commit: Applications that are deleted, and those
//! that move to another cluster or namespace. It never changes a plan; it only says whether to act.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use argosy_crds::{Application, ApplicationSet, names};
use sha2::{Digest, Sha256};

use crate::plan::{AppSetPlan, is_owned_by};

/// How much may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Percent of the set's Applications.
    pub percent: usize,
    /// So many may go whatever their share is.
    pub count: usize,
}

impl Default for Limits {
    /// 30 percent, and more than five.
    fn default() -> Self {
        Self {
            percent: 30,
            count: 5,
        }
    }
}

impl Limits {
    /// The limits of one set: its own word, else the hub's.
    #[must_use]
    pub fn of(set: &ApplicationSet, hub: Self) -> Self {
        let own = annotation(set, names::annotation::GUARD_PERCENT);
        let own = own.and_then(|text| text.parse().ok());
        Self {
            percent: own.unwrap_or(hub.percent),
            ..hub
        }
    }
}

/// The hash of the plan of a set that a person approved.
pub fn approved(set: &ApplicationSet) -> Option<&str> {
    annotation(set, names::annotation::APPROVED_PLAN)
}

fn annotation<'a>(set: &'a ApplicationSet, key: &str) -> Option<&'a str> {
    set.metadata
        .annotations
        .as_ref()?
        .get(key)
        .map(String::as_str)
}

/// Whether a plan may be acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Act on it.
    Proceed,
    /// Wait for the approval of exactly this plan.
    Park(Parked),
}

/// A plan that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What an approval must name; another plan has another one.
    pub hash: String,
    /// The Applications that would be deleted.
    pub deletes: Vec<String>,
    /// The Applications that would move.
    pub moves: Vec<String>,
    /// How many Applications the set has.
    pub owned: usize,
}

/// Judges a plan; `approved` is the hash that a person approved.
pub fn judge(
    set: &ApplicationSet,
    plan: &AppSetPlan,
    live: &[Application],
    limits: Limits,
    approved: Option<&str>,
) -> Verdict {
    let by_name: BTreeMap<_, _> = live.iter().map(|app| (&app.metadata.name, app)).collect();
    let moves: Vec<(String, String)> = plan
        .update
        .iter()
        .filter_map(|app| {
            let old = &by_name.get(&app.metadata.name)?.spec.destination;
            let new = &app.spec.destination;
            let name = app.metadata.name.clone()?;
            (old != new).then(|| (name, format!("{old:?} -> {new:?}")))
        })
        .collect();
    let owned = live.iter().filter(|app| is_owned_by(app, set)).count();
    let gone = plan.delete.len() + moves.len();
    if gone <= limits.count || gone * 100 <= limits.percent * owned {
        return Verdict::Proceed;
    }
    let hash = hash(set, plan, &moves);
    if approved == Some(hash.as_str()) {
        return Verdict::Proceed;
    }
    Verdict::Park(Parked {
        hash,
        deletes: plan.delete.iter().map(|gone| gone.name.clone()).collect(),
        moves: moves.into_iter().map(|(name, _)| name).collect(),
        owned,
    })
}

/// The first 64 bits of a digest over everything that goes, and of which set.
fn hash(set: &ApplicationSet, plan: &AppSetPlan, moves: &[(String, String)]) -> String {
    let mut digest = Sha256::new();
    let mut add = |kind: &str, name: &str, what: &str| {
        for part in [kind, name, what] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
    };
    let uid = set.metadata.uid.as_deref().unwrap_or_default();
    add("set", uid, set.metadata.name.as_deref().unwrap_or_default());
    for gone in &plan.delete {
        add(
            "delete",
            &gone.name,
            gone.uid.as_deref().unwrap_or_default(),
        );
    }
    for (name, what) in moves {
        add("move", name, what);
    }
    let mut hash = String::new();
    for byte in digest.finalize().iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Deletion;

    fn fleet(size: usize) -> (ApplicationSet, Vec<Application>) {
        let set = json!({"metadata": {"name": "fleet", "uid": "u"}, "spec": {}});
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "fleet", "uid": "u", "controller": true});
        let app = |n: usize| {
            let metadata =
                json!({"name": format!("a{n}"), "uid": format!("{n}"), "ownerReferences": [owner]});
            serde_json::from_value(json!({"metadata": metadata, "spec": {}}))
                .expect("an Application")
        };
        let set = serde_json::from_value(set).expect("a set");
        (set, (0..size).map(app).collect())
    }

    fn deleting(live: &[Application], count: usize) -> AppSetPlan {
        let deletion = |app: &Application| Deletion {
            name: app.metadata.name.clone().unwrap_or_default(),
            uid: app.metadata.uid.clone(),
            strip_finalizer: false,
        };
        AppSetPlan {
            delete: live.iter().take(count).map(deletion).collect(),
            ..AppSetPlan::default()
        }
    }

    #[test]
    fn a_large_share_waits_and_a_small_one_does_not() {
        let (set, live) = fleet(20);
        let judge = |count| {
            judge(
                &set,
                &deleting(&live, count),
                &live,
                Limits::default(),
                None,
            )
        };
        assert_eq!(judge(6), Verdict::Proceed);
        assert!(matches!(judge(7), Verdict::Park(parked) if parked.owned == 20));
        let (set, live) = fleet(5);
        let all = super::judge(&set, &deleting(&live, 5), &live, Limits::default(), None);
        assert_eq!(all, Verdict::Proceed);
    }

    #[test]
    fn an_approval_is_of_one_plan() {
        let (set, live) = fleet(20);
        let judge = |count, approved: Option<&str>| {
            judge(
                &set,
                &deleting(&live, count),
                &live,
                Limits::default(),
                approved,
            )
        };
        let Verdict::Park(parked) = judge(10, None) else {
            panic!("it waits")
        };
        assert_eq!(judge(10, Some(&parked.hash)), Verdict::Proceed);
        assert!(matches!(judge(11, Some(&parked.hash)), Verdict::Park(_)));
    }

    #[test]
    fn moving_to_another_cluster_counts() {
        let (set, live) = fleet(10);
        let mut moved = live.clone();
        for app in &mut moved {
            "elsewhere".clone_into(&mut app.spec.destination.name);
        }
        let plan = AppSetPlan {
            update: moved,
            ..AppSetPlan::default()
        };
        let verdict = judge(&set, &plan, &live, Limits::default(), None);
        assert!(matches!(verdict, Verdict::Park(parked) if parked.moves.len() == 10));
    }
}
