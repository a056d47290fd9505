//! Deleting a set whose Applications go in the reverse order of its steps.

use argosy_crds::{Application, ApplicationSet};
use jiff::{SignedDuration, Timestamp};

use super::steps::position;
use super::strategy;
use crate::plan::is_owned_by;

/// How long an Application may take to go before that is told as an error, as in Argo CD.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// What to do about a set that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Its Applications are gone: the set may go, too.
    Done,
    /// The last step that still has Applications goes.
    Step {
        /// Those to delete, sorted by name.
        delete: Vec<String>,
        /// Those that have been going for too long, sorted by name.
        stuck: Vec<String>,
    },
}

/// Whether deleting the set deletes the last step first.
pub fn deletes_in_reverse(set: &ApplicationSet) -> bool {
    let order = set.spec.strategy.as_ref();
    order.is_some_and(|order| order.deletion_order.eq_ignore_ascii_case("Reverse"))
        && strategy(set).is_some()
}

/// The next deletions of a set that goes in reverse: all Applications of the last step that has
/// any, and those that no step selects before all others. Steps are told by the labels that the
/// Applications have, because a generator may not answer any more.
pub fn deletion(set: &ApplicationSet, live: &[Application], now: Timestamp) -> Deletion {
    let Some(strategy) = strategy(set) else {
        return Deletion::Done;
    };
    let owned: Vec<_> = live.iter().filter(|app| is_owned_by(app, set)).collect();
    let Some(last) = owned.iter().map(|app| position(strategy, app)).max() else {
        return Deletion::Done;
    };
    let mut delete = Vec::new();
    let mut stuck = Vec::new();
    for app in owned {
        if position(strategy, app) != last {
            continue;
        }
        let name = app.metadata.name.clone().unwrap_or_default();
        match &app.metadata.deletion_timestamp {
            None => delete.push(name),
            Some(at) if now.duration_since(at.0) > PATIENCE => stuck.push(name),
            Some(_) => {}
        }
    }
    delete.sort();
    stuck.sort();
    Deletion::Step { delete, stuck }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set() -> ApplicationSet {
        let step = |env: &str| json!({"matchExpressions": [{"key": "env", "operator": "In", "values": [env]}]});
        let strategy = json!({"type": "RollingSync", "deletionOrder": "reverse",
            "rollingSync": {"steps": [step("dev"), step("prod")]}});
        let set =
            json!({"metadata": {"name": "fleet", "uid": "u"}, "spec": {"strategy": strategy}});
        serde_json::from_value(set).expect("a set")
    }

    fn app(name: &str, env: &str, going: Option<&str>) -> Application {
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "name": "fleet", "uid": "u", "controller": true});
        let metadata = json!({"name": name, "labels": {"env": env}, "ownerReferences": [owner],
            "deletionTimestamp": going});
        serde_json::from_value(json!({"metadata": metadata, "spec": {}})).expect("an Application")
    }

    #[test]
    fn the_last_step_goes_first_and_the_next_waits_until_it_is_gone() {
        let now = "2026-03-04T05:10:00Z".parse().expect("a time");
        assert!(deletes_in_reverse(&set()));
        let all = [
            app("d", "dev", None),
            app("p", "prod", None),
            app("x", "other", None),
        ];
        let step = |delete: &[&str], stuck: &[&str]| Deletion::Step {
            delete: delete.iter().map(ToString::to_string).collect(),
            stuck: stuck.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(deletion(&set(), &all, now), step(&["x"], &[]));
        let going = [
            app("d", "dev", None),
            app("p", "prod", Some("2026-03-04T05:09:00Z")),
        ];
        assert_eq!(deletion(&set(), &going, now), step(&[], &[]));
        let stuck = [
            app("d", "dev", None),
            app("p", "prod", Some("2026-03-04T05:07:00Z")),
        ];
        assert_eq!(deletion(&set(), &stuck, now), step(&[], &["p"]));
        assert_eq!(deletion(&set(), &all[..1], now), step(&["d"], &[]));
        assert_eq!(deletion(&set(), &[], now), Deletion::Done);
    }
}
