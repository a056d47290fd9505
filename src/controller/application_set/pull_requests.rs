//! Which sets a pull request's event concerns.

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::application_set::generators::PullRequestGenerator;
use argosy_generators::Request;

use super::Memory;
use crate::fleet::ObjectName;

/// The pull request generators of a set at any depth: as they are written, and as they were when
/// the set was generated last, with the parameters of earlier generators in place.
pub(in crate::controller) fn generators(
    memory: &Memory,
    name: &ObjectName,
    set: &ApplicationSet,
) -> Vec<PullRequestGenerator> {
    let mut all = Vec::new();
    walk(&set.spec.generators, &mut all);
    if all.is_empty() {
        return all;
    }
    let requests = memory.requests(name).unwrap_or_default();
    all.extend(requests.iter().filter_map(|request| match request {
        Request::PullRequests { generator } => serde_json::from_str(generator).ok(),
        _ => None,
    }));
    all
}

fn walk(entries: &[ApplicationSetGenerator], all: &mut Vec<PullRequestGenerator>) {
    for entry in entries {
        all.extend(entry.pull_request.as_deref().cloned());
        let nested: Vec<_> = entry.children().cloned().collect();
        walk(&nested, all);
    }
}

/// Whether one of the set's own generators is a plugin, which any event may concern.
pub(in crate::controller) fn has_plugin(set: &ApplicationSet) -> bool {
    set.spec
        .generators
        .iter()
        .any(|entry| entry.plugin.is_some())
}
