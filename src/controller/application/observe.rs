//! Everything a reconcile needs to know, read anew: the only place that fetches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::codes::condition;
use argosy_crds::{AppProject, Application, ApplicationSource};
use argosy_engine::application::KnownCluster;
use argosy_engine::compare::unseen;
use argosy_engine::object::{GroupKind, ObjectExt as _};
use argosy_engine::project::Rules;
use argosy_engine::schema::Documents;
use argosy_facts::Observed;
use jiff::Timestamp;
use kube::Client;
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::actor::actor;
use super::desired::{Desired, Failure, desired};
use super::live::{Live, live};
use super::rollback::{self, Rollback};
use super::rules::instance_name;
use crate::cluster::{Cluster, ConnectionStatus, Served};
use crate::controller::worker::Next;
use crate::fleet::{ObjectName, Settings};
use crate::hub::Hub;
use crate::source::Retry;

/// What was read.
pub(super) struct Observation {
    /// When.
    pub(super) at: Timestamp,
    /// The settings at the time.
    pub(super) settings: Arc<Settings>,
    /// The project.
    pub(super) project: Arc<AppProject>,
    /// The cluster.
    pub(super) cluster: Arc<Cluster>,
    /// The cluster, as projects know it.
    pub(super) known: KnownCluster,
    /// The client with the rights that the application has there, if it has any.
    pub(super) actor: Result<Client, String>,
    /// What the cluster serves.
    pub(super) served: Arc<Served>,
    /// How the kinds of the application are described.
    pub(super) schemas: Documents,
    /// The name by which the application's objects are tracked.
    pub(super) instance: String,
    /// What git says.
    pub(super) desired: Arc<Desired>,
    /// The desired objects, with their tracking marks.
    pub(super) objects: Vec<Value>,
    /// What lives, but for the kinds that are tainted.
    pub(super) live: Observed<Vec<Value>>,
    /// The kinds that cannot be seen now, and why.
    pub(super) tainted: BTreeMap<GroupKind, String>,
    /// Whether the cluster may serve something else by now than was found out, of which nobody tells.
    pub(super) is_outdated: bool,
    /// Why `desired` is not the newest: the repository could not be asked.
    pub(super) stale: Option<String>,
    /// Whether `desired` is an earlier deployment.
    pub(super) rollback: Rollback,
}

/// The manifests that are in force.
struct Manifests {
    desired: Arc<Desired>,
    stale: Option<String>,
    rollback: Rollback,
}

/// Why there is nothing to compare.
#[derive(Debug)]
pub(super) struct Obstacle {
    /// The API server, where the destination leads to one.
    pub(super) server: String,
    /// The condition's type.
    pub(super) condition: &'static str,
    /// The condition's message: what, where and how to fix it.
    pub(super) message: String,
    /// When to look again.
    pub(super) next: Next,
}

impl Obstacle {
    /// Stands in while an observation is judged anew.
    pub(super) fn none() -> Self {
        invalid(String::new(), String::new())
    }
}

/// Reads everything about an application.
pub(super) async fn observe(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
) -> Result<Observation, Obstacle> {
    let settings = hub.fleet.settings();
    let project = project(hub, application)?;
    let (cluster, known) = place(hub, name, application, &project)?;
    reachable(&cluster).await?;
    let sources = application.spec.sources();
    // What the cluster serves is found out meanwhile; whoever needs it says what is wrong with it.
    let (manifests, _, ()) = tokio::join!(
        biased;
        Box::pin(newest(hub, name, application, &sources, &known)),
        cluster.discovery.get(&cluster.client),
        Box::pin(cluster.admission.learn(&cluster.client)),
    );
    let manifests = manifests?;
    observe_with(
        hub,
        name,
        application,
        (settings, project, cluster, known),
        manifests,
    )
    .await
}

impl Observation {
    /// Reads the manifests of other sources or revisions, as an operation asks for.
    pub(super) async fn with_desired(
        &self,
        hub: &Arc<Hub>,
        name: &ObjectName,
        application: &Application,
        desired: Desired,
    ) -> Result<Self, Obstacle> {
        let place = (
            Arc::clone(&self.settings),
            Arc::clone(&self.project),
            Arc::clone(&self.cluster),
            self.known.clone(),
        );
        let manifests = Manifests {
            desired: Arc::new(desired),
            stale: None,
            rollback: self.rollback.clone(),
        };
        observe_with(hub, name, application, place, manifests).await
    }

    /// Looks again at what lives.
    pub(super) async fn look_again(&mut self, application: &Application) {
        let Live {
            objects,
            tainted,
            is_outdated,
        } = live(
            &self.cluster,
            &self.served,
            application,
            &self.instance,
            &self.objects,
        )
        .await;
        self.live = objects;
        self.tainted = tainted;
        self.is_outdated = is_outdated;
    }

    /// Why not everything that lives is known; `None` if it is.
    pub(super) fn unseen(&self) -> Option<String> {
        let gaps = self.tainted.values().map(String::as_str);
        unseen(self.live.gap().into_iter().chain(gaps))
    }
}

async fn observe_with(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    (settings, project, cluster, known): (
        Arc<Settings>,
        Arc<AppProject>,
        Arc<Cluster>,
        KnownCluster,
    ),
    Manifests {
        desired,
        stale,
        rollback,
    }: Manifests,
) -> Result<Observation, Obstacle> {
    let instance = instance_name(name, &hub.config.namespace);
    let kinds: Vec<_> = desired
        .manifests()
        .map(|object| {
            let gvk = object.gvk();
            GroupVersionKind::gvk(&gvk.group, &gvk.version, &gvk.kind)
        })
        .collect();
    let served = cluster
        .discovery
        .covering(&cluster.client, &kinds)
        .await
        .map_err(|error| {
            cluster.suspect();
            Obstacle {
                server: cluster.config.server.clone(),
                condition: condition::COMPARISON_ERROR,
                message: format!(
                    "cannot find out what cluster `{}` serves: {}",
                    cluster.config.name,
                    crate::diagnostic::chain(&error)
                ),
                next: Next::Backoff,
            }
        })?;
    let unbundled = desired
        .manifests()
        .filter(|object| Documents::is_wanted(object.api_version(), object.kind()))
        .map(|object| object.api_version().to_owned())
        .collect();
    let schemas = cluster
        .schemas
        .of(
            (&cluster.client, hub.blocking),
            served.api_digest(),
            &unbundled,
        )
        .await;
    let namespace = application.spec.destination.namespace.as_str();
    let mut objects: Vec<_> = desired.manifests().cloned().collect();
    for object in &mut objects {
        settings.tracking.mark(object, &instance, namespace);
    }
    let mut served = served;
    let mut found = live(&cluster, &served, application, &instance, &objects).await;
    if found.is_outdated
        && let Ok(anew) = cluster.discovery.again(&cluster.client).await
    {
        served = anew;
        found = live(&cluster, &served, application, &instance, &objects).await;
    }
    let actor = actor(&settings, application, &project, (&cluster, &known));
    Ok(Observation {
        at: hub.clock.now(),
        actor,
        settings,
        project,
        cluster,
        known,
        served,
        schemas,
        instance,
        desired,
        objects,
        live: found.objects,
        tainted: found.tainted,
        is_outdated: found.is_outdated,
        stale,
        rollback,
    })
}

fn project(hub: &Hub, application: &Application) -> Result<Arc<AppProject>, Obstacle> {
    let wanted = application.spec.project_or_default();
    let name = ObjectName::new(&hub.config.namespace, wanted);
    let index = hub.fleet.index();
    index.projects.read(&name).cloned().ok_or_else(|| {
        let why = match index.projects.get(&name).map(|entry| &entry.body) {
            Some(Err(malformed)) => format!("cannot be read: {}", malformed.why),
            _ => "does not exist; create the AppProject or name another in spec.project".to_owned(),
        };
        let message = format!("Application referencing project {wanted} which {why}");
        invalid(String::new(), message)
    })
}

/// Checks the spec against the project and finds its cluster.
fn place(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    project: &AppProject,
) -> Result<(Arc<Cluster>, KnownCluster), Obstacle> {
    let (cluster, known) = hub
        .destination(application)
        .map_err(|error| invalid(String::new(), error.to_string()))?;
    let server = known.server.clone();
    let rules = Rules::of(project);
    if !rules.permits_application_in(&name.namespace, &hub.config.namespace) {
        let message = format!(
            "application '{}' in namespace '{}' is not permitted to use project '{}'",
            name.name,
            name.namespace,
            rules.name()
        );
        return Err(invalid(server, message));
    }
    let refusals = rules.refusals(application, &hub.known_clusters());
    if refusals.is_empty() {
        return Ok((cluster, known));
    }
    let messages: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    Err(invalid(server, messages.join("; ")))
}

fn invalid(server: String, message: String) -> Obstacle {
    Obstacle {
        server,
        condition: condition::INVALID_SPEC_ERROR,
        message,
        next: Next::WhenWoken,
    }
}

/// Makes sure that the cluster answers; while it does not, it is sent nothing.
async fn reachable(cluster: &Cluster) -> Result<(), Obstacle> {
    let state = cluster.tried().await;
    if state.status == ConnectionStatus::Successful {
        return Ok(());
    }
    let last = match state.last_contact {
        Some(at) => format!("last contact at {at:.0}"),
        None => "it was never reached".to_owned(),
    };
    Err(Obstacle {
        server: cluster.config.server.clone(),
        condition: condition::COMPARISON_ERROR,
        message: format!(
            "cluster `{}` cannot be reached ({last}): {}; nothing is changed or deleted there meanwhile",
            cluster.config.name, state.message
        ),
        next: Next::WhenWoken,
    })
}

/// The newest manifests, or those that were rendered last where the repository cannot be asked.
async fn newest(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
    known: &KnownCluster,
) -> Result<Manifests, Obstacle> {
    match in_force(hub, name, application, sources).await {
        Ok((desired, rollback)) => {
            let desired = Arc::new(desired);
            hub.applications.keep_desired(name, &desired);
            Ok(Manifests {
                desired,
                stale: None,
                rollback,
            })
        }
        Err(failure) => match hub.applications.desired(name) {
            Some(last) if last.sources == sources => Ok(Manifests {
                desired: last,
                stale: Some(failure.message),
                rollback: Rollback::None,
            }),
            _ => Err(unrendered(known, &failure)),
        },
    }
}

async fn in_force(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
) -> Result<(Desired, Rollback), Failure> {
    let newest = desired(hub, name, application, sources, &[]).await?;
    hub.fleet.saw_revisions(sources, &newest.revisions);
    rollback::in_force(hub, name, application, sources, newest).await
}

/// What it means for the application that there are no manifests.
pub(super) fn unrendered(known: &KnownCluster, failure: &Failure) -> Obstacle {
    Obstacle {
        server: known.server.clone(),
        condition: condition::COMPARISON_ERROR,
        message: failure.message.clone(),
        next: match failure.retry {
            Retry::Never => Next::WhenWoken,
            Retry::Backoff => Next::Backoff,
            Retry::After(delay) => Next::After(delay.max(Duration::from_secs(1))),
        },
    }
}
