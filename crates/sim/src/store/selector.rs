//! Label and field selectors: what a list or watch leaves out.

use serde_json::Value;

use super::failure::Failure;
use super::object::{at, get_text};
use crate::registry::Kind;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
    Greater(String, i64),
    Less(String, i64),
}

/// All conditions an object must meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Label>,
    /// Path, value, and whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    pub(crate) fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Failure> {
        let unable = |text: &str| {
            Failure::bad_request(format!("unable to parse requirement: {}", complaint(text)))
        };
        let mut selector = Self::default();
        for part in split_outside_parentheses(labels) {
            selector
                .labels
                .push(label(part).ok_or_else(|| unable(part))?);
        }
        for part in fields
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = part.split_once("==") {
                (path, value, true)
            } else if let Some((path, value)) = part.split_once('=') {
                (path, value, true)
            } else {
                let message = format!("invalid selector: '{fields}'; can't understand '{part}'");
                return Err(Failure::bad_request(message));
            };
            if !selectable(kind, path) {
                let message = if kind.custom.is_some() || !own_fields(kind).is_empty() {
                    format!("field label not supported: {path}")
                } else {
                    format!(
                        "{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    )
                };
                return Err(Failure::bad_request(message));
            }
            selector
                .fields
                .push((path.to_owned(), value.to_owned(), equal));
        }
        Ok(selector)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|label| holds(label, labels))
            && self.fields.iter().all(|(path, wanted, equal)| {
                let path: Vec<_> = path.split('.').collect();
                let found = match at(object, &path) {
                    Some(Value::String(text)) => text.clone(),
                    Some(value) => value.to_string(),
                    None if path == ["spec", "unschedulable"] => "false".to_owned(),
                    None => String::new(),
                };
                (found == *wanted) == *equal
            })
    }
}

/// Whether `labels` meet a `LabelSelector` object (`matchLabels`, `matchExpressions`).
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object();
    let expressions = selector["matchExpressions"].as_array();
    equal
        .into_iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value))
        && expressions.into_iter().flatten().all(|expression| {
            let key = get_text(expression, &["key"]).to_owned();
            let values = expression["values"].as_array().into_iter().flatten();
            let values = values
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            let label = match get_text(expression, &["operator"]) {
                "In" => Label::In(key, values),
                "NotIn" => Label::NotIn(key, values),
                "Exists" => Label::Exists(key),
                _ => Label::Missing(key),
            };
            holds(&label, labels)
        })
}

fn holds(label: &Label, labels: &Value) -> bool {
    let value = |key: &str| labels.get(key).and_then(Value::as_str);
    let number = |key: &str| value(key).and_then(|text| text.parse::<i64>().ok());
    match label {
        Label::In(key, values) => value(key).is_some_and(|v| values.iter().any(|w| w == v)),
        Label::NotIn(key, values) => value(key).is_none_or(|v| values.iter().all(|w| w != v)),
        Label::Exists(key) => value(key).is_some(),
        Label::Missing(key) => value(key).is_none(),
        Label::Greater(key, than) => number(key).is_some_and(|n| n > *than),
        Label::Less(key, than) => number(key).is_some_and(|n| n < *than),
    }
}

fn label(part: &str) -> Option<Label> {
    let own = |text: &str| text.trim().to_owned();
    if let Some((key, values)) = part.split_once('(') {
        let values = values.strip_suffix(')')?.split(',').map(own).collect();
        let mut words = key.split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        return match operator {
            "in" => Some(Label::In(key.to_owned(), values)),
            "notin" => Some(Label::NotIn(key.to_owned(), values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Label::NotIn(own(key), vec![own(value)]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Label::In(own(key), vec![own(value)]));
    }
    if let Some((key, value)) = part.split_once('>') {
        return Some(Label::Greater(own(key), value.trim().parse().ok()?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return Some(Label::Less(own(key), value.trim().parse().ok()?));
    }
    match part.strip_prefix('!') {
        Some(key) => Some(Label::Missing(own(key))),
        None if part.contains(char::is_whitespace) => None,
        None => Some(Label::Exists(own(part))),
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
    .collect()
}

/// What a selector's reader stumbles over.
fn complaint(part: &str) -> String {
    let mut words = part.split_whitespace().skip(1);
    match words.next() {
        Some("in" | "notin") => format!("found '{}' expected: '('", words.next().unwrap_or("")),
        word => {
            let word = word.unwrap_or(part).trim_end_matches('!');
            format!("found '{word}', expected: in, notin, =, ==, !=, gt, lt")
        }
    }
}

fn selectable(kind: &Kind, path: &str) -> bool {
    path == "metadata.name"
        || (path == "metadata.namespace" && kind.namespaced)
        || own_fields(kind).contains(&path)
}

/// The fields that a kind can be selected by besides name and namespace.
fn own_fields(kind: &Kind) -> &'static [&'static str] {
    match kind.kind.as_str() {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Secret" => &["type"],
        "Namespace" => &["status.phase", "name"],
        "Node" => &["spec.unschedulable"],
        "Service" => &["spec.clusterIP", "spec.type"],
        "ReplicaSet" | "ReplicationController" => &["status.replicas"],
        "Job" => &["status.successful"],
        "CertificateSigningRequest" => &["spec.signerName"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(text: &str, labels: &Value) -> bool {
        let parts = split_outside_parentheses(text);
        parts
            .iter()
            .all(|part| holds(&label(part).unwrap(), labels))
    }

    #[test]
    fn label_selectors_read_every_form() {
        let labels = json!({"app": "web", "tier": "front", "weight": "3"});
        for text in [
            "app=web",
            "app==web,tier!=back",
            "app in (web, api)",
            "!gone",
            "weight>2",
        ] {
            assert!(matches(text, &labels), "{text}");
        }
        for text in ["app!=web", "app notin (web)", "gone", "!app", "weight<2"] {
            assert!(!matches(text, &labels), "{text}");
        }
    }
}
