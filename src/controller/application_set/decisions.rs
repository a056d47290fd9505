//! Cluster decisions: resources of any kind, in the hub's namespace, whose status lists clusters.

use std::collections::BTreeMap;

use argosy_facts::Observed;
use argosy_generators::Decisions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::Selector;
use kube::{Api, ResourceExt as _};
use serde_json::Value;

use crate::hub::Hub;
use crate::scm::reference::{config_map, told};

/// The items that the resources' status lists. One that has no such list yet makes it partial:
/// nobody has decided that there are no clusters.
pub(super) async fn decisions(
    hub: &Hub,
    map: &str,
    name: &str,
    label_selector: &str,
) -> Result<Observed<Decisions>, String> {
    let data = config_map(&hub.client, &hub.config.namespace, map)
        .await
        .map_err(|why| format!("error reading configMapRef: {why}"))?;
    let field = |key: &str| data.get(key).map_or("", |text| text.trim());
    let resource = resource(field("apiVersion"), field("kind"))?;
    let api: Api<DynamicObject> =
        Api::namespaced_with(hub.client.clone(), &hub.config.namespace, &resource);
    let found = api
        .list(&selection(name, label_selector)?)
        .await
        .map_err(|error| format!("failed to get dynamic resources: {}", told(&error)))?;
    let list = match field("statusListKey") {
        "" => "clusters",
        key => key,
    };
    let mut decisions = Decisions {
        resources: found.items.len(),
        match_key: field("matchKey").to_owned(),
        items: Vec::new(),
    };
    let mut gap = None;
    for object in &found.items {
        match items(object, list) {
            Some(items) => decisions.items.extend(items),
            None => {
                gap.get_or_insert_with(|| {
                    format!(
                        "{} {} has no list status.{list}",
                        resource.plural,
                        object.name_any()
                    )
                });
            }
        }
    }
    Ok(match gap {
        None => Observed::complete(decisions),
        Some(why) => Observed::partial(decisions, why),
    })
}

/// The ConfigMap calls the plural of the resource its kind.
fn resource(api_version: &str, plural: &str) -> Result<ApiResource, String> {
    let (group, version) = api_version.split_once('/').unwrap_or_default();
    if group.is_empty() || plural.is_empty() {
        let wrong = "there is a problem with the apiVersion, kind or resourceName provided";
        return Err(wrong.to_owned());
    }
    Ok(ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: plural.to_owned(),
        plural: plural.to_owned(),
    })
}

fn selection(name: &str, label_selector: &str) -> Result<ListParams, String> {
    if !name.is_empty() {
        return Ok(ListParams::default().fields(&format!("metadata.name={name}")));
    }
    let wrong = |why: String| format!("error reading labelSelector: {why}");
    let selector: LabelSelector =
        serde_json::from_str(label_selector).map_err(|error| wrong(error.to_string()))?;
    let selector = Selector::try_from(selector).map_err(|error| wrong(error.to_string()))?;
    Ok(ListParams::default().labels_from(&selector))
}

fn items(object: &DynamicObject, list: &str) -> Option<Vec<BTreeMap<String, Value>>> {
    let items = object.data.get("status")?.get(list)?.as_array()?;
    let as_map = |item: &Value| {
        let fields = item.as_object()?.iter();
        Some(
            fields
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    };
    items.iter().map(as_map).collect()
}
