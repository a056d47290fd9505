//! Which objects the admission webhooks of a cluster look at.
//!
//! A webhook's selectors and conditions are not read: an object that it would let pass unseen counts
//! as one that it looks at, which costs a request and decides nothing.

use serde_json::Value;

/// The admission webhooks of a cluster, as far as they can be asked without consequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    rules: Vec<Rule>,
}

/// Which kinds a webhook looks at when they are created or updated. `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
}

impl Webhooks {
    /// Reads `ValidatingWebhookConfiguration`s and `MutatingWebhookConfiguration`s. A webhook with
    /// side effects refuses every dry run and is left out.
    pub fn read<'a>(configurations: impl IntoIterator<Item = &'a Value>) -> Self {
        let webhooks = configurations
            .into_iter()
            .flat_map(|one| items(&one["webhooks"]));
        let harmless = webhooks.filter(|webhook| {
            matches!(
                webhook["sideEffects"].as_str(),
                Some("None" | "NoneOnDryRun")
            )
        });
        let rules = harmless.flat_map(|webhook| items(&webhook["rules"]));
        Self {
            rules: rules.filter_map(Rule::read).collect(),
        }
    }

    /// Whether a webhook looks at the objects of a kind, by its API group and plural. The version
    /// does not count: a webhook is asked about an object in any version of its kind.
    pub fn look_at(&self, group: &str, plural: &str) -> bool {
        let names = |list: &[String], name: &str| list.iter().any(|one| one == "*" || one == name);
        self.rules
            .iter()
            .any(|rule| names(&rule.groups, group) && names(&rule.resources, plural))
    }
}

impl Rule {
    fn read(rule: &Value) -> Option<Self> {
        let is_of_writes = texts(&rule["operations"])
            .any(|operation| matches!(operation, "*" | "CREATE" | "UPDATE"));
        let resources = texts(&rule["resources"]).map(|one| match one {
            "*/*" => "*".to_owned(),
            other => other.to_owned(),
        });
        is_of_writes.then(|| Self {
            groups: texts(&rule["apiGroups"]).map(str::to_owned).collect(),
            resources: resources.collect(),
        })
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    items(list).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhooks(side_effects: &str, operations: &[&str], resources: &[&str]) -> Webhooks {
        Webhooks::read(&[json!({"webhooks": [{
            "name": "policy.example.com", "sideEffects": side_effects,
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": operations,
                       "resources": resources}],
        }]})])
    }

    #[test]
    fn webhooks_look_at_the_kinds_of_their_rules() {
        let some = webhooks("None", &["CREATE"], &["deployments", "deployments/scale"]);
        assert!(some.look_at("apps", "deployments"));
        assert!(!some.look_at("apps", "statefulsets"));
        assert!(!some.look_at("", "deployments"));
        for any in ["*", "*/*"] {
            assert!(webhooks("NoneOnDryRun", &["*"], &[any]).look_at("apps", "statefulsets"));
        }
        let scale = webhooks("None", &["UPDATE"], &["deployments/scale"]);
        assert!(!scale.look_at("apps", "deployments"));
    }

    #[test]
    fn what_cannot_be_asked_or_is_about_something_else_does_not_count() {
        for nobody in [
            webhooks("Some", &["CREATE"], &["deployments"]),
            webhooks("Unknown", &["CREATE"], &["deployments"]),
            webhooks("None", &["DELETE", "CONNECT"], &["deployments"]),
            Webhooks::read(&[json!({"webhooks": null}), json!(1)]),
        ] {
            assert_eq!(nobody, Webhooks::default());
        }
    }
}
