//! Requests for objects: options from query, headers and body, and the answer's form.

use std::sync::Arc;

use http::{HeaderMap, Response, header};
use serde_json::{Value, json};

use super::auth::User;
use super::query::Query;
use super::route::Resource;
use super::{convert, protobuf, respond, reviews, scale, tables, text_of, watch};
use crate::cluster::SimCluster;
use crate::patch::Format;
use crate::registry::{Kind, is_built_in, serves};
use crate::service::SimBody;
use crate::store::{
    Cause, Change, CreateOptions, DeleteOptions, Failure, Key, ListOptions, Page, Selector,
    WriteOptions, get_text, name_of,
};

/// The request besides its target.
pub(super) struct Asked<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) accept: &'a str,
    pub(super) body: &'a [u8],
    pub(super) user: &'a User,
}

type Answer = Result<Response<SimBody>, Failure>;

pub(super) fn answer(cluster: &SimCluster, resource: &Resource, asked: &Asked<'_>) -> Answer {
    let kind = {
        let state = cluster.inner.state();
        state
            .registry
            .find(&resource.group, &resource.version, &resource.plural)
    };
    let kind = kind.ok_or_else(|| nowhere(resource))?;
    if !kind.namespaced && !resource.namespace.is_empty() {
        return Err(nowhere(resource));
    }
    if !tables::acceptable(asked.accept) {
        return Err(Failure::not_acceptable());
    }
    if !kind.stored {
        return reviews::answer(cluster, &kind, asked);
    }
    let needs_namespace = !["list", "watch", "deletecollection"].contains(&resource.verb);
    if kind.namespaced && resource.namespace.is_empty() && needs_namespace {
        return Err(Failure::method_not_allowed());
    }
    match (resource.subresource.as_str(), resource.verb) {
        ("" | "status", "get") => get(cluster, &kind, resource, asked),
        ("", "list") => list(cluster, &kind, resource, asked),
        ("", "watch") => watch::answer(cluster, &kind, resource, asked),
        ("", "create") => create(cluster, &kind, resource, asked),
        ("" | "status" | "finalize" | "approval", "update" | "patch") => {
            if resource.subresource == "status" && !kind.status {
                return Err(Failure::no_such_path());
            }
            change(cluster, &kind, resource, asked)
        }
        ("", "delete") => delete(cluster, &kind, resource, asked),
        ("", "deletecollection") => delete_collection(cluster, &kind, resource, asked),
        ("scale", verb) if kind.scale.is_some() => {
            scale::answer(cluster, &kind, resource, asked, verb)
        }
        ("token", "create") if kind.plural == "serviceaccounts" => {
            let request = body(asked)?;
            let token =
                cluster
                    .inner
                    .state()
                    .request_token(&kind, &key(&kind, resource), &request)?;
            Ok(respond::json(201, &token))
        }
        ("eviction", "create") if kind.plural == "pods" => {
            let options = DeleteOptions::default();
            cluster
                .inner
                .state()
                .delete(&kind, &key(&kind, resource), &options)?;
            Ok(respond::json(201, &success(&kind, &resource.name, "")))
        }
        ("", _) => Err(Failure::method_not_allowed()),
        _ => Err(Failure::no_such_path()),
    }
}

/// Groups of built-in kinds say that they do not know a resource; elsewhere there is no page.
fn nowhere(resource: &Resource) -> Failure {
    if serves(&resource.group, &resource.version) {
        Failure::no_such_path()
    } else {
        Failure::no_such_page()
    }
}

pub(super) fn key(kind: &Kind, resource: &Resource) -> Key {
    Key::new(&kind.table(), &resource.namespace, &resource.name)
}

/// The request's body as JSON; YAML is read too, since applies may come as such.
pub(super) fn body(asked: &Asked<'_>) -> Result<Value, Failure> {
    let media = text_of(asked.headers, header::CONTENT_TYPE);
    if media.contains("protobuf") {
        return protobuf::read(asked.body).ok_or_else(Failure::unsupported_media);
    }
    let known = ["json", "yaml", "*/*"];
    if !media.is_empty() && !known.iter().any(|known| media.contains(known)) {
        return Err(Failure::unsupported_media());
    }
    match serde_json::from_slice(asked.body) {
        Ok(value) => Ok(value),
        Err(error) if media.contains("yaml") => serde_yaml::from_slice(asked.body)
            .map_err(|_| Failure::bad_request(format!("error decoding YAML: {error}"))),
        Err(error) => {
            let message = format!(
                "the object provided is unrecognized (must be of type valid JSON): {error}"
            );
            Err(Failure::bad_request(message))
        }
    }
}

/// A body that must be an object of this kind; its apiVersion and kind are checked and dropped.
fn typed_body(asked: &Asked<'_>, kind: &Kind) -> Result<Value, Failure> {
    let mut object = body(asked)?;
    let Some(map) = object.as_object_mut() else {
        return Err(Failure::bad_request(
            "the object provided is not a JSON object",
        ));
    };
    let (version, name) = (map.remove("apiVersion"), map.remove("kind"));
    let given = version.as_ref().and_then(Value::as_str).unwrap_or_default();
    let named = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    if named.is_empty() && kind.custom.is_some() {
        return Err(Failure::bad_request("Object 'Kind' is missing"));
    }
    let right = (given.is_empty() || given == kind.api_version())
        && (named.is_empty() || named == kind.kind);
    if right {
        convert::kept(kind, &mut object);
        Ok(object)
    } else {
        Err(misnamed(kind, given, named, &object))
    }
}

/// What is said of an object of another kind than the path's.
fn misnamed(kind: &Kind, given: &str, named: &str, object: &Value) -> Failure {
    if kind.custom.is_some() {
        return Failure::misnamed(kind, given, named, name_of(object));
    }
    let (group, version) = given.split_once('/').unwrap_or(("", given));
    let told = if is_built_in(group, version, named) {
        let package = |group: &str| match group.split('.').next() {
            None | Some("") => "core".to_owned(),
            Some(first) => first.to_owned(),
        };
        format!(
            "converting ({version}.{named}) to ({}.{}): unknown conversion",
            package(&kind.group),
            kind.kind
        )
    } else {
        format!(
            "no kind {named:?} is registered for version {given:?} in scheme \
             \"pkg/runtime/scheme.go:110\""
        )
    };
    Failure::bad_request(format!(
        "{named} in version {version:?} cannot be handled as a {}: {told}",
        kind.kind
    ))
}

fn options_kind(resource: &Resource) -> &'static str {
    match resource.verb {
        "create" => "CreateOptions",
        "update" => "UpdateOptions",
        "patch" => "PatchOptions",
        _ => "DeleteOptions",
    }
}

pub(super) fn write_options(
    resource: &Resource,
    asked: &Asked<'_>,
) -> Result<WriteOptions, Failure> {
    let dry_run = match resource.query.get("dryRun") {
        "" => false,
        "All" => true,
        other => {
            let known = ["All".to_owned()];
            let cause = Cause::unsupported("dryRun", &json!([other]), &known);
            return Err(Failure::options(options_kind(resource), &cause));
        }
    };
    let named = resource.query.get("fieldManager");
    let agent = text_of(asked.headers, header::USER_AGENT);
    let manager = match named {
        "" => agent
            .split('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or("unknown"),
        named => named,
    };
    let manager = manager.chars().take(128).collect();
    let strict = resource.query.get("fieldValidation") == "Strict";
    Ok(WriteOptions {
        dry_run,
        manager,
        strict,
    })
}

fn get(cluster: &SimCluster, kind: &Arc<Kind>, resource: &Resource, asked: &Asked<'_>) -> Answer {
    let state = cluster.inner.state();
    let found = state.get(&key(kind, resource)).cloned();
    let version = state.resource_version();
    drop(state);
    let found = found.ok_or_else(|| Failure::not_found(kind, &resource.name))?;
    if let Some(form) = tables::wanted(asked.accept, &resource.query) {
        let page = Page {
            items: vec![found],
            version,
            token: String::new(),
            remaining: None,
        };
        let now = (cluster.inner.config.clock)();
        return Ok(respond::json(200, &form.one(kind, &page, now)));
    }
    Ok(respond::object(200, kind, &found))
}

pub(super) fn selector(kind: &Kind, resource: &Resource) -> Result<Selector, Failure> {
    let query = &resource.query;
    Selector::parse(kind, query.get("labelSelector"), query.get("fieldSelector"))
}

fn list(cluster: &SimCluster, kind: &Arc<Kind>, resource: &Resource, asked: &Asked<'_>) -> Answer {
    let query = &resource.query;
    let limit = query
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(0);
    let token = query.get("continue").to_owned();
    check_version(query, false)?;
    let options = ListOptions {
        selector: selector(kind, resource)?,
        limit,
        token,
    };
    let page = cluster
        .inner
        .state()
        .list(kind, &resource.namespace, &options)?;
    if let Some(form) = tables::wanted(asked.accept, query) {
        let now = (cluster.inner.config.clock)();
        return Ok(respond::json(200, &form.many(kind, &page, now)));
    }
    Ok(respond::list(kind, &page))
}

/// Whether the version that a list or watch asks for makes sense.
pub(super) fn check_version(query: &Query, watch: bool) -> Result<(), Failure> {
    let (version, matching) = (
        query.get("resourceVersion"),
        query.get("resourceVersionMatch"),
    );
    let forbidden = |detail: &str| {
        let cause = Cause::forbidden("resourceVersionMatch", detail);
        Err(Failure::options("ListOptions", &cause))
    };
    if query.flag("sendInitialEvents") && watch {
        if matching != "NotOlderThan" {
            return forbidden(
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            );
        }
    } else if !matching.is_empty() && watch {
        return forbidden(
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        );
    } else if !matching.is_empty() && version.is_empty() {
        return forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
    } else if matching == "Exact" && version == "0" {
        return forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    if version.is_empty() || version.parse::<u64>().is_ok() {
        return Ok(());
    }
    let message = format!(
        "resourceVersion: Invalid value: {version:?}: strconv.ParseUint: parsing {version:?}: \
         invalid syntax"
    );
    Err(if watch {
        Failure::plain(message)
    } else {
        Failure::bad_request(format!("invalid resource version: {message}"))
    })
}

fn create(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
) -> Answer {
    if !resource.name.is_empty() {
        return Err(Failure::method_not_allowed());
    }
    let object = typed_body(asked, kind)?;
    let write = write_options(resource, asked)?;
    let status = kind.is("", "Node");
    let options = CreateOptions { write, status };
    let mut state = cluster.inner.state();
    let made = state.create(kind, &resource.namespace, object, &options)?;
    // What the control plane did at once, such as filling a token, belongs to the answer.
    let made = state.get(&Key::of(kind, &made)).cloned().unwrap_or(made);
    drop(state);
    Ok(respond::object(201, kind, &made))
}

fn change(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
) -> Answer {
    let write = write_options(resource, asked)?;
    let force = resource.query.flag("force");
    let change = if resource.verb == "update" {
        Change::Replace(typed_body(asked, kind)?)
    } else {
        let media = text_of(asked.headers, header::CONTENT_TYPE);
        match Format::of(media).ok_or_else(Failure::unsupported_patch)? {
            Format::Apply => {
                if resource.query.get("fieldManager").is_empty() {
                    let cause = Cause::required("fieldManager", "is required for apply patch");
                    return Err(Failure::options("PatchOptions", &cause));
                }
                Change::Apply {
                    object: applied(asked, kind)?,
                    force,
                }
            }
            _ if force => {
                let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
                return Err(Failure::options("PatchOptions", &cause));
            }
            format => Change::Patch(patch(asked, kind, format)?, format),
        }
    };
    let subresource = if resource.subresource == "status" {
        "status"
    } else {
        ""
    };
    let key = key(kind, resource);
    let mut state = cluster.inner.state();
    let (object, made) = state.change(kind, &key, subresource, change, &write)?;
    drop(state);
    Ok(respond::object(if made { 201 } else { 200 }, kind, &object))
}

fn applied(asked: &Asked<'_>, kind: &Kind) -> Result<Value, Failure> {
    let given = body(asked)?;
    let (version, named) = (
        get_text(&given, &["apiVersion"]),
        get_text(&given, &["kind"]),
    );
    if version != kind.api_version() || named != kind.kind {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let message = format!("invalid object type: {group}/{version}, Kind={named}");
        return Err(Failure::bad_request(message));
    }
    let object = typed_body(asked, kind)?;
    if object["metadata"]
        .get("managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    Ok(object)
}

/// A patch that is not an apply. It may carry the type; the stored object has none.
fn patch(asked: &Asked<'_>, kind: &Kind, format: Format) -> Result<Value, Failure> {
    let mut patch = body(asked)?;
    let (found, wanted) = match (&patch, format) {
        (Value::Array(_), Format::Json) | (Value::Object(_), Format::Merge | Format::Strategic) => {
            ("", "")
        }
        (Value::Object(_), _) => ("object", "[]handlers.jsonPatchOp"),
        (Value::Array(_), _) => ("array", "map[string]interface {}"),
        (Value::String(_), _) => ("string", "map[string]interface {}"),
        (Value::Number(_), _) => ("number", "map[string]interface {}"),
        (Value::Bool(_), _) => ("bool", "map[string]interface {}"),
        (Value::Null, _) => ("null", "map[string]interface {}"),
    };
    if !found.is_empty() {
        let message = format!(
            "error decoding patch: json: cannot unmarshal {found} into Go value of type {wanted}"
        );
        return Err(Failure::bad_request(message));
    }
    let fits = |field: &str, wanted: &str| patch.get(field).is_none_or(|found| found == wanted);
    if !fits("kind", &kind.kind) || !fits("apiVersion", &kind.api_version()) {
        let (version, named) = (
            get_text(&patch, &["apiVersion"]),
            get_text(&patch, &["kind"]),
        );
        let told = misnamed(kind, version, named, &patch).message;
        let cause = Cause::invalid("patch", &patch.to_string().into(), &told);
        return Err(Failure::nameless(&cause));
    }
    if let Some(map) = patch.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
    }
    convert::kept(kind, &mut patch);
    Ok(patch)
}

fn delete_options(resource: &Resource, asked: &Asked<'_>) -> Result<DeleteOptions, Failure> {
    let body = if asked.body.is_empty() {
        Value::Null
    } else {
        body(asked)?
    };
    let text = |path: &[&str]| Some(get_text(&body, path).to_owned()).filter(|t| !t.is_empty());
    let query = &resource.query;
    let orphan = body["orphanDependents"].as_bool();
    if let Some(policy) = text(&["propagationPolicy"]) {
        let known = ["Foreground", "Background", "Orphan"];
        let cause = if !known.contains(&policy.as_str()) {
            let known = ["Foreground", "Background", "Orphan", "nil"].map(str::to_owned);
            Some(Cause::unsupported(
                "propagationPolicy",
                &policy.into(),
                &known,
            ))
        } else if orphan.is_some() {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            Some(Cause::invalid("propagationPolicy", &policy.into(), detail))
        } else {
            None
        };
        if let Some(cause) = cause {
            return Err(Failure::options("DeleteOptions", &cause));
        }
    }
    let propagation = text(&["propagationPolicy"])
        .or_else(|| orphan.map(|orphan| if orphan { "Orphan" } else { "Background" }.to_owned()))
        .unwrap_or_else(|| query.get("propagationPolicy").to_owned());
    let dry_run = body["dryRun"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
        || query.get("dryRun") == "All";
    Ok(DeleteOptions {
        dry_run,
        propagation,
        uid: text(&["preconditions", "uid"]),
        version: text(&["preconditions", "resourceVersion"]),
    })
}

fn delete(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
) -> Answer {
    let options = delete_options(resource, asked)?;
    let (object, gone) = cluster
        .inner
        .state()
        .delete(kind, &key(kind, resource), &options)?;
    let shows = [
        "pods",
        "services",
        "persistentvolumeclaims",
        "persistentvolumes",
    ];
    let also = ["serviceaccounts", "podtemplates", "resourcequotas"];
    let plural = kind.plural.as_str();
    let definition = kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    if !gone
        || definition
        || kind.group.is_empty() && (shows.contains(&plural) || also.contains(&plural))
    {
        return Ok(respond::object(200, kind, &object));
    }
    let uid = get_text(&object, &["metadata", "uid"]);
    Ok(respond::json(200, &success(kind, &resource.name, uid)))
}

fn success(kind: &Kind, name: &str, uid: &str) -> Value {
    let mut details = json!({"name": name, "kind": kind.plural, "uid": uid});
    if !kind.group.is_empty() {
        details["group"] = kind.group.clone().into();
    }
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    })
}

fn delete_collection(
    cluster: &SimCluster,
    kind: &Arc<Kind>,
    resource: &Resource,
    asked: &Asked<'_>,
) -> Answer {
    let options = delete_options(resource, asked)?;
    let selector = selector(kind, resource)?;
    let mut state = cluster.inner.state();
    let items = state.delete_collection(kind, &resource.namespace, &selector, &options)?;
    let version = state.resource_version();
    drop(state);
    let page = Page {
        items,
        version,
        token: String::new(),
        remaining: None,
    };
    Ok(respond::list(kind, &page))
}
