//! The clusters generator: one set of parameters for each registered cluster.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::generators::ClusterGenerator;
use argosy_crds::names::{IN_CLUSTER_NAME, IN_CLUSTER_SERVER, annotation};
use argosy_glob::gobwas;
use argosy_gotemplate::Value;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Cluster, Request};
use crate::names::normalise;
use crate::params::{Params, string_map};
use crate::selector::{Selector, Values};

pub(super) fn params(x: &mut Expander<'_>, spec: &ClusterGenerator) -> Result<Vec<Params>, Stop> {
    let filter = Filter::new(spec)?;
    let registered = registered(x)?;
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();

    let mut sets = Vec::new();
    if filter.takes_local(registered) {
        sets.push(local_params());
    }
    let by_name: BTreeMap<&str, &Cluster> = registered
        .iter()
        .filter(|cluster| filter.takes(cluster))
        .map(|cluster| (cluster.name.as_str(), cluster))
        .collect();
    sets.extend(
        by_name
            .values()
            .map(|cluster| cluster_params(cluster, is_go)),
    );
    sets.iter_mut()
        .try_for_each(|params| values.append(params))?;
    if !spec.flat_list {
        return Ok(sets);
    }
    let clusters = sets.iter().map(Params::to_value).collect();
    let mut flat = Params::default();
    flat.set("clusters", Value::list(clusters));
    Ok(vec![flat])
}

/// The registered clusters.
pub(super) fn registered<'f>(x: &mut Expander<'f>) -> Result<&'f [Cluster], Stop> {
    match x.ask(Request::Clusters)? {
        Answer::Clusters(clusters) => Ok(clusters),
        _ => Err(Stop::failed(
            "error getting clusters: the answer is of another kind",
        )),
    }
}

/// Whether the hub's own cluster has no Secret and so is known under its default name.
pub(crate) fn has_implicit_local(registered: &[Cluster]) -> bool {
    registered
        .iter()
        .all(|cluster| cluster.server != IN_CLUSTER_SERVER)
}

/// Which clusters are taken.
struct Filter {
    selector: Selector,
    exclude: Option<Selector>,
    names: Vec<gobwas::Glob>,
}

impl Filter {
    fn new(spec: &ClusterGenerator) -> Result<Self, Stop> {
        let compile = |selector: &LabelSelector| {
            Selector::new(selector, Values::Labels).map_err(|problem| {
                Stop::failed(format!(
                    "error getting cluster secrets: error converting label selector: {problem}"
                ))
            })
        };
        let names = spec
            .names
            .iter()
            .map(|pattern| gobwas::Glob::compile(pattern, &[]))
            .collect::<Result<_, _>>()
            .map_err(|error| Stop::failed(format!("error reading names: {error}")))?;
        Ok(Self {
            selector: compile(&spec.selector.clone().unwrap_or_default())?,
            exclude: spec.exclude.as_ref().map(compile).transpose()?,
            names,
        })
    }

    fn takes(&self, cluster: &Cluster) -> bool {
        self.selector.matches(&cluster.labels)
            && self.takes_name(&cluster.name)
            && !self
                .exclude
                .as_ref()
                .is_some_and(|exclude| exclude.matches(&cluster.labels))
    }

    fn takes_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|glob| glob.is_match(name))
    }

    /// The hub's own cluster has no labels without a Secret, so that any selector leaves it out.
    fn takes_local(&self, registered: &[Cluster]) -> bool {
        let names: BTreeSet<_> = registered.iter().map(|c| c.name.as_str()).collect();
        self.selector.is_empty()
            && has_implicit_local(registered)
            && !names.contains(IN_CLUSTER_NAME)
            && self.takes_name(IN_CLUSTER_NAME)
    }
}

fn local_params() -> Params {
    let mut params = Params::default();
    params.set("name", IN_CLUSTER_NAME);
    params.set("nameNormalized", IN_CLUSTER_NAME);
    params.set("server", IN_CLUSTER_SERVER);
    params.set("project", "");
    params
}

fn cluster_params(cluster: &Cluster, is_go: bool) -> Params {
    let mut params = Params::default();
    params.set("name", cluster.name.as_str());
    params.set("nameNormalized", normalise(&cluster.name));
    params.set("server", cluster.server.as_str());
    params.set("project", cluster.project.as_str());
    // What kubectl applied last holds the Secret's data and must not reach an Application.
    let mut annotations = cluster.annotations.clone();
    annotations.remove(annotation::LAST_APPLIED);
    let kinds = [("annotations", &annotations), ("labels", &cluster.labels)];
    if is_go {
        let filled = kinds.into_iter().filter(|(_, entries)| !entries.is_empty());
        let metadata = filled.map(|(kind, entries)| (kind, string_map(entries)));
        params.set("metadata", Value::map(metadata));
        return params;
    }
    for (kind, entries) in kinds {
        for (key, value) in entries {
            params.set(format!("metadata.{kind}.{key}"), value.as_str());
        }
    }
    params
}
