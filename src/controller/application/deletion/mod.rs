//! The end of an application: hooks, what it brought, hooks again, and then its finalizers.
//!
//! Nothing is given up on the way. A cluster that cannot be reached, or is no longer registered,
//! holds the application back and says so; only a person may decide that what is there stays.

mod hooks;
mod resources;

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::codes::condition;
use argosy_crds::{AppProject, Application, names};
use argosy_engine::application::KnownCluster;
use argosy_engine::graph::{Readiness, Unmet, blocked_by, readiness};
use argosy_engine::operation::Stage;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::actor::actor;
use super::dependencies;
use super::news::told;
use super::write::api;
use crate::cluster::{Cluster, ConnectionStatus, Served};
use crate::controller::events::News;
use crate::controller::worker::Next;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How soon a deletion is looked at again although no event came.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon an application that waits for its dependents looks whether they are gone.
const SOON: Duration = Duration::from_millis(500);

/// For how long an application that others depend on waits to see whether they are deleted, too:
/// a set or a namespace deletes one after the other.
const COMPANY: Duration = Duration::from_secs(3);

/// How many resources an abandoned deletion names.
const NAMED: usize = 20;

/// Why a deletion cannot go on: the condition's type and message, and when to look again.
struct Held {
    kind: &'static str,
    message: String,
    next: Next,
}

impl Held {
    /// What is out of reach.
    fn blocked(message: String) -> Self {
        Self {
            kind: condition::DELETION_BLOCKED,
            message,
            next: Next::Backoff,
        }
    }

    /// What went wrong, or what a person has to do.
    fn error(message: String) -> Self {
        Self {
            kind: condition::DELETION_ERROR,
            message,
            next: Next::Backoff,
        }
    }
}

/// Brings the deletion of an application a step further.
pub(super) async fn proceed(hub: &Arc<Hub>, name: &ObjectName, application: &Application) -> Next {
    let Some(stage) = Stage::of(application) else {
        return Next::WhenWoken;
    };
    if let Some(by) = application.annotation(names::annotation::ABANDON) {
        return abandon(hub, name, application, by).await;
    }
    match dependents(hub, name, application) {
        Dependents::Gone => {}
        Dependents::MayFollow => return Next::After(SOON),
        Dependents::Going(message) => {
            let (kind, next) = (condition::WAITING, Next::After(SOON));
            let held = Held {
                kind,
                message,
                next,
            };
            say(hub, name, application, &held).await;
            return held.next;
        }
    }
    let done = match stage {
        Stage::Hooks(kind) => hooks::run(hub, name, application, kind).await,
        Stage::Cleanup(kind) => hooks::clean_up(hub, name, application, kind).await,
        Stage::Resources(propagation) => {
            resources::delete(hub, name, application, propagation).await
        }
    };
    match done {
        Ok(true) => release(hub, name, application, stage.finalizers()).await,
        Ok(false) => Next::After(AGAIN),
        Err(held) => {
            say(hub, name, application, &held).await;
            held.next
        }
    }
}

/// Applications that depend on one that is being deleted, and have to go first.
enum Dependents {
    /// Nobody has to go first.
    Gone,
    /// Some are there, and may be about to be deleted, too.
    MayFollow,
    /// Some are on their way out; the text says which.
    Going(String),
}

fn dependents(hub: &Hub, name: &ObjectName, application: &Application) -> Dependents {
    let dependents = hub.fleet.graph().dependents_of(&dependencies::key(name));
    let index = hub.fleet.index();
    let mut going = Vec::new();
    let mut others = false;
    for key in dependents {
        let Some(other) = index
            .applications
            .read(&ObjectName::new(&key.namespace, &key.name))
        else {
            continue;
        };
        match readiness(other) {
            Readiness::NotReady(why) if other.is_deleting() => {
                going.push(Unmet::NotReady { app: key, why });
            }
            _ => others = true,
        }
    }
    if !going.is_empty() {
        return Dependents::Going(blocked_by(&going));
    }
    let deleted = application.metadata.deletion_timestamp.as_ref();
    let is_early = deleted.is_some_and(|deleted| {
        let waited = hub.clock.now().duration_since(deleted.0);
        Duration::try_from(waited).is_ok_and(|waited| waited < COMPANY)
    });
    if others && is_early {
        Dependents::MayFollow
    } else {
        Dependents::Gone
    }
}

/// Lets go of everything, because a person said so, and leaves a record of it.
async fn abandon(hub: &Hub, name: &ObjectName, application: &Application, by: &str) -> Next {
    let resources = application
        .status
        .iter()
        .flat_map(|status| &status.resources);
    let named: Vec<_> = resources
        .clone()
        .take(NAMED)
        .map(|one| format!("{} {}/{}", one.kind, one.namespace, one.name))
        .collect();
    let count = resources.count();
    let more = if count > NAMED {
        format!(" and {} more", count - NAMED)
    } else {
        String::new()
    };
    let message = format!(
        "the deletion was abandoned by {by}; {count} resources may still be on the cluster: {}{more}",
        named.join(", ")
    );
    told(
        hub,
        application,
        News::warning("DeletionAbandoned", message),
    );
    release(hub, name, application, &Stage::all_finalizers()).await
}

/// The cluster that a deletion is about, and what it serves.
struct Target {
    cluster: Arc<Cluster>,
    /// The client with the rights that the application has there.
    actor: Client,
    known: KnownCluster,
    served: Arc<Served>,
}

async fn target(hub: &Arc<Hub>, application: &Application) -> Result<Target, Held> {
    let (cluster, known) = hub.destination(application).map_err(|error| {
        let name = application.metadata.name.as_deref().unwrap_or_default();
        Held::blocked(format!(
            "{error}; its resources may still be there. Register the cluster again, or leave them \
             behind with `argosy app delete {name} --abandon`"
        ))
    })?;
    let state = cluster.tried().await;
    if state.status != ConnectionStatus::Successful {
        return Err(Held::blocked(format!(
            "cluster `{}` cannot be reached: {}; the deletion goes on when it can",
            cluster.config.name, state.message
        )));
    }
    let served = cluster.discovery.get(&cluster.client).await;
    let served = served.map_err(|error| Held::blocked(crate::diagnostic::chain(&error)))?;
    let project = project(hub, application)?;
    let settings = hub.fleet.settings();
    let actor = actor(&settings, application, &project, (&cluster, &known));
    Ok(Target {
        actor: actor.map_err(Held::error)?,
        cluster,
        known,
        served,
    })
}

fn project(hub: &Hub, application: &Application) -> Result<Arc<AppProject>, Held> {
    let name = ObjectName::new(&hub.config.namespace, application.spec.project_or_default());
    let project = hub.fleet.index().projects.read(&name).cloned();
    project.ok_or_else(|| Held::blocked(format!("project {} does not exist", name.name)))
}

/// Whether the application is still there that is being deleted. Somebody may have taken its
/// finalizers and made another of its name, whose resources they are then.
fn is_there(hub: &Hub, name: &ObjectName, application: &Application) -> bool {
    let index = hub.fleet.index();
    let now = index.applications.read(name);
    now.is_some_and(|now| now.metadata.uid == application.metadata.uid)
}

/// Removes these finalizers, and only these.
async fn release(hub: &Hub, name: &ObjectName, application: &Application, done: &[&str]) -> Next {
    let kept: Vec<_> = application
        .metadata
        .finalizers
        .iter()
        .flatten()
        .filter(|finalizer| !done.contains(&finalizer.as_str()))
        .collect();
    let patch = json!({"metadata": {
        "finalizers": kept, "resourceVersion": application.metadata.resource_version}});
    hub.metrics.applications.writes.inc();
    let released = api(hub, name)
        .patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await;
    match released {
        Ok(_) => Next::WhenWoken,
        Err(error) => {
            tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "a finalizer was not removed and will be");
            Next::Backoff
        }
    }
}

/// Says on the application why its deletion does not go on.
async fn say(hub: &Hub, name: &ObjectName, application: &Application, held: &Held) {
    let ours = [
        condition::DELETION_ERROR,
        condition::DELETION_BLOCKED,
        condition::WAITING,
    ];
    let conditions = application
        .status
        .iter()
        .flat_map(|status| &status.conditions);
    let known = conditions
        .clone()
        .any(|one| one.type_ == held.kind && one.message == held.message);
    if known {
        return;
    }
    let mut all: Vec<_> = conditions
        .filter(|one| !ours.contains(&one.type_.as_str()))
        .map(|one| json!(one))
        .collect();
    all.push(json!({
        "type": held.kind, "message": held.message,
        "lastTransitionTime": Time(hub.clock.now()),
    }));
    let patch = json!({
        "metadata": {"resourceVersion": application.metadata.resource_version},
        "status": {"conditions": all}});
    hub.metrics.applications.writes.inc();
    if let Err(error) = api(hub, name)
        .patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
    {
        tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "the reason why the deletion waits was not written");
    }
}
