//! What a set's status says of a plan that waits for a person, and what it remembers until then.
//!
//! A set that waits holds on to everything that it has told of: clusters that come back one by one
//! make the plan small, and what is left of it must not pass for a small loss. The memory is a list
//! in the status, so that a restart forgets nothing. It ends with an approval, or when nothing of
//! the list would go any more; a reconcile that could not judge leaves it as it is.

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::{ApplicationSetCondition, ApplicationSetStatus};
use argosy_crds::codes::appset_condition::APPROVAL_NEEDED;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::guard::Parked;

/// How many Applications a condition names.
const NAMED: usize = 10;

/// How many names the status remembers; a set that waits with more of them holds everything.
const REMEMBERED: usize = 5000;

/// Stands in the status for all Applications; none can be called so.
const ALL: &str = "*";

/// The Applications that a set that waits has told of since it began to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// These; none if the set does not wait.
    These(BTreeSet<String>),
    /// Every one, because they are too many to remember or their list was lost.
    All,
}

impl Default for Held {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Held {
    /// What a set's status remembers. One that waits without a list, as where a CRD drops it, holds
    /// everything.
    pub fn of(set: &ApplicationSet) -> Self {
        let listed = set.status.iter().flat_map(|status| &status.held);
        let listed: BTreeSet<String> = listed.cloned().collect();
        if listed.contains(ALL) || listed.is_empty() && waits(set) {
            Self::All
        } else {
            Self::These(listed)
        }
    }

    /// Whether any of these Applications is held.
    pub(crate) fn has_any_of<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        match self {
            Self::These(held) => names.any(|name| held.contains(name)),
            Self::All => names.next().is_some(),
        }
    }

    /// What is held of these.
    pub(crate) fn among(&self, names: &BTreeSet<&str>) -> Self {
        match self {
            Self::These(held) => {
                let kept = held.iter().filter(|name| names.contains(name.as_str()));
                Self::These(kept.cloned().collect())
            }
            Self::All => Self::All,
        }
    }

    /// What is held by either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut held), Self::These(more)) => {
                held.extend(more);
                Self::These(held)
            }
            _ => Self::All,
        }
    }

    /// As it stands in a status.
    fn listed(&self) -> Vec<String> {
        match self {
            Self::These(held) if held.len() <= REMEMBERED => held.iter().cloned().collect(),
            _ => vec![ALL.to_owned()],
        }
    }
}

/// Whether a set says that it waits.
pub fn waits(set: &ApplicationSet) -> bool {
    waiting(set).is_some()
}

/// Whether a set waits for the approval of exactly this plan.
pub fn waits_for(set: &ApplicationSet, plan: &str) -> bool {
    let told = waiting(set).and_then(|condition| condition.message.rsplit(' ').next());
    told.is_some_and(|told| told.trim_end_matches('`') == plan)
}

/// The condition of a set that waits.
pub fn waiting(set: &ApplicationSet) -> Option<&ApplicationSetCondition> {
    let mut conditions = set.status.iter().flat_map(|status| &status.conditions);
    conditions.find(|one| one.type_ == APPROVAL_NEEDED && one.status == "True")
}

/// Tells in a set's status what of it waits; nothing of it without a plan that does.
pub fn put(status: &mut ApplicationSetStatus, set: &str, parked: Option<&Parked>, now: &Time) {
    let is_ours = |one: &ApplicationSetCondition| one.type_ == APPROVAL_NEEDED;
    let known = status.conditions.iter().find(|one| is_ours(one)).cloned();
    status.conditions.retain(|one| !is_ours(one));
    status.held = parked.map_or_else(Vec::new, |parked| parked.held.listed());
    let Some(parked) = parked else { return };
    let message = message(set, parked);
    let since = known.filter(|known| known.message == message);
    status.conditions.push(ApplicationSetCondition {
        type_: APPROVAL_NEEDED.to_owned(),
        status: "True".to_owned(),
        reason: APPROVAL_NEEDED.to_owned(),
        message,
        last_transition_time: since
            .map_or_else(|| Some(now.clone()), |known| known.last_transition_time),
    });
    status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
}

/// What would go and why it waits; its last word is the plan's hash.
fn message(set: &str, parked: &Parked) -> String {
    let part = |verb: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{verb} {} ({})", names.len(), list(names)))
    };
    let parts = [part("delete", &parked.deletes), part("move", &parked.moves)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!(
        "{}this change would {} of {} Applications and waits; approve it with `argosy appset approve {set} --plan {}`",
        because(parked),
        parts.join(" and "),
        parked.owned,
        parked.hash
    )
}

fn because(parked: &Parked) -> String {
    match parked.emptied.as_slice() {
        [] if parked.is_remainder => "what is left of a larger change waits, too; ".to_owned(),
        [] => String::new(),
        [one] => format!("{one} yields nothing any more; "),
        several => format!("{} yield nothing any more; ", list(several)),
    }
}

fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(deletes: usize) -> Parked {
        let deletes: Vec<String> = (0..deletes).map(|n| format!("a{n}")).collect();
        Parked {
            hash: "0123456789abcdef".to_owned(),
            held: Held::These(deletes.iter().cloned().collect()),
            deletes,
            moves: Vec::new(),
            owned: 20,
            emptied: Vec::new(),
            is_remainder: false,
        }
    }

    fn told(parked: Option<&Parked>) -> ApplicationSet {
        let mut status = ApplicationSetStatus::default();
        put(
            &mut status,
            "fleet",
            parked,
            &Time(jiff::Timestamp::UNIX_EPOCH),
        );
        ApplicationSet {
            status: Some(status),
            ..ApplicationSet::default()
        }
    }

    #[test]
    fn a_status_remembers_what_waits_and_names_the_plan() {
        let set = told(Some(&parked(12)));
        assert_eq!(Held::of(&set), parked(12).held);
        assert!(waits_for(&set, "0123456789abcdef"));
        assert!(!waits_for(&set, "0123456789abcde") && !waits_for(&set, ""));
        let message = &waiting(&set).expect("a condition").message;
        assert!(message.contains("delete 12 (a0, a1, a2"), "{message}");
        assert!(message.contains("a9 and 2 more) of 20"), "{message}");
    }

    #[test]
    fn nothing_is_remembered_once_nothing_waits() {
        let mut status = told(Some(&parked(2))).status.expect("a status");
        put(
            &mut status,
            "fleet",
            None,
            &Time(jiff::Timestamp::UNIX_EPOCH),
        );
        assert_eq!(status, ApplicationSetStatus::default());
        assert_eq!(Held::of(&told(None)), Held::default());
    }

    #[test]
    fn a_list_that_is_too_long_or_lost_holds_everything() {
        assert_eq!(Held::of(&told(Some(&parked(REMEMBERED + 1)))), Held::All);
        let mut set = told(Some(&parked(2)));
        set.status.as_mut().expect("a status").held.clear();
        assert_eq!(Held::of(&set), Held::All);
        assert!(Held::All.has_any_of(["a"].into_iter()));
        assert!(!Held::All.has_any_of([].into_iter()));
    }
}
