//! The end of an application: what it brought goes first, then its finalizer.
//!
//! Nothing is given up on the way. A cluster that cannot be reached, or is no longer registered,
//! holds the application back and says so; only a person may decide that what is there stays.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::codes::condition;
use argosy_crds::{Application, names};
use argosy_engine::application::KnownCluster;
use argosy_engine::object::{ObjectExt as _, ResourceKey, names as keys};
use argosy_engine::operation::{Deletion, next_deletion};
use argosy_engine::project::Rules;
use argosy_engine::sync::{Propagation, SyncOptions};
use argosy_facts::{Complete, Observed};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::live::live;
use super::rules::{instance_name, is_approved_since};
use crate::cluster::{Cluster, ConnectionStatus, Served};
use crate::controller::worker::Next;
use crate::executor::{Deleted, Failure, Place};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How soon a deletion is looked at again although no event came.
const AGAIN: Duration = Duration::from_secs(2);

/// Why a deletion cannot go on.
struct Held(String);

/// Brings the deletion of an application a step further.
pub(super) async fn proceed(hub: &Arc<Hub>, name: &ObjectName, application: &Application) -> Next {
    let Some(propagation) = cascade(application) else {
        return Next::WhenWoken;
    };
    match step(hub, name, application, propagation).await {
        Ok(true) => match release(hub, name, application).await {
            Ok(()) => Next::WhenWoken,
            Err(error) => {
                tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "the finalizer was not removed and will be");
                Next::Backoff
            }
        },
        Ok(false) => Next::After(AGAIN),
        Err(Held(why)) => {
            say(hub, name, application, &why).await;
            Next::Backoff
        }
    }
}

/// How the resources are deleted; `None` where they are to stay.
fn cascade(application: &Application) -> Option<Propagation> {
    if application.has_finalizer(keys::BACKGROUND_FINALIZER) {
        return Some(Propagation::Background);
    }
    let foreground = application.has_finalizer(keys::RESOURCES_FINALIZER)
        || application.has_finalizer(keys::FOREGROUND_FINALIZER);
    foreground.then_some(Propagation::Foreground)
}

/// What an application still has on its cluster.
struct Remains {
    cluster: Arc<Cluster>,
    served: Arc<Served>,
    objects: Complete<Vec<Value>>,
}

/// Deletes what is due; whether all of it is gone.
async fn step(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    propagation: Propagation,
) -> Result<bool, Held> {
    let Remains {
        cluster,
        served,
        objects,
    } = remains(hub, name, application).await?;
    let policy = application.spec.sync_policy.as_ref();
    let options = policy.iter().flat_map(|policy| &policy.sync_options);
    let options = SyncOptions::parse(options.map(String::as_str));
    let own = ResourceKey::new(names::GROUP, "Application", &name.namespace, &name.name);
    match next_deletion(&objects, &options, Some(&own), is_approved(application)) {
        Deletion::Done { .. } => Ok(true),
        Deletion::WaitFor(_) => Ok(false),
        Deletion::Confirm(keys) => Err(Held(format!(
            "{} asks for confirmation: set the annotation {} on the application to the time of it",
            keys.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            keys::DELETION_APPROVED
        ))),
        Deletion::Delete(keys) => {
            let due = |object: &&Value| keys.contains(&object.resource_key());
            for object in objects.get().iter().filter(due) {
                delete_one(&cluster, &served, object, propagation)
                    .await
                    .map_err(|failure| {
                        Held(format!(
                            "cannot delete {}: {failure}",
                            object.resource_key()
                        ))
                    })?;
            }
            Ok(false)
        }
    }
}

/// Reads what the application still has, all of it or nothing.
async fn remains(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
) -> Result<Remains, Held> {
    let (cluster, known) = hub.destination(application).map_err(|error| {
        Held(format!(
            "{error}; its resources may still be there. Register the cluster again, or remove the \
             finalizer {} to leave them behind",
            keys::RESOURCES_FINALIZER
        ))
    })?;
    let state = cluster.tried().await;
    if state.status != ConnectionStatus::Successful {
        return Err(Held(format!(
            "cluster `{}` cannot be reached: {}; the deletion goes on when it can",
            cluster.config.name, state.message
        )));
    }
    let unknown = |error: kube::Error| Held(crate::diagnostic::chain(&error));
    let served = cluster
        .discovery
        .get(&cluster.client)
        .await
        .map_err(unknown)?;
    let instance = instance_name(name, &hub.config.namespace);
    match live(&cluster, &served, application, &instance, &[]).await {
        Observed::Complete(objects) => {
            let objects = permitted(hub, application, (&known, &served), &instance, objects)?;
            Ok(Remains {
                cluster,
                served,
                objects,
            })
        }
        incomplete => {
            let gap = incomplete.gap().unwrap_or_default();
            Err(Held(format!("not all of its resources are known: {gap}")))
        }
    }
}

/// The objects that are the application's own and that its project lets it touch.
fn permitted(
    hub: &Hub,
    application: &Application,
    (known, served): (&KnownCluster, &Served),
    instance: &str,
    objects: Complete<Vec<Value>>,
) -> Result<Complete<Vec<Value>>, Held> {
    let project = ObjectName::new(&hub.config.namespace, application.spec.project_or_default());
    let Some(project) = hub.fleet.index().projects.read(&project).cloned() else {
        return Err(Held(format!("project {} does not exist", project.name)));
    };
    let rules = Rules::of(&project);
    let settings = hub.fleet.settings();
    let is_mine = |object: &Value| {
        let kind = served.preferred(object.group(), object.kind());
        let namespaced = kind.is_none_or(|kind| kind.namespaced);
        settings.tracking.owns(object, instance)
            && !object.has_owner()
            && rules
                .permit(object.resource_key(), namespaced, known)
                .is_ok()
    };
    Ok(objects.map(|objects| objects.into_iter().filter(is_mine).collect()))
}

fn is_approved(application: &Application) -> bool {
    let deleted = application.metadata.deletion_timestamp.as_ref();
    deleted.is_some_and(|deleted| is_approved_since(application, deleted.0))
}

async fn delete_one(
    cluster: &Arc<Cluster>,
    served: &Served,
    object: &Value,
    propagation: Propagation,
) -> Result<(), Failure> {
    let Some(kind) = served.preferred(object.group(), object.kind()) else {
        return Ok(());
    };
    let namespace = kind.namespaced.then_some(object.namespace());
    let place = Place::new(&cluster.client, &kind.resource, namespace);
    let uid = Some(object.uid()).filter(|uid| !uid.is_empty());
    if place.delete(object.name(), uid, propagation, false).await? == Deleted::Gone {
        cluster.live.deleted(&object.resource_key());
    }
    Ok(())
}

/// Removes the finalizers of the cascade, and only those.
async fn release(hub: &Hub, name: &ObjectName, application: &Application) -> kube::Result<()> {
    let ours = [
        keys::RESOURCES_FINALIZER,
        keys::FOREGROUND_FINALIZER,
        keys::BACKGROUND_FINALIZER,
    ];
    let kept: Vec<_> = application
        .metadata
        .finalizers
        .iter()
        .flatten()
        .filter(|finalizer| !ours.contains(&finalizer.as_str()))
        .collect();
    let patch = json!({"metadata": {
        "finalizers": kept, "resourceVersion": application.metadata.resource_version}});
    hub.metrics.applications.writes.inc();
    api(hub, name)
        .patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}

/// Says on the application why its deletion does not go on.
async fn say(hub: &Hub, name: &ObjectName, application: &Application, why: &str) {
    let conditions = application
        .status
        .iter()
        .flat_map(|status| &status.conditions);
    let known = conditions
        .clone()
        .any(|one| one.type_ == condition::DELETION_ERROR && one.message == why);
    if known {
        return;
    }
    let mut all: Vec<_> = conditions
        .filter(|one| one.type_ != condition::DELETION_ERROR)
        .map(|one| json!(one))
        .collect();
    all.push(json!({
        "type": condition::DELETION_ERROR, "message": why,
        "lastTransitionTime": k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(hub.clock.now()),
    }));
    let patch = json!({"status": {"conditions": all}});
    hub.metrics.applications.writes.inc();
    if let Err(error) = api(hub, name)
        .patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
    {
        tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "the reason why the deletion waits was not written");
    }
}

fn api(hub: &Hub, name: &ObjectName) -> Api<DynamicObject> {
    let resource = kube::api::ApiResource::erase::<Application>(&());
    Api::namespaced_with(hub.client.clone(), &name.namespace, &resource)
}
