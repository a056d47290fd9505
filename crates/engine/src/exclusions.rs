//! `resource.exclusions` and `resource.inclusions`: which kinds of which clusters are looked at.
//!
//! A kind that is excluded is neither applied nor compared nor pruned.

use std::collections::BTreeMap;

use argosy_glob::gobwas::Glob;
use serde_json::Value;

use crate::object::GroupKind;

/// What is never looked at unless `resource.inclusions` is all that counts: events and leases come
/// and go by the thousand, and metrics are no objects.
const ALWAYS: [(&str, &str); 4] = [
    ("events.k8s.io", "*"),
    ("metrics.k8s.io", "*"),
    ("", "Event"),
    ("coordination.k8s.io", "Lease"),
];

/// Why the lists cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not YAML.
    #[error("key `{key}` is not YAML: {why}")]
    Yaml {
        /// The key of the ConfigMap.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// It is not a list of rules.
    #[error("key `{key}` is not a list of rules with apiGroups, kinds and clusters")]
    Shape {
        /// The key of the ConfigMap.
        key: &'static str,
    },
    /// A pattern is not one.
    #[error("key `{key}`: `{pattern}` is not a pattern")]
    Pattern {
        /// The key of the ConfigMap.
        key: &'static str,
        /// The pattern.
        pattern: String,
    },
}

/// The rules of a hub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusions {
    exclusions: Vec<Rule>,
    inclusions: Vec<Rule>,
}

/// A rule; an empty list matches everything.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    groups: Vec<String>,
    kinds: Vec<String>,
    clusters: Vec<String>,
}

impl Exclusions {
    /// Reads both keys of `argocd-cm`.
    pub fn from_config_map(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        Ok(Self {
            exclusions: read(data, "resource.exclusions")?,
            inclusions: read(data, "resource.inclusions")?,
        })
    }

    /// Whether objects of the kind on the cluster are kept out of sight.
    pub fn excludes(&self, kind: &GroupKind, server: &str) -> bool {
        let always = ALWAYS
            .iter()
            .any(|(group, name)| *group == kind.group && (*name == "*" || *name == kind.kind));
        let listed = |rules: &[Rule]| rules.iter().any(|rule| rule.matches(kind, server));
        always
            || listed(&self.exclusions)
            || !self.inclusions.is_empty() && !listed(&self.inclusions)
    }
}

impl Rule {
    fn matches(&self, kind: &GroupKind, server: &str) -> bool {
        let any = |patterns: &[String], text: &str| {
            patterns.is_empty()
                || patterns.iter().any(|pattern| {
                    Glob::compile(pattern, &[]).is_ok_and(|glob| glob.is_match(text))
                })
        };
        any(&self.groups, &kind.group)
            && any(&self.kinds, &kind.kind)
            && any(&self.clusters, server)
    }
}

fn read(data: &BTreeMap<String, String>, key: &'static str) -> Result<Vec<Rule>, Error> {
    let Some(text) = data.get(key) else {
        return Ok(Vec::new());
    };
    let value = argosy_yaml::from_str(text).map_err(|error| Error::Yaml {
        key,
        why: error.to_string(),
    })?;
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(rules) => rules.iter().map(|rule| read_rule(key, rule)).collect(),
        _ => Err(Error::Shape { key }),
    }
}

fn read_rule(key: &'static str, rule: &Value) -> Result<Rule, Error> {
    let list = |field: &str| match rule.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or(Error::Shape { key }))
            .collect(),
        Some(_) => Err(Error::Shape { key }),
    };
    let rule = Rule {
        groups: list("apiGroups")?,
        kinds: list("kinds")?,
        clusters: list("clusters")?,
    };
    for pattern in rule.groups.iter().chain(&rule.kinds).chain(&rule.clusters) {
        if Glob::compile(pattern, &[]).is_err() {
            return Err(Error::Pattern {
                key,
                pattern: pattern.clone(),
            });
        }
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(exclusions: &str, inclusions: &str) -> Exclusions {
        let data = [
            ("resource.exclusions", exclusions),
            ("resource.inclusions", inclusions),
        ];
        let data = data.into_iter().filter(|(_, text)| !text.is_empty());
        let data = data
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect();
        Exclusions::from_config_map(&data).unwrap()
    }

    #[test]
    fn events_are_never_looked_at() {
        let rules = rules("", "");
        assert!(rules.excludes(&GroupKind::new("", "Event"), "https://a"));
        assert!(!rules.excludes(&GroupKind::new("", "Service"), "https://a"));
    }

    #[test]
    fn a_rule_may_be_for_some_clusters_alone() {
        let rules = rules(
            "- apiGroups: ['cilium.io']\n  kinds: ['*']\n  clusters: ['https://a*']",
            "",
        );
        let kind = GroupKind::new("cilium.io", "CiliumIdentity");
        assert!(rules.excludes(&kind, "https://abc"));
        assert!(!rules.excludes(&kind, "https://b"));
    }

    #[test]
    fn inclusions_leave_the_rest_out() {
        let rules = rules("", "- apiGroups: ['apps']\n  kinds: [Deployment]");
        assert!(!rules.excludes(&GroupKind::new("apps", "Deployment"), "https://a"));
        assert!(rules.excludes(&GroupKind::new("apps", "StatefulSet"), "https://a"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let data = BTreeMap::from([("resource.exclusions".to_owned(), "apiGroups: []".to_owned())]);
        assert!(Exclusions::from_config_map(&data).is_err());
    }
}
