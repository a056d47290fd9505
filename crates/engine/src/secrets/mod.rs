//! Masking Secrets such that a change still shows: equal values get equal masks.
//!
//! Every Secret that leaves for a diff, a log or the API goes through here. Nothing here can undo a
//! mask.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::compare::Difference;
use crate::object::{ObjectExt, names};

/// What stands for a value.
const MASK: &str = "++++++++";
/// What tells a second value from a first.
const MORE: &str = "++++";

/// Whether the object is a core Secret.
pub fn is_secret(object: &Value) -> bool {
    object.group().is_empty() && object.kind() == "Secret"
}

/// Masks data, stringData and the named annotations of the given states of one Secret; the live
/// state's last-applied annotation is masked along with them, whole if it cannot be read. Objects
/// of other kinds are left as they are.
pub fn mask(states: &mut [&mut Value], sensitive_annotations: &[String]) {
    if !states.iter().any(|one| is_secret(one)) {
        return;
    }
    let mut applied: Vec<Option<Value>> = states.iter().map(|one| read_applied(one)).collect();
    {
        let mut all: Vec<&mut Value> = states.iter_mut().map(|one| &mut **one).collect();
        all.extend(applied.iter_mut().flatten());
        for place in ["/data", "/stringData"] {
            mask_map(&mut all, place, |_| true);
        }
        mask_map(&mut all, "/metadata/annotations", |key| {
            sensitive_annotations.iter().any(|one| one == key)
        });
    }
    for (state, applied) in states.iter_mut().zip(applied) {
        let Some(annotation) = state
            .pointer_mut("/metadata/annotations")
            .and_then(|all| all.get_mut(names::LAST_APPLIED))
        else {
            continue;
        };
        *annotation = Value::String(match applied {
            Some(masked) => masked.to_string(),
            None => MASK.to_owned(),
        });
    }
}

fn read_applied(state: &Value) -> Option<Value> {
    let text = state.annotation(names::LAST_APPLIED)?;
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
}

fn mask_map(states: &mut [&mut Value], place: &str, concerns: impl Fn(&str) -> bool) {
    let mut masks: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for state in states {
        let Some(Value::Object(map)) = state.pointer_mut(place) else {
            continue;
        };
        for (key, value) in map.iter_mut().filter(|(key, _)| concerns(key)) {
            let seen = masks.entry(key.clone()).or_default();
            *value = mask_of(value, seen);
        }
    }
}

/// The mask of a value: the same as before if it was seen, a longer one if not.
fn mask_of(value: &Value, seen: &mut Vec<Value>) -> Value {
    let place = seen.iter().position(|one| one == value).unwrap_or_else(|| {
        seen.push(value.clone());
        seen.len() - 1
    });
    Value::String(format!("{MASK}{}", MORE.repeat(place)))
}

/// Masks what a comparison found on a Secret: values, and the last-applied annotation.
pub(crate) fn mask_differences(differences: &mut [Difference]) {
    for one in differences {
        let open = one.pointer.starts_with("/metadata/")
            && !one.pointer.contains("last-applied-configuration");
        if open || one.pointer == "/type" || one.pointer == "/immutable" {
            continue;
        }
        let mut seen = Vec::new();
        for value in [&mut one.desired, &mut one.live].into_iter().flatten() {
            mask_deep(value, &mut seen);
        }
    }
}

fn mask_deep(value: &mut Value, seen: &mut Vec<Value>) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|one| mask_deep(one, seen)),
        Value::Null => {}
        _ => *value = mask_of(value, seen),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_look_equal_and_others_do_not() {
        let mut target =
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "MQ==", "b": "Mg=="}});
        let mut live =
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "MQ==", "b": "Mw=="}});
        mask(&mut [&mut target, &mut live], &[]);
        assert_eq!(target["data"], json!({"a": "++++++++", "b": "++++++++"}));
        assert_eq!(live["data"], json!({"a": "++++++++", "b": "++++++++++++"}));
    }

    #[test]
    fn what_was_last_applied_is_masked_too() {
        let applied = json!({"kind": "Secret", "data": {"a": "c2VjcmV0"}}).to_string();
        for text in [applied.as_str(), "no json: c2VjcmV0"] {
            let mut live = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "c2VjcmV0"},
                "metadata": {"annotations": {names::LAST_APPLIED: text}}});
            mask(&mut [&mut live], &[]);
            assert!(!live.to_string().contains("c2VjcmV0"), "{live}");
        }
    }

    #[test]
    fn chosen_annotations_are_masked() {
        let mut live = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"annotations": {"token": "t", "team": "x"}}});
        mask(&mut [&mut live], &["token".to_owned()]);
        assert_eq!(
            live["metadata"]["annotations"],
            json!({"token": "++++++++", "team": "x"})
        );
    }
}
