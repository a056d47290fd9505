//! The cluster decision generator: clusters that another controller chose.

use argosy_crds::application_set::generators::DuckTypeGenerator;
use argosy_crds::names::{IN_CLUSTER_NAME, IN_CLUSTER_SERVER};
use argosy_gotemplate::Value;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

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
        let name = item
            .get(&decisions.match_key)
            .and_then(|name| name.as_str());
        let Some((name, server)) = name.and_then(|name| Some((name, server_of(name)?))) else {
            continue;
        };
        let mut params = Params::default();
        params.set("name", name);
        params.set("server", server);
        for (key, value) in item {
            params.set(key.as_str(), print(&Value::from(value)));
        }
        values::add(&mut params, &spec.values, is_go);
        sets.push(params);
    }
    Ok(sets)
}
