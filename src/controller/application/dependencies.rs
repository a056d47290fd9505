//! What an application waits for in others.
//!
//! The fleet's graph knows; this is what a reconcile asks of it.

use argosy_crds::application::Operation;
use argosy_crds::codes::condition;
use argosy_engine::graph::{AppKey, Reference, Unmet, blocked_by};
use argosy_engine::sync::SyncOptions;

use super::begin::Told;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Why an operation may not begin yet because of other applications, for a condition.
pub(super) fn waits(hub: &Hub, name: &ObjectName, operation: &Operation) -> Option<String> {
    let options = operation.sync.iter().flat_map(|sync| &sync.sync_options);
    if SyncOptions::parse(options.map(String::as_str)).ignore_dependencies {
        return None;
    }
    let graph = hub.fleet.graph();
    let key = key(name);
    if let Some(cycle) = graph.cycle_of(&key) {
        return Some(cycle_text(cycle));
    }
    let unmet = graph.unmet(&key);
    (!unmet.is_empty()).then(|| blocked_by(&unmet))
}

/// What is wrong with the dependencies themselves, whether or not there is something to sync.
pub(super) fn flaw(hub: &Hub, name: &ObjectName) -> Told {
    let graph = hub.fleet.graph();
    let key = key(name);
    if let Some(cycle) = graph.cycle_of(&key) {
        return Some((condition::INVALID_SPEC_ERROR, cycle_text(cycle)));
    }
    let malformed = graph.app(&key)?.depends_on.iter();
    let malformed = malformed.filter(|one| matches!(one, Reference::Malformed(_)));
    let told: Vec<_> = malformed
        .map(|one| Unmet::Missing(one.clone()).to_string())
        .collect();
    let message = format!("argosy.dev/depends-on has {}", told.join(", "));
    (!told.is_empty()).then_some((condition::INVALID_SPEC_ERROR, message))
}

/// Whether other applications wait for what becomes of this one.
pub(super) fn is_awaited(hub: &Hub, name: &ObjectName) -> bool {
    !hub.fleet.graph().dependents_of(&key(name)).is_empty()
}

/// An application, as the graph names it.
pub(super) fn key(name: &ObjectName) -> AppKey {
    AppKey::new(&name.namespace, &name.name)
}

fn cycle_text(cycle: &[AppKey]) -> String {
    let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
    format!(
        "applications wait for each other: {}; remove one of these dependencies",
        names.join(" -> ")
    )
}
