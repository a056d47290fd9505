//! What of a live object's change is worth a look at its application.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;
use serde_json::Value;

use crate::health;
use crate::ignore::Ignore;
use crate::overrides::Overrides;

/// A number that stays the same while nothing of the object changes but what `updates` ignores, and
/// its health does not change either. Bookkeeping of the API server never counts.
pub fn significance(
    object: &Value,
    updates: &Ignore,
    overrides: &Overrides,
    now: Timestamp,
) -> u64 {
    let mut rest = object.clone();
    updates.remove_from_live(&mut rest);
    if let Some(metadata) = rest["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    let mut hasher = DefaultHasher::new();
    // Also where there is nothing yet to ignore: what comes later must not be news by itself.
    if updates.concerns(object) {
        let health = health::assess(object, overrides, now);
        let shown =
            health.map(|health| health.map(|health| (health.status.as_str(), health.message)));
        shown.unwrap_or_default().hash(&mut hasher);
    }
    rest.to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn number(object: &Value, settings: &[(&str, &str)]) -> u64 {
        let data: BTreeMap<_, _> = settings
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        let overrides = Overrides::from_config_map(&data).expect("settings");
        let updates = Ignore::of_updates(&overrides);
        significance(object, &updates, &overrides, Timestamp::UNIX_EPOCH)
    }

    fn deployment(version: &str, ready: u64, replicas: u64) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "w", "resourceVersion": version, "generation": 1},
            "spec": {"replicas": replicas},
            "status": {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
                       "availableReplicas": ready, "note": version}})
    }

    #[test]
    fn bookkeeping_never_counts_and_all_else_does() {
        let quiet =
            |version: &str| json!({"kind": "ConfigMap", "metadata": {"resourceVersion": version}});
        assert_eq!(number(&quiet("1"), &[]), number(&quiet("2"), &[]));
        assert_ne!(
            number(&deployment("1", 1, 1), &[]),
            number(&deployment("2", 1, 1), &[])
        );
    }

    #[test]
    fn what_is_ignored_counts_only_where_it_turns_the_health() {
        let key = "resource.customizations.ignoreResourceUpdates.apps_Deployment";
        let settings = [(key, "jsonPointers: [/status]")];
        let of = |version, ready| number(&deployment(version, ready, 2), &settings);
        assert_eq!(of("1", 2), of("2", 2));
        assert_ne!(of("1", 2), of("2", 1), "it is not healthy any more");
        let mut bare = deployment("1", 2, 2);
        let noise = [(key, "jsonPointers: [/spec/noise]")];
        let before = number(&bare, &noise);
        bare["spec"]["noise"] = json!(1);
        assert_eq!(number(&bare, &noise), before, "it came, and is ignored");
        let other = number(&deployment("1", 3, 3), &settings);
        assert_ne!(of("1", 2), other);
    }

    #[test]
    fn what_no_comparison_looks_at_wakes_nobody_unless_it_is_asked_for() {
        let key = "resource.customizations.ignoreDifferences.all";
        let rule = (key, "jsonPointers: [/spec/replicas, /status]");
        let of = |replicas, settings: &[(&str, &str)]| {
            number(&deployment("1", replicas, replicas), settings)
        };
        assert_eq!(of(1, &[rule]), of(2, &[rule]));
        let off = (
            "resource.compareoptions",
            "ignoreDifferencesOnResourceUpdates: false",
        );
        assert_ne!(of(1, &[rule, off]), of(2, &[rule, off]));
    }
}
