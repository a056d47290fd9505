//! Fields that a trusted field manager owns: where they differ, neither side keeps them.

use serde_json::{Map, Value};

/// Removes from both states what one of `managers` owns and what differs; whether there was any.
pub(super) fn remove(managers: &[String], desired: &mut Value, live: &mut Value) -> bool {
    if managers.is_empty() {
        return false;
    }
    let mut removed = false;
    for fields in fields_of(managers, live) {
        removed |= remove_owned(&fields, desired, live);
    }
    removed
}

/// Removes from a live object all that one of `managers` owns.
pub(super) fn remove_all(managers: &[String], live: &mut Value) {
    for fields in fields_of(managers, live) {
        strip(&fields, live);
    }
}

fn strip(fields: &Map<String, Value>, live: &mut Value) {
    for (token, below) in fields {
        let below = below.as_object().filter(|below| !below.is_empty());
        let place = match token.split_once(':') {
            Some(("f", name)) if below.is_none() => {
                if let Some(fields) = live.as_object_mut() {
                    fields.remove(name);
                }
                continue;
            }
            Some(("f", name)) => live.get_mut(name),
            Some(("k", keys)) => {
                let keys = serde_json::from_str::<Value>(keys).unwrap_or_default();
                item_of(live, &keys)
            }
            _ => None,
        };
        if let (Some(place), Some(below)) = (place, below) {
            strip(below, place);
        }
    }
}

fn fields_of(managers: &[String], live: &Value) -> Vec<Map<String, Value>> {
    live.pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry["manager"]
                .as_str()
                .is_some_and(|name| managers.iter().any(|one| one == name))
        })
        .filter_map(|entry| entry["fieldsV1"].as_object().cloned())
        .collect()
}

fn remove_owned(fields: &Map<String, Value>, desired: &mut Value, live: &mut Value) -> bool {
    let mut removed = false;
    for (token, below) in fields {
        let below = below.as_object().filter(|below| !below.is_empty());
        match token.split_once(':') {
            Some(("f", name)) => removed |= remove_field(name, below, desired, live),
            Some(("k", keys)) => {
                let (Some(below), Ok(keys)) = (below, serde_json::from_str::<Value>(keys)) else {
                    continue;
                };
                if let (Some(desired), Some(live)) = (item_of(desired, &keys), item_of(live, &keys))
                {
                    removed |= remove_owned(below, desired, live);
                }
            }
            _ => {}
        }
    }
    removed
}

fn remove_field(
    name: &str,
    below: Option<&Map<String, Value>>,
    desired: &mut Value,
    live: &mut Value,
) -> bool {
    let (Some(theirs), Some(ours)) = (live.get_mut(name), desired.get_mut(name)) else {
        return false;
    };
    if let Some(below) = below {
        return remove_owned(below, ours, theirs);
    }
    if theirs == ours {
        return false;
    }
    for state in [desired, live] {
        if let Value::Object(map) = state {
            map.remove(name);
        }
    }
    true
}

fn item_of<'a>(list: &'a mut Value, keys: &Value) -> Option<&'a mut Value> {
    let keys = keys.as_object()?;
    list.as_array_mut()?
        .iter_mut()
        .find(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
}
