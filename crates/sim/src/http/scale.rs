//! The scale subresource: a small object that stands for two fields of a larger one.

use std::sync::Arc;

use http::{Response, header};
use serde_json::{Map, Value, json};

use super::objects::{Asked, body, key, write_options};
use super::route::Resource;
use super::{respond, text_of};
use crate::cluster::SimCluster;
use crate::patch::{Format, patched};
use crate::registry::{Kind, Node};
use crate::service::SimBody;
use crate::store::{Change, Failure, at};

pub(super) fn answer(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
    verb: &str,
) -> Result<Response<SimBody>, Failure> {
    let key = key(kind, resource);
    let mut state = cluster.inner.state();
    let missing = || Failure::not_found(kind, &resource.name);
    let object = state.get(&key).cloned().ok_or_else(missing)?;
    let shown = scale_of(kind, &object);
    let wanted = match verb {
        "get" => return Ok(respond::json(200, &shown)),
        "update" => body(asked)?,
        "patch" => {
            let media = text_of(asked.headers, header::CONTENT_TYPE);
            let format = Format::of(media).ok_or_else(Failure::unsupported_patch)?;
            patched(&shown, &body(asked)?, format, &Node::default())
                .map_err(|error| Failure::bad_request(error.to_string()))?
        }
        _ => return Err(Failure::method_not_allowed()),
    };
    let Some(path) = kind.scale.as_ref().map(|scale| &scale.spec) else {
        return Err(missing());
    };
    let patch = path
        .iter()
        .rev()
        .fold(wanted["spec"]["replicas"].clone(), |value, name| {
            Value::Object(Map::from_iter([(name.clone(), value)]))
        });
    let write = write_options(resource, asked)?;
    let change = Change::Patch(patch, Format::Merge);
    let (object, _) = state.change(kind, &key, "", change, &write)?;
    Ok(respond::json(200, &scale_of(kind, &object)))
}

fn scale_of(kind: &Kind, object: &Value) -> Value {
    let find = |path: &[String]| -> Value {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        at(object, &path).cloned().unwrap_or_else(|| 0.into())
    };
    let Some(scale) = &kind.scale else {
        return Value::Null;
    };
    let meta = &object["metadata"];
    let mut shown = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": find(&scale.spec)},
        "status": {"replicas": find(&scale.status)},
    });
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let text: Vec<_> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if let Some(path) = &scale.selector {
        shown["status"]["selector"] = find(path);
    } else if !text.is_empty() {
        shown["status"]["selector"] = text.join(",").into();
    }
    shown
}
