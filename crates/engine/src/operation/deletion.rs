//! Taking an application's resources down, the highest wave first.

use std::fmt;
use std::time::Duration;

use argosy_facts::Complete;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::object::{ObjectExt, ResourceKey, is_hook, names};
use crate::sync::{Consent, SyncOptions};

/// What to do about the resources of an application that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Objects are on their way out; nothing else is deleted meanwhile.
    WaitFor(Vec<ResourceKey>),
    /// Objects that a person has to approve first; nothing is deleted before.
    Confirm(Vec<ResourceKey>),
    /// Delete these, all at once.
    Delete(Vec<ResourceKey>),
    /// Nothing is left to delete.
    Done {
        /// What stays behind on purpose.
        kept: Vec<ResourceKey>,
    },
}

/// Decides the next step of a cascade.
///
/// `live` is what the cluster is known to hold of the application, completely; an application that
/// manages itself is passed as `own`, so that it does not wait for its own end.
pub fn next_deletion(
    live: &Complete<Vec<Value>>,
    options: &SyncOptions,
    own: Option<&ResourceKey>,
    approved: bool,
) -> Deletion {
    let objects: Vec<&Value> = live
        .get()
        .iter()
        .filter(|object| own != Some(&object.resource_key()) && !is_hook(object))
        .collect();
    let (kept, going): (Vec<&Value>, Vec<&Value>) = objects
        .into_iter()
        .partition(|object| is_kept(object, options));
    let keys = |objects: &[&Value]| -> Vec<ResourceKey> {
        let mut keys: Vec<_> = objects.iter().map(|object| object.resource_key()).collect();
        keys.sort();
        keys
    };
    let select = |holds: &dyn Fn(&Value) -> bool| -> Vec<&Value> {
        going
            .iter()
            .copied()
            .filter(|object| holds(object))
            .collect()
    };
    if going.is_empty() {
        return Deletion::Done { kept: keys(&kept) };
    }
    let unapproved = select(&|object| options.delete_consent(object) == Consent::Confirm);
    if !approved && !unapproved.is_empty() {
        return Deletion::Confirm(keys(&unapproved));
    }
    let leaving = select(&|object| object.is_terminating());
    if !leaving.is_empty() {
        return Deletion::WaitFor(keys(&leaving));
    }
    let highest = going.iter().map(|object| object.sync_wave()).max();
    Deletion::Delete(keys(&select(&|object| Some(object.sync_wave()) == highest)))
}

/// What the deletion of an application may take with it of other applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// How many it may delete without a person's word.
    pub max_applications: usize,
    /// For how long an application that would take others with it waits, so that somebody who did
    /// not mean that can still keep them.
    pub undo: Duration,
}

impl Default for Cascade {
    fn default() -> Self {
        Self {
            max_applications: 20,
            undo: Duration::ZERO,
        }
    }
}

/// Why a deletion that would take other applications with it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// They are more than may go without a person's word.
    Many {
        /// How many there are.
        applications: usize,
        /// How many may go.
        max: usize,
    },
    /// Somebody may still want to keep them.
    Until {
        /// How many there are.
        applications: usize,
        /// When they go.
        at: Timestamp,
    },
}

impl Cascade {
    /// Why what the cluster holds of an application, as [`next_deletion`] takes it, may not go yet;
    /// `deleted` is when the deletion of the application began, and `of_set` tells how many
    /// applications the set of a namespace and name has, which go with it. A person's approval is for
    /// all of it and ends the wait, too.
    pub fn hold(
        &self,
        (live, options, own): (&Complete<Vec<Value>>, &SyncOptions, Option<&ResourceKey>),
        of_set: impl Fn(&str, &str) -> usize,
        deleted: Timestamp,
        now: Timestamp,
        approved: bool,
    ) -> Option<Held> {
        let goes = |object: &&Value| {
            object.group() == argosy_crds::names::GROUP
                && own != Some(&object.resource_key())
                && !is_kept(object, options)
                && !object.is_terminating()
        };
        let brings = |object: &Value| match object.kind() {
            "Application" => 1,
            "ApplicationSet" => of_set(object.namespace(), object.name()),
            _ => 0,
        };
        let applications: usize = live.get().iter().filter(goes).map(brings).sum();
        if approved || applications == 0 {
            return None;
        }
        let max = self.max_applications;
        if applications > max {
            return Some(Held::Many { applications, max });
        }
        let at = deleted.saturating_add(self.undo).unwrap_or(Timestamp::MAX);
        (now < at).then_some(Held::Until { applications, at })
    }
}

/// How long an object may be on its way out before its finalizers are told of; usually they go at
/// once.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// An object that has been on its way out for long, because of finalizers that are for others to
/// remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldByFinalizers {
    /// The object.
    pub key: ResourceKey,
    /// The finalizers.
    pub finalizers: Vec<String>,
}

impl fmt::Display for HeldByFinalizers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finalizers = self.finalizers.join(", ");
        write!(
            f,
            "{} is being deleted and waits for whoever removes its finalizer {finalizers}",
            self.key
        )
    }
}

/// Those of the objects `leaving` that have been waiting for finalizers of others for long.
pub fn held_by_finalizers(
    live: &[Value],
    leaving: &[ResourceKey],
    now: Timestamp,
) -> Vec<HeldByFinalizers> {
    let is_due = |object: &&Value| {
        let deleted = object["metadata"]["deletionTimestamp"].as_str();
        let deleted = deleted.and_then(|at| at.parse::<Timestamp>().ok());
        deleted.is_some_and(|at| now.duration_since(at) >= PATIENCE)
    };
    let held = live.iter().filter(is_due).filter_map(|object| {
        let key = object.resource_key();
        let finalizers: Vec<_> = object
            .finalizers()
            .filter(|finalizer| !matches!(*finalizer, "foregroundDeletion" | "orphan"))
            .map(str::to_owned)
            .collect();
        let is_held = leaving.contains(&key) && !finalizers.is_empty();
        is_held.then_some(HeldByFinalizers { key, finalizers })
    });
    held.collect()
}

/// CRDs stay, since their objects of other applications would go with them.
fn is_kept(object: &Value, options: &SyncOptions) -> bool {
    object.is_crd()
        || options.delete_consent(object) == Consent::Refused
        || object.annotation(names::HELM_RESOURCE_POLICY) == Some("keep")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, wave: &str, options: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name,
            "annotations": {names::SYNC_WAVE: wave, names::SYNC_OPTIONS: options}}})
    }

    fn step(objects: &[Value], approved: bool) -> Deletion {
        let live = Complete::vouch(objects.to_vec());
        next_deletion(&live, &SyncOptions::default(), None, approved)
    }

    fn key(name: &str) -> Vec<ResourceKey> {
        vec![ResourceKey::new("", "ConfigMap", "", name)]
    }

    #[test]
    fn finalizers_of_others_are_told_after_a_while() {
        let leaving = |name: &str, finalizer: &str| {
            let mut object = object(name, "0", "");
            object["metadata"]["deletionTimestamp"] = json!("2026-03-04T05:06:07Z");
            object["metadata"]["finalizers"] = json!([finalizer]);
            object
        };
        let live = [
            leaving("held", "example.com/held"),
            leaving("going", "foregroundDeletion"),
        ];
        let keys: Vec<_> = live.iter().map(ObjectExt::resource_key).collect();
        let told = |now: &str| {
            let held = held_by_finalizers(&live, &keys, now.parse().unwrap());
            held.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(told("2026-03-04T05:06:10Z").is_empty());
        let expected = "/ConfigMap//held is being deleted and waits for whoever removes its \
                        finalizer example.com/held";
        assert_eq!(told("2026-03-04T05:06:20Z"), [expected]);
    }

    #[test]
    fn many_applications_go_with_a_person_s_word_and_few_when_nobody_can_have_meant_otherwise() {
        let named = |kind: &str, name: &str| {
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind,
                "metadata": {"namespace": "argocd", "name": name}})
        };
        // The first is the parent itself, and a set brings two.
        let brought = [
            named("Application", "parent"),
            named("Application", "single"),
            named("ApplicationSet", "pair"),
            named("Application", "another"),
        ];
        let cascade = Cascade {
            max_applications: 3,
            undo: Duration::from_mins(10),
        };
        let deleted: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        let own = ResourceKey::new("argoproj.io", "Application", "argocd", "parent");
        let hold = |objects: usize, after: u64, approved: bool| {
            let live = brought.iter().take(1 + objects).cloned();
            let live = live.chain([object("other", "0", "")]);
            let live = Complete::vouch(live.collect::<Vec<_>>());
            let now = deleted + Duration::from_secs(after);
            let options = SyncOptions::default();
            let of_set = |_: &str, name: &str| usize::from(name == "pair") * 2;
            cascade.hold(
                (&live, &options, Some(&own)),
                of_set,
                deleted,
                now,
                approved,
            )
        };
        let (applications, max) = (4, 3);
        assert_eq!(hold(3, 9999, false), Some(Held::Many { applications, max }));
        assert_eq!(hold(3, 0, true), None);
        let at = "2026-03-04T05:16:07Z".parse().unwrap();
        let applications = 3;
        assert_eq!(hold(2, 599, false), Some(Held::Until { applications, at }));
        assert_eq!(hold(2, 600, false), None);
        assert_eq!(hold(0, 0, false), None);
    }

    #[test]
    fn the_highest_wave_goes_first_and_is_waited_for() {
        let low = object("low", "-1", "");
        let mut high = object("high", "2", "");
        assert_eq!(
            step(&[low.clone(), high.clone()], false),
            Deletion::Delete(key("high"))
        );
        high["metadata"]["deletionTimestamp"] = json!("2026-03-04T05:06:07Z");
        assert_eq!(
            step(&[low.clone(), high], false),
            Deletion::WaitFor(key("high"))
        );
        assert_eq!(step(&[low], false), Deletion::Delete(key("low")));
    }

    #[test]
    fn what_is_to_stay_stays_and_what_needs_a_person_waits() {
        let kept = object("kept", "9", "Delete=false");
        let asks = object("asks", "0", "Delete=confirm");
        assert_eq!(
            step(&[kept.clone(), asks.clone()], false),
            Deletion::Confirm(key("asks"))
        );
        assert_eq!(
            step(&[kept.clone(), asks], true),
            Deletion::Delete(key("asks"))
        );
        assert_eq!(step(&[kept], true), Deletion::Done { kept: key("kept") });
    }
}
