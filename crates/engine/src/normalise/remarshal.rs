//! The spelling that an object has after a trip through its kind's Go type.
//!
//! Amounts are written canonically, null and zero values that the type leaves out are left out, and
//! whole floats are integers. What does not fit its type stays as it is.

use serde_json::Value;

use super::quantity::Quantity;
use crate::schema::{Schema, Type};

/// Fields that tell a zero from absence (pointers in the Go types), by name.
const NULLABLE: [&str; 60] = [
    "activeDeadlineSeconds",
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "appProtocol",
    "attachRequired",
    "automountServiceAccountToken",
    "averageUtilization",
    "backoffLimit",
    "backoffLimitPerIndex",
    "blockOwnerDeletion",
    "completionMode",
    "completions",
    "controller",
    "defaultMode",
    "enableServiceLinks",
    "endPort",
    "expirationSeconds",
    "failedJobsHistoryLimit",
    "fsGroup",
    "fsGroupChangePolicy",
    "hostUsers",
    "immutable",
    "ingressClassName",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "manualSelector",
    "minDomains",
    "minReplicas",
    "mode",
    "optional",
    "parallelism",
    "partition",
    "pathType",
    "podInfoOnMount",
    "preemptionPolicy",
    "priority",
    "privileged",
    "procMount",
    "progressDeadlineSeconds",
    "readOnlyRootFilesystem",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "seLinuxMount",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "stabilizationWindowSeconds",
    "startingDeadlineSeconds",
    "storageClassName",
    "successfulJobsHistoryLimit",
    "suspend",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
    "tolerationSeconds",
    "ttlSecondsAfterFinished",
    "volumeMode",
];

/// Fields that are written even when they are zero, by name.
const REQUIRED: [&str; 16] = [
    "containerPort",
    "image",
    "key",
    "kind",
    "maxReplicas",
    "mountPath",
    "name",
    "operator",
    "path",
    "port",
    "preference",
    "rules",
    "type",
    "value",
    "verbs",
    "weight",
];

/// Rewrites `value`, of type `of`, in place.
pub fn canonical(value: &mut Value, schema: &Schema, of: &Type) {
    match (of, value) {
        (Type::Struct(at), Value::Object(map)) => {
            map.retain(|key, value| {
                let Some(field) = schema.field(*at, key) else {
                    return true;
                };
                canonical(value, schema, &field.of);
                !is_left_out(key, value, &field.of)
            });
        }
        (Type::Map(of), Value::Object(map)) => {
            let amounts = **of == Type::Quantity;
            for value in map.values_mut() {
                if value.is_null() && **of == Type::Text {
                    *value = Value::String(String::new());
                } else if amounts {
                    // The amounts of a resource list are kept in thousandths.
                    amount(value, true);
                } else {
                    canonical(value, schema, of);
                }
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for item in items {
                canonical(item, schema, &list.item);
            }
        }
        (Type::Quantity, value) => amount(value, false),
        _ => {}
    }
}

fn amount(value: &mut Value, in_thousandths: bool) {
    let text = match &*value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Some(mut quantity) = Quantity::parse(&text) {
        if in_thousandths {
            quantity = quantity.rounded_to_milli();
        }
        *value = Value::String(quantity.to_text());
    }
}

fn is_left_out(key: &str, value: &Value, of: &Type) -> bool {
    let required = REQUIRED.contains(&key);
    let nullable = NULLABLE.contains(&key);
    match value {
        Value::Null => !required,
        Value::Array(items) => items.is_empty() && !required,
        Value::Object(map) => map.is_empty() && matches!(of, Type::Map(_)) && !required,
        Value::String(text) => {
            text.is_empty() && !required && !nullable && matches!(of, Type::Text | Type::Bytes)
        }
        Value::Bool(flag) => !flag && !required && !nullable && *of == Type::Boolean,
        Value::Number(number) => {
            number.as_i64() == Some(0) && !required && !nullable && *of == Type::Integer
        }
    }
}
