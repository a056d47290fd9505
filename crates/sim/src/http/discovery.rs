//! What the server serves: the legacy lists and the aggregated ones.

use http::Response;
use serde_json::{Value, json};

use super::respond;
use crate::cluster::SimCluster;
use crate::faults::Faults;
use crate::registry::Kind;
use crate::service::SimBody;
use crate::store::{Failure, State};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(super) fn answer(
    cluster: &SimCluster,
    path: &[String],
    accept: &str,
) -> Result<Response<SimBody>, Failure> {
    let guard = cluster.inner.state();
    let (state, faults) = (&*guard, cluster.faults());
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2");
    match words.as_slice() {
        ["api"] if aggregated => {
            let core = (String::new(), vec!["v1".to_owned()]);
            Ok(discovered((state, faults), &[core]))
        }
        ["apis"] if aggregated => Ok(discovered((state, faults), &state.registry.groups())),
        ["api"] => Ok(respond::json(
            200,
            &json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [],
            }),
        )),
        ["apis"] => {
            let groups: Vec<_> = state
                .registry
                .groups()
                .iter()
                .map(|(g, v)| group(g, v))
                .collect();
            Ok(respond::json(
                200,
                &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
            ))
        }
        ["api", version] => resources(state, "", version),
        ["apis", name] => {
            let groups = state.registry.groups();
            let found = groups.iter().find(|(group, _)| group == name);
            let (name, versions) = found.ok_or_else(Failure::no_such_page)?;
            let mut answer = group(name, versions);
            answer["kind"] = "APIGroup".into();
            answer["apiVersion"] = "v1".into();
            Ok(respond::json(200, &answer))
        }
        ["apis", group, version] => resources(state, group, version),
        _ => Err(Failure::no_such_path()),
    }
}

fn group(name: &str, versions: &[String]) -> Value {
    let listed: Vec<_> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": listed, "preferredVersion": listed.first()})
}

/// The verbs of a kind.
fn verbs(kind: &Kind) -> Value {
    if kind.is("", "Namespace") {
        json!([
            "create", "delete", "get", "list", "patch", "update", "watch"
        ])
    } else if kind.stored {
        json!([
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch"
        ])
    } else {
        json!(["create"])
    }
}

/// Subresources: name, and the kind that is read and written there.
fn subresources(kind: &Kind) -> Vec<(&'static str, Value, Value)> {
    let change = || json!(["get", "patch", "update"]);
    let own = || json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let other = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut found = Vec::new();
    if kind.status {
        found.push(("status", own(), change()));
    }
    if kind.scale.is_some() {
        found.push(("scale", other("autoscaling", "v1", "Scale"), change()));
    }
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "serviceaccounts") => {
            let request = other("authentication.k8s.io", "v1", "TokenRequest");
            found.push(("token", request, json!(["create"])));
        }
        ("", "pods") => {
            found.push((
                "eviction",
                other("policy", "v1", "Eviction"),
                json!(["create"]),
            ));
        }
        ("", "namespaces") => found.push(("finalize", own(), json!(["update"]))),
        _ => {}
    }
    found
}

fn resources(state: &State, group: &str, version: &str) -> Result<Response<SimBody>, Failure> {
    let kinds = state.registry.version(group, version);
    if kinds.is_empty() && group.is_empty() {
        return Err(Failure::no_such_path());
    }
    if kinds.is_empty() {
        return Err(Failure::no_such_page());
    }
    let mut resources = Vec::new();
    for kind in &kinds {
        let mut resource = json!({
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": verbs(kind),
        });
        if !kind.short.is_empty() {
            resource["shortNames"] = json!(kind.short);
        }
        if !kind.categories.is_empty() {
            resource["categories"] = json!(kind.categories);
        }
        resources.push(resource);
        for (name, response, verbs) in subresources(kind) {
            let mut below = json!({
                "name": format!("{}/{name}", kind.plural),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": response["kind"],
                "verbs": verbs,
            });
            if response["kind"] != kind.kind.as_str() {
                below["group"] = response["group"].clone();
                below["version"] = response["version"].clone();
            }
            resources.push(below);
        }
    }
    let mut list = json!({"kind": "APIResourceList", "resources": resources});
    if group.is_empty() {
        // The oldest list says nothing of its own version.
        list["groupVersion"] = version.into();
    } else {
        list["apiVersion"] = "v1".into();
        list["groupVersion"] = format!("{group}/{version}").into();
    }
    Ok(respond::json(200, &list))
}

fn discovered(
    (state, faults): (&State, &Faults),
    groups: &[(String, Vec<String>)],
) -> Response<SimBody> {
    let items: Vec<_> = groups
        .iter()
        .map(|(group, versions)| {
            let versions: Vec<_> = versions
                .iter()
                .map(|version| {
                    if faults.has_lost(group) {
                        return json!({"version": version, "resources": [], "freshness": "Stale"});
                    }
                    let kinds = state.registry.version(group, version);
                    let resources: Vec<_> =
                        kinds.iter().map(|kind| discovered_kind(kind)).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let mut item = json!({"metadata": {"creationTimestamp": null}, "versions": versions});
            if !group.is_empty() {
                item["metadata"]["name"] = group.as_str().into();
            }
            item
        })
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    });
    respond::typed(200, AGGREGATED, &list)
}

fn discovered_kind(kind: &Kind) -> Value {
    let mut resource = json!({
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": verbs(kind),
    });
    if !kind.short.is_empty() {
        resource["shortNames"] = json!(kind.short);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
    let below: Vec<_> = subresources(kind)
        .into_iter()
        .map(|(name, response, verbs)| {
            json!({"subresource": name, "responseKind": response, "verbs": verbs})
        })
        .collect();
    if !below.is_empty() {
        resource["subresources"] = below.into();
    }
    resource
}
