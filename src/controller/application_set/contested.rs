//! Names that two sets generate: the Application stays with the one that has it, and both are told.
//!
//! The other set refuses the name when it is planned; its owner would never hear of it, and so it
//! is noted here, until the other set has been looked at again. A restart finds all of them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argosy_crds::application_set::{ApplicationSetCondition, ApplicationSetStatus};
use argosy_crds::codes::appset_condition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::fleet::ObjectName;

/// An Application of one set that another generates, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    /// The set that has it.
    pub(super) owner: ObjectName,
    /// Its name.
    pub(super) application: String,
}

/// What each set generates and may not have.
#[derive(Debug, Default)]
pub(super) struct Contested {
    by_claimant: Mutex<BTreeMap<ObjectName, BTreeSet<Claim>>>,
}

impl Contested {
    /// Notes all that `claimant` was refused in favour of others; returns the sets for which that
    /// is news.
    pub(super) fn note(
        &self,
        claimant: &ObjectName,
        claims: &BTreeSet<Claim>,
    ) -> BTreeSet<ObjectName> {
        let mut all = self.lock();
        let before = if claims.is_empty() {
            all.remove(claimant)
        } else {
            all.insert(claimant.clone(), claims.clone())
        };
        let before = before.unwrap_or_default();
        let changed = before.symmetric_difference(claims);
        changed.map(|claim| claim.owner.clone()).collect()
    }

    /// The Applications of `owner` that other sets generate, with the first of those sets.
    fn of(&self, owner: &ObjectName) -> BTreeMap<String, ObjectName> {
        let all = self.lock();
        let mut found = BTreeMap::new();
        for (claimant, claims) in all.iter() {
            for claim in claims.iter().filter(|claim| claim.owner == *owner) {
                found
                    .entry(claim.application.clone())
                    .or_insert_with(|| claimant.clone());
            }
        }
        found
    }

    /// Puts the condition into the status of `owner`, or takes it out.
    pub(super) fn put(&self, status: &mut ApplicationSetStatus, owner: &ObjectName, now: &Time) {
        let is_ours = |one: &ApplicationSetCondition| one.type_ == appset_condition::NAME_CONTESTED;
        let known = status.conditions.iter().find(|one| is_ours(one)).cloned();
        status.conditions.retain(|one| !is_ours(one));
        let Some(message) = message(&self.of(owner)) else {
            return;
        };
        let since = known.filter(|known| known.message == message);
        status.conditions.push(ApplicationSetCondition {
            type_: appset_condition::NAME_CONTESTED.to_owned(),
            status: "True".to_owned(),
            reason: appset_condition::NAME_CONTESTED.to_owned(),
            message,
            last_transition_time: since
                .map_or_else(|| Some(now.clone()), |known| known.last_transition_time),
        });
        status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, BTreeSet<Claim>>> {
        self.by_claimant
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn message(contested: &BTreeMap<String, ObjectName>) -> Option<String> {
    let (application, other) = contested.first_key_value()?;
    let more = match contested.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!(
        "ApplicationSet {} generates application {application}, too{more}; it stays with this set, rename one of the two",
        other.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ObjectName {
        ObjectName::new("argocd", name)
    }

    fn claims(applications: &[&str]) -> BTreeSet<Claim> {
        let claim = |application: &&str| Claim {
            owner: name("first"),
            application: (*application).to_owned(),
        };
        applications.iter().map(claim).collect()
    }

    fn told(contested: &Contested) -> Option<String> {
        let mut status = ApplicationSetStatus::default();
        let now = Time(jiff::Timestamp::UNIX_EPOCH);
        contested.put(&mut status, &name("first"), &now);
        status.conditions.pop().map(|condition| condition.message)
    }

    #[test]
    fn the_owner_is_told_as_long_as_another_set_generates_the_name() {
        let contested = Contested::default();
        let first = BTreeSet::from([name("first")]);
        assert_eq!(contested.note(&name("second"), &claims(&["a", "b"])), first);
        assert_eq!(
            contested.note(&name("second"), &claims(&["a", "b"])),
            BTreeSet::new(),
            "that is no news"
        );
        assert_eq!(
            told(&contested).as_deref(),
            Some(
                "ApplicationSet second generates application a, too (and 1 more); it stays with this set, rename one of the two"
            )
        );
        assert_eq!(contested.note(&name("second"), &BTreeSet::new()), first);
        assert_eq!(told(&contested), None);
    }
}
