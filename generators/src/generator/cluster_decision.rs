//! The cluster decision generator: clusters that another controller chose.

use argosy_crds::application_set::generators::DuckTypeGenerator;
use argosy_crds::names::{IN_CLUSTER_NAME, IN_CLUSTER_SERVER};
use argosy_gotemplate::Value;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value as Json;

use super::values;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::flatten::print;
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &DuckTypeGenerator) -> Result<Vec<Params>, Stop> {
    if spec.name.is_empty() == (spec.label_selector == LabelSelector::default()) {
        return Err(Stop::failed(
            "there is a problem with the definition of the ClusterDecisionResource generator",
        ));
    }
    let servers = x.ask(Request::Servers);
    let request = Request::ClusterDecisions {
        config_map: spec.config_map_ref.clone(),
        name: spec.name.clone(),
        label_selector: serde_json::to_string(&spec.label_selector).unwrap_or_default(),
    };
    let decisions = x.ask(request)?;
    let (Answer::Servers(servers), Answer::Decisions(decisions)) = (servers?, decisions) else {
        return Err(Stop::failed("the answer is of another kind"));
    };
    if decisions.resources == 0 {
        return Err(Stop::failed("no clusterDecisionResources found"));
    }
    let has_implicit_local = servers.values().all(|server| server != IN_CLUSTER_SERVER);
    let server_of = |name: &str| {
        let is_local = name == IN_CLUSTER_NAME && has_implicit_local;
        let found = servers.get(name).map(String::as_str);
        found.or(is_local.then_some(IN_CLUSTER_SERVER))
    };
    let is_go = x.engine.is_go();
    let mut sets = Vec::new();
    for item in &decisions.items {
        let name = item.get(&decisions.match_key).map(text);
        let Some((name, server)) = name.and_then(|name| {
            let server = server_of(&name)?;
            Some((name, server))
        }) else {
            continue;
        };
        let mut params = Params::default();
        params.set("name", name);
        params.set("server", server);
        for (key, value) in item {
            params.set(key.as_str(), text(value));
        }
        values::add(&mut params, &spec.values, is_go);
        sets.push(params);
    }
    Ok(sets)
}

/// A field of a decision as text. Whole numbers of a resource are integers, not floats.
fn text(field: &Json) -> String {
    print(&value(field))
}

fn value(field: &Json) -> Value {
    match field {
        Json::Number(number) if number.is_i64() => {
            Value::Int64(number.as_i64().unwrap_or_default())
        }
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(entries) => Value::map(
            entries
                .iter()
                .map(|(key, field)| (key.as_str(), value(field))),
        ),
        scalar => scalar.into(),
    }
}
