//! The guard of the fleet: a change that would take too much away at once waits for a person.
//!
//! It counts what cannot be undone by reverting a commit: Applications that are deleted, and those
//! that move to another cluster or namespace. Where a generator stopped yielding anything, one is
//! too much, and while a set waits, so is one of those that it waits with. It never changes a plan;
//! it only says whether to act.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use argosy_crds::{Application, ApplicationSet, names};
use sha2::{Digest, Sha256};

use crate::approval::Held;
use crate::plan::{AppSetPlan, is_owned_by};

/// How much may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Percent of the set's Applications; 100 lets everything go.
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

/// What a plan is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Guard<'a> {
    /// How much may go.
    pub limits: Limits,
    /// The hash of the plan that a person approved.
    pub approved: Option<&'a str>,
    /// The generators that stopped yielding anything, see [`emptied`](crate::emptied::emptied).
    pub emptied: &'a [String],
    /// What the set waits with already.
    pub held: &'a Held,
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
    /// The generators that stopped yielding anything.
    pub emptied: Vec<String>,
    /// All that waits since the set began to wait, as far as the set still has it.
    pub held: Held,
    /// By itself the plan might be carried out; it waits because more of it did before.
    pub is_remainder: bool,
}

/// Judges a plan.
pub fn judge(
    set: &ApplicationSet,
    plan: &AppSetPlan,
    live: &[Application],
    guard: &Guard<'_>,
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
    let owned: Vec<&Application> = live.iter().filter(|app| is_owned_by(app, set)).collect();
    let Limits { percent, count } = guard.limits;
    let lost = || {
        let deleted = plan.delete.iter().map(|gone| gone.name.as_str());
        deleted.chain(moves.iter().map(|(name, _)| name.as_str()))
    };
    let gone = lost().count();
    let is_little = gone <= count || gone * 100 <= percent * owned.len();
    let is_believed = guard.emptied.is_empty() || plan.delete.is_empty() || percent >= 100;
    let is_free = percent >= 100 || !guard.held.has_any_of(lost());
    if is_little && is_believed && is_free {
        return Verdict::Proceed;
    }
    let hash = hash(set, plan, &moves);
    if guard.approved == Some(hash.as_str()) {
        return Verdict::Proceed;
    }
    let names = owned.iter().filter_map(|app| app.metadata.name.as_deref());
    let names: BTreeSet<&str> = names.collect();
    let lost = Held::These(lost().map(str::to_owned).collect());
    Verdict::Park(Parked {
        hash,
        held: guard.held.among(&names).or(lost),
        deletes: plan.delete.iter().map(|gone| gone.name.clone()).collect(),
        moves: moves.into_iter().map(|(name, _)| name).collect(),
        owned: owned.len(),
        emptied: guard.emptied.to_vec(),
        is_remainder: is_little && is_believed,
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

    /// Judges a plan that deletes so many of so many.
    fn judged(of: usize, count: usize, approved: Option<&str>, emptied: &[&str]) -> Verdict {
        let (set, live) = fleet(of);
        let guard = Guard {
            limits: Limits::default(),
            approved,
            emptied: &emptied.iter().map(ToString::to_string).collect::<Vec<_>>(),
            held: &Held::default(),
        };
        judge(&set, &deleting(&live, count), &live, &guard)
    }

    #[test]
    fn a_large_share_waits_and_a_small_one_does_not() {
        assert_eq!(judged(20, 6, None, &[]), Verdict::Proceed);
        assert!(matches!(judged(20, 7, None, &[]), Verdict::Park(parked) if parked.owned == 20));
        assert_eq!(judged(5, 5, None, &[]), Verdict::Proceed);
    }

    #[test]
    fn what_a_generator_does_not_yield_any_more_waits_however_little() {
        let emptied = ["spec.generators[0].plugin"];
        let Verdict::Park(parked) = judged(3, 1, None, &emptied) else {
            panic!("it waits")
        };
        assert_eq!(parked.emptied, emptied);
        assert_eq!(judged(3, 1, Some(&parked.hash), &emptied), Verdict::Proceed);
        assert_eq!(judged(3, 0, None, &emptied), Verdict::Proceed);
    }

    #[test]
    fn an_approval_is_of_one_plan() {
        let Verdict::Park(parked) = judged(20, 10, None, &[]) else {
            panic!("it waits")
        };
        assert_eq!(judged(20, 10, Some(&parked.hash), &[]), Verdict::Proceed);
        assert!(matches!(
            judged(20, 11, Some(&parked.hash), &[]),
            Verdict::Park(_)
        ));
    }

    #[test]
    fn moving_to_another_cluster_counts_and_a_set_may_allow_everything() {
        let (mut set, live) = fleet(10);
        let mut moved = live.clone();
        for app in &mut moved {
            "elsewhere".clone_into(&mut app.spec.destination.name);
        }
        let plan = AppSetPlan {
            update: moved,
            ..AppSetPlan::default()
        };
        let judge = |set: &ApplicationSet| {
            let guard = Guard {
                limits: Limits::of(set, Limits::default()),
                approved: None,
                emptied: &["spec.generators[0].git".to_owned()],
                held: &Held::All,
            };
            judge(set, &plan, &live, &guard)
        };
        assert!(matches!(judge(&set), Verdict::Park(parked) if parked.moves.len() == 10));
        let all = (
            names::annotation::GUARD_PERCENT.to_owned(),
            "100".to_owned(),
        );
        set.metadata.annotations = Some(BTreeMap::from([all]));
        assert_eq!(judge(&set), Verdict::Proceed);
    }
    /// Judges a plan that deletes these of twenty, while others are held.
    fn while_waiting(held: &Held, deleted: std::ops::Range<usize>, percent: usize) -> Verdict {
        let (set, live) = fleet(20);
        let guard = Guard {
            limits: Limits {
                percent,
                ..Limits::default()
            },
            approved: None,
            emptied: &[],
            held,
        };
        let plan = deleting(&live[deleted.start..], deleted.len());
        judge(&set, &plan, &live, &guard)
    }

    fn names(numbers: std::ops::Range<usize>) -> Held {
        Held::These(numbers.map(|n| format!("a{n}")).collect())
    }

    #[test]
    fn what_comes_back_one_by_one_frees_nothing_of_the_rest() {
        let mut held = Held::default();
        for rest in (1..=10).rev() {
            let Verdict::Park(parked) = while_waiting(&held, 0..rest, 30) else {
                panic!("{rest} wait")
            };
            assert_eq!(parked.held, names(0..10), "{rest} are left");
            assert_eq!(parked.is_remainder, rest <= 6, "{rest} are left");
            held = parked.held;
        }
        assert_eq!(while_waiting(&held, 0..0, 30), Verdict::Proceed);
        assert_eq!(while_waiting(&held, 10..12, 30), Verdict::Proceed);
        // One that came back and goes again is among those that wait.
        assert!(matches!(while_waiting(&held, 9..10, 30), Verdict::Park(_)));
        assert_eq!(while_waiting(&held, 0..3, 100), Verdict::Proceed);
    }

    #[test]
    fn what_goes_meanwhile_waits_with_the_others() {
        let Verdict::Park(parked) = while_waiting(&names(0..2), 1..4, 30) else {
            panic!("they wait")
        };
        assert_eq!(parked.held, names(0..4));
        // What the set has no more is forgotten.
        let gone = Held::These(["a1", "gone"].map(str::to_owned).into());
        let Verdict::Park(parked) = while_waiting(&gone, 1..2, 30) else {
            panic!("it waits")
        };
        assert_eq!(parked.held, names(1..2));
    }
}
