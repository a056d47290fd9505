//! The resources of an application that is being deleted: the highest wave goes first.

use std::sync::Arc;

use argosy_crds::{Application, names};
use argosy_engine::application::KnownCluster;
use argosy_engine::object::{ObjectExt as _, ResourceKey, names as keys};
use argosy_engine::operation::{Deletion, Held as TooMuch, held_by_finalizers, next_deletion};
use argosy_engine::project::Rules;
use argosy_engine::sync::{Propagation, SyncOptions};
use argosy_facts::{Complete, Observed};
use kube::Client;
use serde_json::Value;

use super::{Held, Target, is_there, project, target};
use crate::cluster::{Cluster, Served};
use crate::controller::application::live::live;
use crate::controller::application::rules::{instance_name, is_approved_since};
use crate::controller::worker::Next;
use crate::executor::{Deleted, Failure, Place};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// What an application still has on its cluster.
struct Remains {
    cluster: Arc<Cluster>,
    actor: Client,
    served: Arc<Served>,
    objects: Complete<Vec<Value>>,
}

/// Deletes what is due; whether all of it is gone.
pub(super) async fn delete(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    propagation: Propagation,
) -> Result<bool, Held> {
    let Remains {
        cluster,
        actor,
        served,
        objects,
    } = remains(hub, name, application).await?;
    let policy = application.spec.sync_policy.as_ref();
    let options = policy.iter().flat_map(|policy| &policy.sync_options);
    let options = SyncOptions::parse(options.map(String::as_str));
    let own = ResourceKey::new(names::GROUP, "Application", &name.namespace, &name.name);
    match next_deletion(&objects, &options, Some(&own), is_approved(application)) {
        Deletion::Done { .. } => Ok(true),
        Deletion::WaitFor(keys) => {
            let held = held_by_finalizers(objects.get(), &keys, hub.clock.now());
            if held.is_empty() {
                Ok(false)
            } else {
                let told: Vec<_> = held.iter().map(ToString::to_string).collect();
                Err(Held::blocked(told.join("; ")))
            }
        }
        Deletion::Confirm(keys) => Err(Held::error(format!(
            "{} asks for confirmation: set the annotation {} on the application to the time of it, or \
             run `argosy app confirm-deletion {}`",
            keys.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            keys::DELETION_APPROVED,
            name.name
        ))),
        Deletion::Delete(keys) => {
            if let Some(held) = cascade(hub, application, (&objects, &options, Some(&own))) {
                return Err(held);
            }
            let due = |object: &&Value| keys.contains(&object.resource_key());
            for object in objects.get().iter().filter(due) {
                if !is_there(hub, name, application) {
                    return Ok(false);
                }
                delete_one((&cluster, &actor), &served, object, propagation)
                    .await
                    .map_err(|failure| {
                        Held::error(format!(
                            "cannot delete {}: {failure}",
                            object.resource_key()
                        ))
                    })?;
            }
            Ok(false)
        }
    }
}

/// Why the applications that would go with this one stay for now.
fn cascade(
    hub: &Hub,
    application: &Application,
    what: (&Complete<Vec<Value>>, &SyncOptions, Option<&ResourceKey>),
) -> Option<Held> {
    let deleted = application.metadata.deletion_timestamp.as_ref()?.0;
    let (now, approved) = (hub.clock.now(), is_approved(application));
    let cascade = hub.fleet.settings().cascade;
    let of_set = |namespace: &str, name: &str| {
        let set = ObjectName::new(namespace, name);
        hub.fleet.index().applications_of(&set).count()
    };
    let held = cascade.hold(what, of_set, deleted, now, approved)?;
    let name = application.metadata.name.as_deref().unwrap_or_default();
    let either = format!(
        "`argosy app confirm-deletion {name}` deletes them now, and `argosy app delete {name} --abandon` \
         keeps them and all else that {name} has brought"
    );
    Some(match held {
        TooMuch::Many { applications, max } => Held::blocked(format!(
            "{applications} applications would go with it, and {max} may without a person's word \
             (argosy.deletion.maxApplications in argocd-cm): {either}"
        )),
        TooMuch::Until { applications, at } => Held {
            next: Next::After(at.duration_since(now).try_into().unwrap_or_default()),
            ..Held::blocked(format!(
                "{applications} applications go with it at {at:.0} (argosy.deletion.undo in argocd-cm): {either}"
            ))
        },
    })
}

/// Reads what the application still has, all of it or nothing.
async fn remains(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
) -> Result<Remains, Held> {
    let Target {
        cluster,
        actor,
        known,
        served,
    } = target(hub, application).await?;
    let instance = instance_name(name, &hub.config.namespace);
    let live = live(&cluster, &served, application, &instance, &[]).await;
    match live.whole() {
        Observed::Complete(objects) => {
            let objects = permitted(hub, application, (&known, &served), &instance, objects)?;
            Ok(Remains {
                cluster,
                actor,
                served,
                objects,
            })
        }
        incomplete => {
            let gap = incomplete.gap().unwrap_or_default();
            let what = format!("not all of its resources are known: {gap}");
            Err(Held::blocked(what))
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
    let project = project(hub, application)?;
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
    (cluster, actor): (&Cluster, &Client),
    served: &Served,
    object: &Value,
    propagation: Propagation,
) -> Result<(), Failure> {
    let Some(kind) = served.preferred(object.group(), object.kind()) else {
        return Ok(());
    };
    let namespace = kind.namespaced.then_some(object.namespace());
    let place = Place::new(actor, &kind.resource, namespace);
    let uid = Some(object.uid()).filter(|uid| !uid.is_empty());
    if place.delete(object.name(), uid, propagation, false).await? == Deleted::Gone {
        cluster.live.deleted(&object.resource_key());
    }
    Ok(())
}
