//! The JSONPath subset that printer columns use: fields, indices, `[*]`, `[?(@.a=="b")]`.

use serde_json::Value;

/// Everything the path finds.
pub(super) fn find<'a>(root: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![root];
    let mut rest = path.trim().trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let name = name_of(after);
            rest = &after[name.1..];
            found = found
                .into_iter()
                .filter_map(|value| value.get(&name.0))
                .collect();
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some(end) = after.find(']') else {
                return Vec::new();
            };
            found = found
                .into_iter()
                .flat_map(|value| select(value, &after[..end]))
                .collect();
            rest = &after[end + 1..];
        } else {
            return Vec::new();
        }
    }
    found
}

/// A field's name, with escaped dots, and how much text it takes.
fn name_of(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return (name, at),
            c => name.push(c),
        }
    }
    (name, text.len())
}

fn select<'a>(value: &'a Value, selector: &str) -> Vec<&'a Value> {
    let selector = selector.trim();
    let unquoted = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    if selector == "*" {
        return match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        };
    }
    if let Some(condition) = selector
        .strip_prefix("?(")
        .and_then(|s| s.strip_suffix(')'))
    {
        let Some((path, wanted)) = condition.split_once("==") else {
            return Vec::new();
        };
        let (path, wanted) = (path.trim().trim_start_matches('@'), unquoted(wanted));
        let matches = |item: &&Value| find(item, path).first().is_some_and(|v| text(v) == wanted);
        return value
            .as_array()
            .into_iter()
            .flatten()
            .filter(matches)
            .collect();
    }
    if let Ok(index) = selector.parse::<i64>() {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        let index = if index < 0 {
            index + i64::try_from(items.len()).unwrap_or(0)
        } else {
            index
        };
        return usize::try_from(index)
            .ok()
            .and_then(|i| items.get(i))
            .into_iter()
            .collect();
    }
    value.get(unquoted(selector)).into_iter().collect()
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_condition_is_found_by_its_type() {
        let object = json!({"status": {"conditions": [
            {"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"},
        ]}, "metadata": {"labels": {"a.b/c": "x"}}});
        let check = |path: &str, wanted: &str| {
            let found = find(&object, path);
            assert_eq!(
                found.first().map(|v| text(v)).as_deref(),
                Some(wanted),
                "{path}"
            );
        };
        check(r#".status.conditions[?(@.type=="Synced")].status"#, "False");
        check(".status.conditions[0].type", "Ready");
        check(r".metadata.labels.a\.b/c", "x");
    }
}
