//! A templatePatch that replaces a list which the template sets: lists are not merged.

use argosy_yaml as yaml;
use serde_json::Value;

use super::{Finding, Level, Subject};

/// The lists that are merged.
const MERGED: [&str; 2] = ["metadata.finalizers", "metadata.ownerReferences"];

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let spec = &subject.set.spec;
    let Some(patch) = &spec.template_patch else {
        return Vec::new();
    };
    // What depends on parameters in a way that leaves no YAML behind is not judged.
    let Ok(patch) = yaml::from_str(&skeleton(patch)) else {
        return Vec::new();
    };
    let template = serde_json::to_value(&spec.template).unwrap_or_default();
    let mut replaced = Vec::new();
    compare("", &patch, &template, &mut replaced);
    replaced
        .into_iter()
        .map(|(path, items)| Finding {
            level: Level::Warning,
            rule: "patch-replaces-list",
            place: format!("spec.templatePatch: {path}"),
            message: format!(
                "the patch replaces the list spec.template.{path} as a whole, {items} of whose items the template sets"
            ),
            fix: "repeat in the patch what is to stay, or set the list in one of the two only"
                .to_owned(),
        })
        .collect()
}

/// The lists that the patch has where the template has one, with how long that is.
fn compare(path: &str, patch: &Value, template: &Value, replaced: &mut Vec<(String, usize)>) {
    match (patch, template) {
        (Value::Object(patch), Value::Object(template)) => {
            for (key, value) in patch {
                let Some(below) = template.get(key) else {
                    continue;
                };
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(&path, value, below, replaced);
            }
        }
        (Value::Array(_), Value::Array(items))
            if !items.is_empty() && !MERGED.contains(&path) && patch != template =>
        {
            replaced.push((path.to_owned(), items.len()));
        }
        _ => {}
    }
}

/// The patch without its actions: a line that is nothing else vanishes, in any other line an action
/// becomes a word.
fn skeleton(patch: &str) -> String {
    let lines = patch.lines().filter_map(|line| {
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, action)) = rest.split_once("{{") {
            // An action of several lines cannot be told.
            let (_, after) = action.split_once("}}")?;
            text.push_str(before);
            text.push('x');
            rest = after;
        }
        text.push_str(rest);
        let is_action = line.contains("{{") && text.trim().chars().all(|c| c == 'x');
        (!is_action).then_some(text)
    });
    lines.collect::<Vec<_>>().join("\n")
}
