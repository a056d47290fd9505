//! The whole plan held against what the cluster says of its kinds, before the first write.
//!
//! It costs no request: the documents are there, because comparisons need them. Only where they show
//! a mistake is the cluster asked for its newest ones, for a definition may have changed a moment ago,
//! and for its admission webhooks, which may add what is missing.

use std::collections::BTreeMap;

use argosy_engine::schema::{Mistake, SchemaSource, mistakes};
use argosy_engine::sync::{Action, SyncPlan, Task, TaskId, Webhooks};

use super::observe::Observation;
use crate::hub::Hub;

/// Checks every object that the plan writes; the error tells all mistakes.
pub(super) async fn check(
    hub: &Hub,
    observation: &Observation,
    plan: &SyncPlan,
) -> Result<(), String> {
    let suspected = flawed(observation, plan, &observation.schemas, |_| true);
    if suspected.is_empty() {
        return Ok(());
    }
    let api_versions = suspected.keys().map(|id| plan.task(*id).gvk.api_version());
    let cluster = &observation.cluster;
    let newest = cluster
        .schemas
        .newest_of(
            (&cluster.client, hub.blocking),
            observation.served.api_digest(),
            &api_versions.collect(),
        )
        .await;
    let webhooks = cluster.admission.webhooks(&cluster.client).await;
    let confirmed = flawed(observation, plan, &newest.own(), |task| {
        !may_complete(observation, &webhooks, task)
    });
    let told = suspected.iter().filter_map(|(id, found)| {
        let confirmed = confirmed.get(id)?;
        let is_confirmed = |one: &&Mistake| confirmed.iter().any(|other| other.path == one.path);
        let texts: Vec<_> = found
            .iter()
            .filter(is_confirmed)
            .map(ToString::to_string)
            .collect();
        (!texts.is_empty()).then(|| format!("{}: {}", plan.task(*id).key, texts.join(", ")))
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(format!(
        "nothing was applied, because the cluster would refuse {}",
        told.join("; ")
    ))
}

/// Whether a webhook may add what is missing in the object of a task.
fn may_complete(observation: &Observation, webhooks: &Webhooks, task: &Task) -> bool {
    let gvk = &task.gvk;
    let kind = observation.served.kind(&gvk.group, &gvk.version, &gvk.kind);
    kind.is_none_or(|kind| webhooks.may_complete(&gvk.group, &kind.resource.plural))
}

/// The tasks that have mistakes; what is missing counts where it `has_to_be_there` already.
fn flawed(
    observation: &Observation,
    plan: &SyncPlan,
    schemas: &dyn SchemaSource,
    has_to_be_there: impl Fn(&Task) -> bool,
) -> BTreeMap<TaskId, Vec<Mistake>> {
    let defined = plan.defined_kinds();
    let checked = plan.iter().filter(|(_, task)| {
        let is_wanted = match &task.action {
            Action::Apply(mode) | Action::Hook { mode, .. } => mode.validate,
            Action::DeleteHook(_) | Action::Prune { .. } => false,
        };
        // A definition in the plan may bring the field along.
        is_wanted && !task.deferred && !defined.contains(&task.gvk.group_kind())
    });
    let found = checked.filter_map(|(id, task)| {
        let desired = task.desired.as_deref()?;
        let is_new = observation.live.as_complete().is_some()
            && observation.cluster.live.get(&task.key).is_none()
            && has_to_be_there(task);
        let found = mistakes(desired, schemas, is_new);
        (!found.is_empty()).then_some((id, found))
    });
    found.collect()
}
