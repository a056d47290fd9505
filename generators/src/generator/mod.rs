//! Generators: one file each, from its spec and facts to sets of parameters.
//!
//! A generator asks the [`Expander`](crate::expand::Expander) for facts and never fetches any; it
//! answers with all of its parameters or fails.

mod cluster_decision;
pub(crate) mod clusters;
mod git;
mod git_directories;
pub(crate) mod git_files;
mod interpolate;
mod list;
mod matrix;
mod merge;
mod plugin;
pub(crate) mod pull_request;
pub(crate) mod scm_filter;
pub(crate) mod scm_provider;
mod values;

use argosy_crds::application_set::ApplicationSetGenerator;

use crate::error::Stop;
use crate::expand::Expander;
use crate::flatten::flatten;
use crate::params::Params;
use crate::selector::{Selector, Values};

/// Runs every generator that is set in an entry, in the order of the API's fields, and keeps the
/// parameters that the entry's selector selects. One list for each generator.
pub(crate) fn run(
    x: &mut Expander<'_>,
    entry: &ApplicationSetGenerator,
) -> Result<Vec<Vec<Params>>, Stop> {
    let selector = entry
        .selector
        .as_ref()
        .map(|selector| Selector::new(selector, Values::Any))
        .transpose()
        .map_err(|problem| {
            Stop::failed(format!("error parsing label selector: {problem}")).below(".selector")
        })?;
    let mut results = Vec::new();
    let mut lacking = false;
    for name in entry.names() {
        match run_one(x, entry, name) {
            Ok(mut params) => {
                if let Some(selector) = selector.as_ref().filter(|selector| !selector.is_empty()) {
                    params.retain(|params| selector.matches(&flatten(params)));
                }
                results.push(params);
            }
            Err(Stop::Needs) => lacking = true,
            Err(failed) => return Err(failed.below(&format!(".{name}"))),
        }
    }
    if lacking {
        Err(Stop::Needs)
    } else {
        Ok(results)
    }
}

fn run_one(
    x: &mut Expander<'_>,
    entry: &ApplicationSetGenerator,
    name: &str,
) -> Result<Vec<Params>, Stop> {
    let ApplicationSetGenerator {
        list,
        clusters,
        git,
        scm_provider,
        cluster_decision_resource,
        pull_request,
        matrix,
        merge,
        plugin,
        selector: _,
    } = entry;
    match name {
        "list" => list.as_ref().map(|spec| list::params(x, spec)),
        "clusters" => clusters.as_ref().map(|spec| clusters::params(x, spec)),
        "git" => git.as_ref().map(|spec| git::params(x, spec)),
        "scmProvider" => scm_provider
            .as_ref()
            .map(|spec| scm_provider::params(x, spec)),
        "clusterDecisionResource" => cluster_decision_resource
            .as_ref()
            .map(|spec| cluster_decision::params(x, spec)),
        "pullRequest" => pull_request
            .as_ref()
            .map(|spec| pull_request::params(x, spec)),
        "matrix" => matrix.as_ref().map(|spec| matrix::params(x, spec)),
        "merge" => merge.as_ref().map(|spec| merge::params(x, spec)),
        "plugin" => plugin.as_ref().map(|spec| plugin::params(x, spec)),
        _ => None,
    }
    .unwrap_or_else(|| Ok(Vec::new()))
}

/// Runs the child number `index` of a matrix or merge, which must be exactly one generator.
fn run_child(
    x: &mut Expander<'_>,
    entry: &ApplicationSetGenerator,
    index: usize,
) -> Result<Vec<Params>, Stop> {
    let results = run(x, entry)
        .map_err(|stop| stop.within("child generator returned an error on parameter generation"));
    let only = results.and_then(|mut results| match results.len() {
        0 => Err(Stop::failed("child generator generated no parameters")),
        1 => Ok(results.remove(0)),
        _ => Err(Stop::failed(
            "found more than one generator in matrix.Generators",
        )),
    });
    only.map_err(|stop| stop.below(&child(index)))
}

/// The path of a child.
fn child(index: usize) -> String {
    format!(".generators[{index}]")
}
