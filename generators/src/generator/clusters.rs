//! The clusters generator: one set of parameters for each registered cluster.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::ClusterGenerator;
use argosy_crds::names::{IN_CLUSTER_NAME, IN_CLUSTER_SERVER, annotation, label};
use argosy_facts::Observed;
use argosy_glob::gobwas;
use argosy_gotemplate::argocd::normalize;
use argosy_gotemplate::{Elem, List, Value};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Cluster, Request, SelectedClusters};
use crate::params::{Params, string_map};
use crate::selector::{Selector, Values};

pub(super) fn params(x: &mut Expander<'_>, spec: &ClusterGenerator) -> Result<Vec<Params>, Stop> {
    Filter::new(spec).map_err(Stop::failed)?;
    let request = Request::Clusters {
        generator: bare(spec)?,
    };
    let Answer::Clusters(selected) = x.ask(request)? else {
        return Err(Stop::failed(
            "error getting clusters: the answer is of another kind",
        ));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    let local = selected.local.then(local_params);
    let registered = selected.registered.iter();
    let mut sets: Vec<Params> = registered
        .map(|cluster| cluster_params(cluster, is_go))
        .chain(local)
        .collect();
    sets.iter_mut()
        .try_for_each(|params| values.append(params))?;
    if !spec.flat_list {
        return Ok(sets);
    }
    let clusters = sets.iter().map(Params::to_value).collect();
    let mut flat = Params::default();
    flat.set("clusters", Value::List(List::new(Elem::Map, clusters)));
    Ok(vec![flat])
}

/// The part of the generator that says which clusters it takes.
pub(crate) fn bare(spec: &ClusterGenerator) -> Result<String, Stop> {
    let ClusterGenerator {
        selector,
        exclude,
        names,
        flat_list: _,
        values: _,
        template: _,
    } = spec;
    let bare = ClusterGenerator {
        selector: selector.clone(),
        exclude: exclude.clone(),
        names: names.clone(),
        ..ClusterGenerator::default()
    };
    serde_json::to_string(&bare)
        .map_err(|error| Stop::failed(format!("cannot read the generator: {error}")))
}

/// The clusters that the generator of a [`Request::Clusters`] takes; of several with one name the
/// last counts.
///
/// A Secret without an address hides a cluster whose Applications must not be taken for surplus, so
/// that with one the answer is partial. So is it where the generator cannot be read.
pub fn select_clusters(generator: &str, registered: &[Cluster]) -> Observed<Answer> {
    let filter = serde_json::from_str(generator)
        .map_err(|error| format!("cannot read the generator: {error}"))
        .and_then(|spec| Filter::new(&spec));
    let filter = match filter {
        Ok(filter) => filter,
        Err(problem) => return Observed::unknown(problem),
    };
    let mut by_name = BTreeMap::new();
    let mut hidden = None;
    for cluster in registered {
        if filter.takes(cluster) {
            by_name.insert(&cluster.name, visible(cluster));
        }
        if cluster.server.is_empty() && filter.may_take(cluster) {
            hidden = Some(&cluster.name);
        }
    }
    let answer = Answer::Clusters(SelectedClusters {
        registered: by_name.into_values().collect(),
        local: filter.takes_local(registered),
    });
    match hidden {
        Some(name) => Observed::partial(
            answer,
            format!("the cluster Secret of `{name}` has no server; set its key `server`"),
        ),
        None => Observed::complete(answer),
    }
}

/// What of a cluster reaches parameters: what kubectl applied last holds the Secret's data and does
/// not.
fn visible(cluster: &Cluster) -> Cluster {
    let mut cluster = cluster.clone();
    cluster.annotations.remove(annotation::LAST_APPLIED);
    cluster
}

/// The addresses of all registered clusters, the answer to [`Request::Servers`].
pub fn servers(registered: &[Cluster]) -> Answer {
    let servers = registered
        .iter()
        .map(|cluster| (cluster.name.clone(), cluster.server.clone()));
    Answer::Servers(servers.collect())
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
    fn new(spec: &ClusterGenerator) -> Result<Self, String> {
        let compile = |selector: &LabelSelector| {
            Selector::new(selector, Values::Labels).map_err(|problem| {
                format!("error getting cluster secrets: error converting label selector: {problem}")
            })
        };
        let names = spec
            .names
            .iter()
            .map(|pattern| gobwas::Glob::compile(pattern, &[]))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("error reading names: {error}"))?;
        Ok(Self {
            selector: compile(&of_clusters(spec.selector.clone().unwrap_or_default()))?,
            exclude: spec.exclude.as_ref().map(compile).transpose()?,
            names,
        })
    }

    fn takes(&self, cluster: &Cluster) -> bool {
        self.takes_labels(&cluster.labels) && self.takes_name(&cluster.name)
    }

    /// As [`Self::takes`], for a Secret that may have lost the name, too.
    fn may_take(&self, cluster: &Cluster) -> bool {
        self.takes_labels(&cluster.labels)
            && (cluster.name.is_empty() || self.takes_name(&cluster.name))
    }

    fn takes_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let exclude = self.exclude.as_ref();
        self.selector.matches(labels) && !exclude.is_some_and(|exclude| exclude.matches(labels))
    }

    fn takes_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|glob| glob.is_match(name))
    }

    /// The hub's own cluster has no labels without a Secret, so that any selector leaves it out.
    fn takes_local(&self, registered: &[Cluster]) -> bool {
        self.selector.is_empty()
            && has_implicit_local(registered)
            && self.takes_name(IN_CLUSTER_NAME)
    }
}

/// The selector with the type of the Secrets put right where it names one: the generator adds it
/// itself.
fn of_clusters(mut selector: LabelSelector) -> LabelSelector {
    let labels = selector.match_labels.iter_mut();
    for kind in labels.filter_map(|labels| labels.get_mut(label::SECRET_TYPE)) {
        label::SECRET_TYPE_CLUSTER.clone_into(kind);
    }
    selector
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
    params.set("nameNormalized", normalize(&cluster.name));
    params.set("server", cluster.server.as_str());
    params.set("project", cluster.project.as_str());
    let kinds = [
        ("annotations", &cluster.annotations),
        ("labels", &cluster.labels),
    ];
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
