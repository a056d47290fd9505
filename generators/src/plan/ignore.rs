//! `ignoreApplicationDifferences`: fields whose live values survive.

use argosy_crds::Application;
use argosy_crds::application_set::ApplicationSetIgnoreDifferences;
use serde_json::{Map, Value};

use crate::typed;

/// Turns a jq path expression into the JSON pointers that it selects in an object.
pub type JqPaths<'a> = dyn Fn(&str, &Value) -> Result<Vec<String>, String> + 'a;

/// An ignored field that cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// The expression is wrong.
    #[error("the jq path expression `{expression}` fails: {problem}")]
    Expression {
        /// The expression.
        expression: String,
        /// What is wrong.
        problem: String,
    },
    /// The Application with its live fields is none any more.
    #[error("the live fields do not fit: {0}")]
    Unfit(String),
}

/// Puts the live values of ignored fields into `merged`; a field that live lacks is removed there.
pub(super) fn keep_live(
    rules: &[ApplicationSetIgnoreDifferences],
    live: &Application,
    merged: &mut Application,
    jq: &JqPaths<'_>,
) -> Result<(), IgnoreError> {
    let name = live.metadata.name.as_deref().unwrap_or_default();
    let rules = rules
        .iter()
        .filter(|rule| rule.name.is_empty() || rule.name == name);
    let mut rules = rules.peekable();
    if rules.peek().is_none() {
        return Ok(());
    }
    let unfit = |error: String| IgnoreError::Unfit(error);
    let json = |app: &Application| {
        serde_json::to_value(app).map_err(|error| IgnoreError::Unfit(error.to_string()))
    };
    let from = json(live)?;
    let mut to = json(merged)?;
    for rule in rules {
        let mut pointers = rule.json_pointers.clone();
        for expression in &rule.jq_path_expressions {
            for object in [&from, &to] {
                let found = jq(expression, object).map_err(|problem| IgnoreError::Expression {
                    expression: expression.clone(),
                    problem,
                })?;
                pointers.extend(found);
            }
        }
        for pointer in pointers {
            copy(&from, &mut to, &pointer);
        }
    }
    *merged = typed::from_json(to).map_err(unfit)?;
    Ok(())
}

/// Makes what `pointer` names in `to` as it is in `from`.
fn copy(from: &Value, to: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match from.pointer(pointer) {
        Some(value) => {
            if let Some(parent) = ensure(to, parent) {
                set(parent, &key, value.clone());
            }
        }
        None => {
            if let Some(Value::Object(parent)) = to.pointer_mut(parent) {
                parent.remove(&key);
            }
        }
    }
}

fn set(parent: &mut Value, key: &str, value: Value) {
    match parent {
        Value::Object(entries) => {
            entries.insert(key.to_owned(), value);
        }
        Value::Array(items) => {
            if let Some(item) = key.parse().ok().and_then(|at: usize| items.get_mut(at)) {
                *item = value;
            }
        }
        _ => {}
    }
}

/// Finds the container that `pointer` names, making maps that are missing.
fn ensure<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    let mut at = value;
    for key in pointer.split('/').skip(1) {
        let key = key.replace("~1", "/").replace("~0", "~");
        at = match at {
            Value::Object(entries) => entries
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new())),
            Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}
