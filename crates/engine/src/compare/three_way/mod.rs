//! Argo CD's client-side verdict: what a three-way merge patch would change.
//!
//! The live object with the patch applied (the prediction) is compared with the live object itself,
//! both with the API server's defaults. Built-in kinds are merged strategically, all others as plain
//! JSON. Nothing is applied anywhere.

mod json;
mod paths;
mod strategic;

use argosy_crds::codes::SyncStatusCode;
use serde_json::Value;

use super::object::{Rules, is_left_alone};
use crate::ignore;
use crate::normalise::{self, defaults, remarshal};
use crate::object::{ObjectExt, names};
use crate::schema::{Schema, SchemaSource, Type};

/// The verdict on one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreeWay {
    /// `None` for hooks and objects to be left alone.
    pub status: Option<SyncStatusCode>,
    /// What this object alone makes of its application.
    pub app_status: SyncStatusCode,
    /// Whether the patch would change something.
    pub modified: bool,
    /// Where prediction and live object differ, as JSON pointers.
    pub paths: Vec<String>,
    /// The live object, normalised; null if there is none.
    pub live: Value,
    /// What the live object would become; null if git has none.
    pub predicted: Value,
    /// An ignore rule for the object that could not be used: the rest says what differs without it.
    pub flaw: Option<ignore::Error>,
}

/// Compares one object as Argo CD's client-side diff does.
pub fn three_way(desired: Option<&Value>, live: Option<&Value>, rules: Rules<'_>) -> ThreeWay {
    let either = desired.or(live);
    let left_alone = either.is_some_and(is_left_alone);
    let (live_state, predicted) = predict(desired, live, rules);
    let mut paths = Vec::new();
    let modified = match (desired, live) {
        (Some(_), Some(_)) => {
            paths::differing(&live_state, &predicted, &mut String::new(), &mut paths);
            !paths.is_empty()
        }
        (Some(_), None) => true,
        _ => false,
    };
    let out_of_sync = !left_alone && (modified || desired.is_none());
    let code = |out: bool| {
        if out {
            SyncStatusCode::OutOfSync
        } else {
            SyncStatusCode::Synced
        }
    };
    let tolerated = desired.is_none()
        && live.is_some_and(|one| {
            one.annotation_list(names::COMPARE_OPTIONS)
                .any(|option| option == "IgnoreExtraneous")
        });
    ThreeWay {
        status: (!left_alone).then(|| code(out_of_sync)),
        app_status: code(out_of_sync && !tolerated),
        modified,
        paths,
        live: live_state,
        predicted,
        flaw: flaw(either, rules),
    }
}

fn flaw(object: Option<&Value>, rules: Rules<'_>) -> Option<ignore::Error> {
    let mut object = object?.clone();
    rules.ignore.remove_from(&mut object).err()
}

/// The live object and its prediction, both normalised and with defaults.
fn predict(desired: Option<&Value>, live: Option<&Value>, rules: Rules<'_>) -> (Value, Value) {
    let (Some(desired), Some(live)) = (desired, live) else {
        let normal =
            |one: Option<&Value>| one.map_or(Value::Null, |one| prepare(one.clone(), rules));
        return (normal(live), normal(desired));
    };
    let (mut desired, mut live) = (desired.clone(), live.clone());
    rules.ignore.remove_managed(&mut desired, &mut live);
    let (mut desired, live) = (prepare(desired, rules), prepare(live, rules));
    let mut applied = last_applied(&live).map(|applied| prepare_applied(applied, rules));
    for state in applied.iter_mut().chain([&mut desired]) {
        drop_placement(state);
    }
    let original = applied.as_ref().unwrap_or(&desired);
    let Some((schema, at)) = typed(original, rules.schema) else {
        let predicted = json::predict(original, &desired, &live);
        return (live, predicted);
    };
    let of = Type::Struct(at);
    let predicted = strategic::predict(schema, &of, (original, &desired), &live);
    let [live, predicted] = [live, predicted].map(|mut state| {
        defaults::apply(&mut state, schema, &of);
        state
    });
    (live, predicted)
}

/// One spelling, without what is ignored.
fn prepare(mut state: Value, rules: Rules<'_>) -> Value {
    normalise::numbers(&mut state);
    if let Some((schema, at)) = typed(&state, rules.schema) {
        remarshal::canonical(&mut state, schema, &Type::Struct(at));
    }
    prepare_applied(state, rules)
}

/// What kubectl recorded is normalised like the rest, but keeps its own spelling.
fn prepare_applied(mut state: Value, rules: Rules<'_>) -> Value {
    normalise::numbers(&mut state);
    if let Some(Value::Object(metadata)) = state.get_mut("metadata") {
        metadata.remove("creationTimestamp");
    }
    let mut state = normalise::object(&state, rules.overrides.compare_options()).into_owned();
    // What goes wrong is told once, of the objects as they are.
    let _ = rules.ignore.remove_from(&mut state);
    let known = rules.overrides.known_type_fields(&state);
    normalise::known_types(&mut state, known);
    state
}

/// Kinds that Argo CD knows as Go types; CustomResourceDefinitions and APIServices are none of them.
/// A version that is served no longer is read as one that is.
fn typed<'a>(state: &Value, schema: &'a dyn SchemaSource) -> Option<(&'a Schema, usize)> {
    let (group, kind) = (state.group(), state.kind());
    if ["apiextensions.k8s.io", "apiregistration.k8s.io"].contains(&group) {
        return None;
    }
    schema.find(state.api_version(), kind).or_else(|| {
        let served = match group {
            "apps" | "batch" | "policy" | "networking.k8s.io" | "rbac.authorization.k8s.io" => "v1",
            "autoscaling" => "v2",
            _ => return None,
        };
        schema.find(&format!("{group}/{served}"), kind)
    })
}

fn last_applied(live: &Value) -> Option<Value> {
    let text = live.annotation(names::LAST_APPLIED)?;
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(|value| value.get("kind").is_some())
}

/// The namespace and empty annotations are no part of what is merged.
fn drop_placement(state: &mut Value) {
    let Some(Value::Object(metadata)) = state.get_mut("metadata") else {
        return;
    };
    metadata.remove("namespace");
    let empty = match metadata.get("annotations") {
        Some(Value::Object(all)) => all.is_empty(),
        Some(Value::Null) => true,
        _ => false,
    };
    if empty {
        metadata.remove("annotations");
    }
}
