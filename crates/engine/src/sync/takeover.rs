//! Fields that client-side apply set, taken over by server-side apply.
//!
//! An API server records a client-side apply as an update. A field that git drops later would stay,
//! because that update goes on owning it. So before the first server-side apply such an update
//! becomes an apply of ours; what is not in git any more then goes with the next one.

use argosy_crds::names::FIELD_MANAGER;
use serde_json::{Map, Value, json};

use crate::object::{ObjectExt, names};

/// Who applied client-side where nobody says otherwise.
const KUBECTL: &str = "kubectl-client-side-apply";

/// The `managedFields` of a live object in which what was applied client-side is ours; `None` if
/// there is no such thing.
pub fn taken_over(live: &Value) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let named = live.annotation(names::CLIENT_SIDE_APPLY_MANAGER);
    let is_theirs = |entry: &Value| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        let is_client_side = [KUBECTL, FIELD_MANAGER].contains(&manager) || named == Some(manager);
        is_client_side && entry["operation"] == "Update" && is_of_all(entry)
    };
    let is_ours = |entry: &Value| {
        entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && is_of_all(entry)
    };
    let first = entries.iter().find(|entry| is_theirs(entry))?;
    let ours = entries.iter().find(|entry| is_ours(entry));
    let mut fields = json!({});
    let mut rest = Vec::new();
    for entry in entries {
        if is_theirs(entry) || is_ours(entry) {
            json_patch::merge(&mut fields, &entry["fieldsV1"]);
        } else {
            rest.push(entry.clone());
        }
    }
    let mut entry = ours.unwrap_or(first).as_object().cloned()?;
    entry.extend(Map::from_iter([
        ("manager".to_owned(), json!(FIELD_MANAGER)),
        ("operation".to_owned(), json!("Apply")),
        ("fieldsV1".to_owned(), fields),
    ]));
    rest.push(Value::Object(entry));
    Some(Value::Array(rest))
}

/// Whether an entry is about the object, and not about a subresource of it.
fn is_of_all(entry: &Value) -> bool {
    entry["subresource"].as_str().is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, field: &str) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1",
               "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {format!("f:{field}"): {}}}})
    }

    fn live(annotation: &str, entries: &[Value]) -> Value {
        json!({"metadata": {"managedFields": entries,
               "annotations": {"argocd.argoproj.io/client-side-apply-migration-manager": annotation}}})
    }

    #[test]
    fn updates_of_client_side_apply_become_one_apply_of_ours() {
        let hpa = entry("hpa", "Update", "d");
        let mut of_status = entry(KUBECTL, "Update", "e");
        of_status["subresource"] = json!("status");
        let before = live(
            "deployer",
            &[
                entry(KUBECTL, "Update", "a"),
                hpa.clone(),
                entry("deployer", "Update", "b"),
                of_status.clone(),
                entry(FIELD_MANAGER, "Apply", "c"),
            ],
        );
        let mut ours = entry(FIELD_MANAGER, "Apply", "a");
        ours["fieldsV1"] = json!({"f:data": {"f:a": {}, "f:b": {}, "f:c": {}}});
        assert_eq!(taken_over(&before), Some(json!([hpa, of_status, ours])));
    }

    #[test]
    fn what_nobody_applied_client_side_is_left_alone() {
        let ours = entry(FIELD_MANAGER, "Apply", "a");
        let others = [ours, entry("deployer", "Update", "b")];
        assert_eq!(taken_over(&live("", &others)), None);
        assert_eq!(taken_over(&json!({"metadata": {}})), None);
        let first = [entry(FIELD_MANAGER, "Update", "a")];
        let after = json!([entry(FIELD_MANAGER, "Apply", "a")]);
        assert_eq!(taken_over(&live("", &first)), Some(after));
    }
}
