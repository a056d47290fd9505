//! Messages with holes: `{kind}`, `{.phase}`, `{message}` of the deciding condition, `{@Ready.reason}`,
//! and `{#conditions}` and `{#unmet}` for lists of them.

use serde_json::Value;

use super::rule::{at, conditions, text};

pub(super) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Hole { path: String, otherwise: String },
}

impl Template {
    /// Reads a message; `\n` is a line break, `{path|text}` says what stands for an absent value.
    pub(super) fn parse(source: &str) -> Self {
        let mut parts = Vec::new();
        let source = source.replace("\\n", "\n");
        let mut rest = source.as_str();
        while let Some((before, hole)) = rest.split_once('{') {
            let (hole, after) = hole.split_once('}').unwrap_or((hole, ""));
            let (path, otherwise) = hole.split_once('|').unwrap_or((hole, ""));
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Hole {
                path: path.to_owned(),
                otherwise: otherwise.to_owned(),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Self(parts)
    }

    pub(super) fn fill(&self, object: &Value, condition: Option<&Value>) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Hole { path, .. } if path == "#conditions" => numbered(object),
                Part::Hole { path, .. } if path == "#unmet" => unmet(object),
                Part::Hole { path, otherwise } => {
                    find(path, object, condition).map_or_else(|| otherwise.clone(), text)
                }
            })
            .collect()
    }
}

/// Every condition on a line of its own: place, type and status.
fn numbered(object: &Value) -> String {
    conditions(object)
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let part = |key: &str| one.get(key).map(text).unwrap_or_default();
            format!("{}: {} | {}\n", at + 1, part("type"), part("status"))
        })
        .collect::<Vec<_>>()
        .concat()
}

/// Every condition that is not true on a line of its own, with its reason.
fn unmet(object: &Value) -> String {
    conditions(object)
        .iter()
        .filter(|one| one["status"] != "True")
        .map(|one| {
            let part = |key: &str| one.get(key).map(text).unwrap_or_default();
            format!(
                "{} is {}, since {}. {}\n",
                part("type"),
                part("status"),
                part("reason"),
                part("message")
            )
        })
        .collect::<Vec<_>>()
        .concat()
}

fn find<'a>(path: &str, object: &'a Value, condition: Option<&'a Value>) -> Option<&'a Value> {
    if let Some((kind, field)) = path
        .strip_prefix('@')
        .and_then(|rest| rest.rsplit_once('.'))
    {
        return conditions(object)
            .iter()
            .find(|one| one["type"] == kind)?
            .get(field);
    }
    match condition {
        Some(condition) if !path.contains('.') && path != "kind" => condition.get(path),
        _ => at(object, path),
    }
}
