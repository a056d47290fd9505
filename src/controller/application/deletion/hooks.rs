//! Hooks of a deletion, from the revision that was synced last.
//!
//! What is created here is permitted by the project like everything else. All that is known is read
//! from the cluster, so that a restart goes on where another process stopped.

use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::application::ApplicationSource;
use argosy_engine::health::{self, Health, HealthStatus};
use argosy_engine::object::{DeleteHookType, ObjectExt, is_delete_hook};
use argosy_engine::operation::{DeleteHook, HookStep, cleanup, next_hooks};
use argosy_engine::project::Rules;
use argosy_engine::sync::Propagation;
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::{Held, Target, is_there, project, target};
use crate::controller::application::desired::desired;
use crate::controller::application::rules::instance_name;
use crate::executor::{ApplyOptions, Place};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// A hook and where it lives.
struct Hook {
    object: Value,
    place: Place,
    live: Option<Value>,
}

/// Runs the hooks of one type; whether all of them have ended well.
pub(super) async fn run(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    kind: DeleteHookType,
) -> Result<bool, Held> {
    let hooks = hooks(hub, name, application, kind).await?;
    let judged = judged(hub, &hooks);
    match next_hooks(&judged) {
        HookStep::Done => Ok(true),
        HookStep::Wait => Ok(false),
        HookStep::Create(positions) => {
            for hook in positions.into_iter().map(|position| &hooks[position]) {
                if !is_there(hub, name, application) {
                    return Ok(false);
                }
                let options = ApplyOptions {
                    validate: true,
                    ..ApplyOptions::default()
                };
                let created = hook.place.apply(&hook.object, options).await;
                created.map_err(|failure| {
                    let what = hook.object.resource_key();
                    Held::error(format!(
                        "cannot create {} hook {what}: {failure}",
                        kind.as_str()
                    ))
                })?;
            }
            Ok(false)
        }
        HookStep::Failed(positions) => {
            let messages: Vec<_> = positions
                .iter()
                .map(|position| message(&judged[*position]))
                .collect();
            for hook in positions.into_iter().map(|position| &hooks[position]) {
                delete(hook).await?;
            }
            Err(Held::error(format!(
                "{} hooks failed and are tried again: {}",
                kind.as_str(),
                messages.join("; ")
            )))
        }
    }
}

/// Deletes the hooks of one type that ran, as their policies say.
pub(super) async fn clean_up(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    kind: DeleteHookType,
) -> Result<bool, Held> {
    let hooks = hooks(hub, name, application, kind).await?;
    for position in cleanup(&judged(hub, &hooks)) {
        delete(&hooks[position]).await?;
    }
    Ok(true)
}

/// The sources and revisions that were synced last; `None` if nothing ever was.
fn last_synced(application: &Application) -> Option<(Vec<ApplicationSource>, Vec<String>)> {
    let status = application.status.as_ref()?;
    let (source, sources, revision, revisions) = if let Some(last) = status.history.last() {
        (&last.source, &last.sources, &last.revision, &last.revisions)
    } else {
        let state = status.operation_state.as_ref();
        let result = state
            .filter(|state| state.phase.is_successful())?
            .sync_result
            .as_ref()?;
        let (one, many) = (&result.revision, &result.revisions);
        (&result.source, &result.sources, one, many)
    };
    if sources.is_empty() {
        return Some((vec![source.clone()?], vec![revision.clone()]));
    }
    Some((sources.clone(), revisions.clone()))
}

async fn hooks(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    kind: DeleteHookType,
) -> Result<Vec<Hook>, Held> {
    let Some((sources, revisions)) = last_synced(application) else {
        return Ok(Vec::new());
    };
    let target = target(hub, application).await?;
    let desired = desired(hub, name, application, &sources, &revisions).await;
    let desired = desired.map_err(|failure| {
        Held::blocked(format!(
            "the {} hooks of the last synced revision cannot be rendered: {}",
            kind.as_str(),
            failure.message
        ))
    })?;
    let project = project(hub, application)?;
    let mut found = Vec::new();
    for object in desired.manifests().filter(|one| is_delete_hook(one, kind)) {
        let object = prepared(hub, name, application, (object, kind), &revisions);
        found.push(hook(&target, Rules::of(&project), object).await?);
    }
    Ok(found)
}

/// A hook as it is created: named, and marked as the application's.
fn prepared(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    (object, kind): (&Value, DeleteHookType),
    revisions: &[String],
) -> Value {
    let mut object = object.clone();
    if object.name().is_empty() {
        let revision: String = revisions
            .first()
            .into_iter()
            .flat_map(|one| one.chars().take(7))
            .collect();
        let deleted = application.metadata.deletion_timestamp.as_ref();
        let second = deleted.map_or(0, |deleted| deleted.0.as_second());
        let suffix = format!("{revision}-{}-{second}", kind.as_str()).to_lowercase();
        object["metadata"]["name"] = json!(format!("{}{suffix}", object.generate_name()));
    }
    let namespace = &application.spec.destination.namespace;
    let instance = instance_name(name, &hub.config.namespace);
    hub.fleet
        .settings()
        .tracking
        .mark(&mut object, &instance, namespace);
    if object.namespace().is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// Finds a hook's place and what lives there, if the project permits it.
async fn hook(target: &Target, rules: Rules<'_>, mut object: Value) -> Result<Hook, Held> {
    let gvk = object.gvk();
    let wanted = GroupVersionKind::gvk(&gvk.group, &gvk.version, &gvk.kind);
    let client = &target.cluster.client;
    let served = target.cluster.discovery.covering(client, &[wanted]).await;
    let served = served.map_err(|error| Held::blocked(crate::diagnostic::chain(&error)))?;
    let Some(kind) = served.kind(&gvk.group, &gvk.version, &gvk.kind) else {
        let what = object.resource_key();
        return Err(Held::error(format!(
            "the cluster does not serve the hook {what}"
        )));
    };
    if !kind.namespaced
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.remove("namespace");
    }
    let permitted = rules.permit(object.resource_key(), kind.namespaced, &target.known);
    permitted.map_err(|denied| Held::error(denied.to_string()))?;
    let namespace = kind.namespaced.then_some(object.namespace());
    let place = Place::new(&target.actor, &kind.resource, namespace);
    let live = place.get(object.name()).await;
    let live = live.map_err(|failure| Held::blocked(failure.to_string()))?;
    Ok(Hook {
        object,
        place,
        live,
    })
}

fn judged<'a>(hub: &Hub, hooks: &'a [Hook]) -> Vec<DeleteHook<'a>> {
    let (overrides, now) = (hub.fleet.settings(), hub.clock.now());
    let judge = |live: &Value| {
        health::assess(live, &overrides.overrides, now)
            .unwrap_or_else(|error| Some(Health::new(HealthStatus::Unknown, error.to_string())))
    };
    let judged = hooks.iter().map(|hook| DeleteHook {
        object: &hook.object,
        live: hook.live.as_ref().map(judge),
    });
    judged.collect()
}

fn message(hook: &DeleteHook<'_>) -> String {
    let health = hook.live.clone().flatten();
    let message = health.map(|health| health.message).unwrap_or_default();
    format!("{} {message}", hook.object.resource_key())
}

async fn delete(hook: &Hook) -> Result<(), Held> {
    let uid = hook.live.as_ref().map(ObjectExt::uid);
    let gone = hook
        .place
        .delete(hook.object.name(), uid, Propagation::Background, false)
        .await;
    gone.map(drop).map_err(|failure| {
        let what = hook.object.resource_key();
        Held::error(format!("cannot delete hook {what}: {failure}"))
    })
}
