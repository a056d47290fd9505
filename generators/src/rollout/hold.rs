//! What a rollout takes from the Applications that it syncs: their own will to sync.

use argosy_crds::Application;
use argosy_crds::names::annotation;

/// The value of the annotation: drift is healed at the revision that was synced last.
const CURRENT: &str = "current";

/// Turns off automated syncs, as Argo CD does. Where drift would have been healed it still is, at
/// the revision that the Application was synced to last; an annotation says so, because the spec
/// cannot.
pub(crate) fn hold(app: &mut Application) {
    let policy = app.spec.sync_policy.as_mut();
    let Some(automated) = policy.and_then(|policy| policy.automated.as_mut()) else {
        return;
    };
    let heals = automated.enabled != Some(false) && automated.self_heals();
    automated.enabled = Some(false);
    if heals {
        let annotations = app.metadata.annotations.get_or_insert_default();
        annotations.insert(annotation::SELF_HEAL.to_owned(), CURRENT.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn held(policy: &Value) -> (Value, bool) {
        let app = json!({"metadata": {"name": "web"}, "spec": {"syncPolicy": policy}});
        let mut app: Application = serde_json::from_value(app).expect("an Application");
        hold(&mut app);
        let heals = app.annotation(annotation::SELF_HEAL).is_some();
        let policy = serde_json::to_value(&app.spec.sync_policy).expect("a policy");
        (policy["automated"].clone(), heals)
    }

    #[test]
    fn automation_is_off_and_only_what_healed_itself_goes_on_healing() {
        let on = held(&json!({"automated": {"selfHeal": true, "prune": true}}));
        assert_eq!(
            on,
            (
                json!({"enabled": false, "prune": true, "selfHeal": true}),
                true
            )
        );
        let off = held(&json!({"automated": {"selfHeal": true, "enabled": false}}));
        assert!(!off.1);
        assert!(!held(&json!({"automated": {}})).1);
        assert_eq!(
            held(&json!({"syncOptions": ["Validate=false"]})).0,
            Value::Null
        );
    }
}
