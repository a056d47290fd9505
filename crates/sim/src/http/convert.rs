//! Kinds that are served in two shapes and kept in one: events of `events.k8s.io` are kept as core
//! events, and autoscalers of `autoscaling/v1` as those of `autoscaling/v2`. Only the shape of
//! objects is changed here; the paths in their managed fields stay those of the kept shape.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::registry::Kind;

/// The fields of an event: as `events.k8s.io` names them, and as they are kept.
const EVENT: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
    ("reportingController", "reportingComponent"),
];

const TARGET: &str = "targetCPUUtilizationPercentage";

/// Brings an object, or a patch that names its fields, into the shape it is kept in.
pub(super) fn kept(kind: &Kind, object: &mut Value) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    if kind.is("events.k8s.io", "Event") {
        rename(map, |(served, kept)| (served, kept));
    } else if is_old_scaler(kind)
        && let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(percent) = spec.remove(TARGET)
    {
        let target = json!({"type": "Utilization", "averageUtilization": percent});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".to_owned(), json!([metric]));
    }
}

/// An object in the shape in which the kind is served.
pub(super) fn shown<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let event = kind.is("events.k8s.io", "Event");
    if !event && !is_old_scaler(kind) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        if event {
            rename(map, |(served, kept)| (kept, served));
        } else if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
            old_scaler(spec);
        }
    }
    Cow::Owned(object)
}

fn is_old_scaler(kind: &Kind) -> bool {
    kind.is("autoscaling", "HorizontalPodAutoscaler") && kind.version == "v1"
}

fn rename(
    map: &mut Map<String, Value>,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) {
    for pair in EVENT {
        let (from, to) = direction(pair);
        if let Some(value) = map.remove(from) {
            map.insert(to.to_owned(), value);
        }
    }
}

fn old_scaler(spec: &mut Map<String, Value>) {
    spec.remove("behavior");
    let metrics = spec.remove("metrics").unwrap_or_default();
    let processor = metrics
        .as_array()
        .into_iter()
        .flatten()
        .find(|metric| metric["resource"]["name"] == "cpu");
    if let Some(metric) = processor {
        let percent = metric["resource"]["target"]["averageUtilization"].clone();
        spec.insert(TARGET.to_owned(), percent);
    }
}
