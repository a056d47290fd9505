//! Which objects the admission webhooks of a cluster look at.
//!
//! A webhook's selectors and conditions are not read: an object that it would let pass unseen counts
//! as one that it looks at, which costs a request and decides nothing.

use serde_json::Value;

/// The admission webhooks of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Of those that can be asked without consequences.
    askable: Vec<Rule>,
    /// Of those that change objects; `None` where nobody knows.
    mutating: Option<Vec<Rule>>,
}

/// Which kinds a webhook looks at when they are created or updated. `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
}

impl Webhooks {
    /// Reads `ValidatingWebhookConfiguration`s and `MutatingWebhookConfiguration`s. The default is
    /// what is known where a cluster does not tell.
    pub fn read(validating: &[Value], mutating: &[Value]) -> Self {
        let all = validating.iter().chain(mutating);
        Self {
            askable: rules(all.flat_map(webhooks).filter(|one| is_askable(one))),
            mutating: Some(rules(mutating.iter().flat_map(webhooks))),
        }
    }

    /// Whether a webhook that can be asked looks at the objects of a kind, by its API group and
    /// plural. The version does not count: a webhook is asked about an object in any version of its
    /// kind.
    pub fn look_at(&self, group: &str, plural: &str) -> bool {
        self.askable.iter().any(|rule| rule.names(group, plural))
    }

    /// Whether a webhook may add what is missing in an object of a kind.
    pub fn may_complete(&self, group: &str, plural: &str) -> bool {
        let rules = self.mutating.as_ref();
        rules.is_none_or(|rules| rules.iter().any(|rule| rule.names(group, plural)))
    }
}

fn webhooks(configuration: &Value) -> impl Iterator<Item = &Value> {
    items(&configuration["webhooks"])
}

/// A webhook with side effects refuses every dry run.
fn is_askable(webhook: &Value) -> bool {
    let side_effects = webhook["sideEffects"].as_str();
    matches!(side_effects, Some("None" | "NoneOnDryRun"))
}

fn rules<'a>(webhooks: impl Iterator<Item = &'a Value>) -> Vec<Rule> {
    let rules = webhooks.flat_map(|webhook| items(&webhook["rules"]));
    rules.filter_map(Rule::read).collect()
}

impl Rule {
    fn names(&self, group: &str, plural: &str) -> bool {
        let names = |list: &[String], name: &str| list.iter().any(|one| one == "*" || one == name);
        names(&self.groups, group) && names(&self.resources, plural)
    }

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

    fn configuration(side_effects: &str, operations: &[&str], resources: &[&str]) -> Value {
        json!({"webhooks": [{
            "name": "policy.example.com", "sideEffects": side_effects,
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": operations,
                       "resources": resources}],
        }]})
    }

    fn webhooks(side_effects: &str, operations: &[&str], resources: &[&str]) -> Webhooks {
        Webhooks::read(&[configuration(side_effects, operations, resources)], &[])
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
            Webhooks::read(&[json!({"webhooks": null}), json!(1)], &[]),
        ] {
            assert_eq!(nobody, Webhooks::read(&[], &[]));
        }
    }

    #[test]
    fn what_is_missing_may_be_added_by_webhooks_that_change_objects() {
        let some = configuration("Some", &["CREATE"], &["deployments"]);
        let mutating = Webhooks::read(&[], std::slice::from_ref(&some));
        assert!(mutating.may_complete("apps", "deployments"));
        assert!(!mutating.may_complete("apps", "statefulsets"));
        assert!(!Webhooks::read(&[some], &[]).may_complete("apps", "deployments"));
        let unknown = Webhooks::default();
        assert!(unknown.may_complete("apps", "statefulsets"));
        assert!(!unknown.look_at("apps", "statefulsets"));
    }
}
