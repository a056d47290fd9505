//! The plan of a sync, with the project's permission for each of its tasks.

use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::application::{ManagedNamespaceMetadata, SyncOperation};
use argosy_engine::object::{Gvk, ResourceKey};
use argosy_engine::project::{Denied, PermittedPlan, Placement, Rules};
use argosy_engine::sync::{
    self, DestinationNamespace, KindScope, NamespaceMetadata, PlanInput, Selector, SyncOptions,
    SyncPlan, TaskId, UnknownKinds,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::assess::{Assessment, settled};
use super::course;
use super::objects::objects;
use super::observe::Observation;
use super::resume;
use super::start::modified;
use crate::cluster::Served;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Plans a sync and has the project permit it.
pub(super) fn plan(
    (hub, name): (&Hub, &ObjectName),
    observation: &Observation,
    application: &Application,
    sync: &SyncOperation,
    assessment: &Assessment,
    begun: (Timestamp, &str),
) -> Result<PermittedPlan, String> {
    let place = (hub, name);
    let span = course::stage(hub, name, "plan");
    let plan = permitted(place, observation, application, sync, assessment, begun);
    span.end_with(plan, String::as_str)
}

fn permitted(
    (hub, name): (&Hub, &ObjectName),
    observation: &Observation,
    application: &Application,
    sync: &SyncOperation,
    assessment: &Assessment,
    (started_at, stamp): (Timestamp, &str),
) -> Result<PermittedPlan, String> {
    let live = observation
        .live
        .clone()
        .map(|live| live.into_iter().map(Arc::new).collect());
    let owns = |object: &Value| {
        observation
            .settings
            .tracking
            .owns(object, &observation.instance)
    };
    let kinds = |gvk: &Gvk| scope(&observation.served, gvk);
    let strategy = sync.sync_strategy.as_ref();
    let mut options = SyncOptions::parse(sync.sync_options.iter().map(String::as_str));
    options.force |= strategy.is_some_and(argosy_crds::application::SyncStrategy::force);
    let selected: Vec<_> = sync
        .resources
        .iter()
        .map(|one| Selector {
            group: one.group.clone(),
            kind: one.kind.clone(),
            name: one.name.clone(),
            namespace: one.namespace.clone(),
        })
        .collect();
    let objects = objects(observation, assessment, &options, &selected)?;
    let modified = modified(assessment);
    let plan = SyncPlan::new(&PlanInput {
        desired: objects
            .iter()
            .map(|object| Arc::new(resume::marked(object, stamp)))
            .collect(),
        live: &live,
        owns: &owns,
        modified: Some(&modified),
        namespace: &application.spec.destination.namespace,
        kinds: &kinds,
        unknown_kinds: UnknownKinds::Defer,
        destination: destination_namespace(hub, name, observation, application),
        options,
        prune: sync.prune,
        skip_hooks: strategy.is_some_and(|strategy| strategy.apply.is_some())
            || !selected.is_empty(),
        selected,
        revision: observation
            .desired
            .revisions
            .first()
            .map_or("", String::as_str),
        started_at,
    })
    .map_err(|error| error.to_string())?;
    let flaws = sync::check(&plan);
    if let Some(flaw) = flaws.first() {
        return Err(format!(
            "the plan is not sound, which is a fault of Argosy: {flaw}"
        ));
    }
    let rules = Rules::of(&observation.project);
    let placement = Placement {
        cluster: &observation.known,
        kinds: &kinds,
    };
    let permitted = rules.permit_plan(plan, placement);
    permitted.map_err(|denied| not_valid(&denied))
}

/// Why a plan that was permitted may not be carried on; `None` if it may.
pub(super) fn forbidden(observation: &Observation, plan: &SyncPlan) -> Option<String> {
    let kinds = |gvk: &Gvk| scope(&observation.served, gvk);
    let placement = Placement {
        cluster: &observation.known,
        kinds: &kinds,
    };
    let denied = Rules::of(&observation.project).denials(plan, placement);
    (!denied.is_empty()).then(|| not_valid(&denied))
}

fn not_valid(denied: &[(TaskId, Denied)]) -> String {
    let reasons: Vec<_> = denied.iter().map(|(_, why)| why.to_string()).collect();
    format!(
        "one or more synchronization tasks are not valid: {}",
        reasons.join("; ")
    )
}

fn scope(served: &Served, gvk: &Gvk) -> KindScope {
    match served.kind(&gvk.group, &gvk.version, &gvk.kind) {
        Some(kind) if kind.namespaced => KindScope::Namespaced,
        Some(_) => KindScope::Cluster,
        None => KindScope::Unknown(format!("the cluster does not serve {gvk}")),
    }
}

/// The destination's namespace; if it is as the last sync has left it, there is nothing to set.
fn destination_namespace(
    hub: &Hub,
    name: &ObjectName,
    observation: &Observation,
    application: &Application,
) -> DestinationNamespace {
    let namespace = &application.spec.destination.namespace;
    let live = observation.cluster.live.namespace(namespace);
    let metadata = managed(application).filter(|managed| {
        let key = namespace_key(application);
        let word = live
            .as_ref()
            .map(|live| settled(&as_value(managed), live, &observation.settings.overrides));
        !word.is_some_and(|word| hub.applications.is_settled(name, &key, &word))
    });
    let key = namespace_key(application);
    let there = || {
        observation.cluster.live.get(&key)?;
        Some(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": key.name}}))
    };
    DestinationNamespace {
        live: live.or_else(there).map(Arc::new),
        metadata: metadata.map(|metadata| NamespaceMetadata {
            labels: metadata.labels.clone(),
            annotations: metadata.annotations.clone(),
        }),
    }
}

/// Notes how a sync has left the destination's namespace, if it set its metadata.
pub(super) fn remember_namespace(
    hub: &Hub,
    name: &ObjectName,
    observation: &Observation,
    (application, plan): (&Application, &SyncPlan),
) {
    let namespace = &application.spec.destination.namespace;
    let key = namespace_key(application);
    if !plan.tasks().iter().any(|task| task.key == key) {
        return;
    }
    if let Some(managed) = managed(application)
        && let Some(live) = observation.cluster.live.namespace(namespace)
    {
        let word = settled(&as_value(managed), &live, &observation.settings.overrides);
        hub.applications.settle(name, key, word);
    }
}

fn managed(application: &Application) -> Option<&ManagedNamespaceMetadata> {
    let policy = application.spec.sync_policy.as_ref()?;
    policy.managed_namespace_metadata.as_ref()
}

fn as_value(metadata: &ManagedNamespaceMetadata) -> Value {
    json!({"labels": metadata.labels, "annotations": metadata.annotations})
}

fn namespace_key(application: &Application) -> ResourceKey {
    ResourceKey::new("", "Namespace", "", &application.spec.destination.namespace)
}
