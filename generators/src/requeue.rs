//! When a set is looked at again although nothing was heard of.

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationSetGenerator;

/// Seconds after which a set that reads git is looked at again, unless the hub says otherwise.
pub const GIT: i64 = 180;
const CLUSTER_DECISION: i64 = 180;
const REMOTE_API: i64 = 1800;

/// Seconds after which the set's generators want to look again: the least of all of them, at any
/// depth; `None` if no generator polls. A generator with `requeueAfterSeconds: 0` never does, and
/// `git` is the interval of git generators that do not say.
pub fn after(set: &ApplicationSet, git: i64) -> Option<i64> {
    let entries = set.spec.generators.iter();
    entries.filter_map(|entry| of_entry(entry, git)).min()
}

fn of_entry(entry: &ApplicationSetGenerator, of_git: i64) -> Option<i64> {
    let seconds = |set: Option<i64>, default: i64| set.unwrap_or(default);
    let own = [
        entry
            .git
            .as_ref()
            .map(|git| seconds(git.requeue_after_seconds, of_git)),
        entry
            .scm_provider
            .as_ref()
            .map(|scm| seconds(scm.requeue_after_seconds, REMOTE_API)),
        entry
            .pull_request
            .as_ref()
            .map(|pull| seconds(pull.requeue_after_seconds, REMOTE_API)),
        entry
            .plugin
            .as_ref()
            .map(|plugin| seconds(plugin.requeue_after_seconds, REMOTE_API)),
        entry
            .cluster_decision_resource
            .as_ref()
            .map(|decision| seconds(decision.requeue_after_seconds, CLUSTER_DECISION)),
    ];
    let own = own.into_iter().flatten().filter(|&seconds| seconds > 0);
    let children = entry.children().filter_map(|child| of_entry(child, of_git));
    own.chain(children).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_eager_generator_decides() {
        let after_of = |generators: serde_json::Value| {
            let set = json!({"metadata": {}, "spec": {"generators": generators}});
            after(&serde_json::from_value(set).expect("a set"), GIT)
        };
        assert_eq!(after_of(json!([{"list": {}}, {"clusters": {}}])), None);
        assert_eq!(after_of(json!([{"git": {"requeueAfterSeconds": 0}}])), None);
        let children = json!([{"plugin": {}}, {"git": {"requeueAfterSeconds": 20}}]);
        assert_eq!(
            after_of(json!([{"git": {}}, {"matrix": {"generators": children}}])),
            Some(20)
        );
    }
}
