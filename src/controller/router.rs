//! From what changed to who has to look: wakes become keys in queues.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::application;
use super::application_set;
use super::queue::{Lane, WorkQueue};
use super::worker::work_off;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;

/// For how long the first application of a cluster has its way for itself: what has to be found out
/// once is found out for all of them, and nothing that others do delays its end.
const HEAD_START: Duration = Duration::from_millis(250);

/// How often a hub that stands by looks which kinds the applications have come to need.
const IN_ADVANCE: Duration = Duration::from_secs(30);

/// Turns wakes into keys, for ever.
///
/// Until every kind has been listed once nothing can be judged: a project or a cluster that nobody
/// has looked for is not one that is missing. What comes before that is made up for afterwards.
pub async fn route(hub: Arc<Hub>, mut wakes: mpsc::UnboundedReceiver<Wake>) {
    while !hub.fleet.index().is_ready() {
        match wakes.recv().await {
            Some(Wake::Unlisted(why)) => application_set::tell_unlisted(&hub, &why).await,
            // Whoever wants to know why nothing can be judged yet has to see it now.
            Some(Wake::Telemetry) => hub.take_telemetry(),
            Some(_) => {}
            None => return,
        }
    }
    tokio::select! {
        biased;
        () = hub.led() => {}
        () = stand_by(&hub, &mut wakes) => return,
    }
    hub.take_up(Wake::Repositories);
    hub.take_up(Wake::Clusters);
    // The interval is a setting, and settings are known now.
    hub.spawn(poll(Arc::clone(&hub)));
    while let Some(wake) = wakes.recv().await {
        hub.take_up(wake);
    }
}

/// Is connected to everything while another hub works, so that it can take over at once.
async fn stand_by(hub: &Arc<Hub>, wakes: &mut mpsc::UnboundedReceiver<Wake>) {
    hub.connect_clusters();
    hub.read_repositories();
    // What the hub that works writes of its applications is no wake.
    let mut again = tokio::time::interval(IN_ADVANCE);
    loop {
        tokio::select! {
            biased;
            wake = wakes.recv() => match wake {
                Some(Wake::Connection(server)) => watch_in_advance(hub, &server),
                Some(wake) => hub.follow(&wake),
                None => return,
            },
            _ = again.tick() => {
                for cluster in hub.clusters.all() {
                    watch_in_advance(hub, &cluster.config.server);
                }
            }
        }
    }
}

fn watch_in_advance(hub: &Arc<Hub>, server: &str) {
    let watching = application::watch_in_advance(Arc::clone(hub), server.to_owned());
    hub.spawn(watching);
}

/// Keeps connections and credentials in step with their Secrets, and does nothing else, for ever.
pub async fn follow(hub: &Arc<Hub>, mut wakes: mpsc::UnboundedReceiver<Wake>) {
    while let Some(wake) = wakes.recv().await {
        hub.follow(&wake);
    }
}

/// Asks the repositories for news at the interval of the settings, for ever. Sets look by
/// themselves, each when its generators want to.
async fn poll(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(hub.fleet.settings().reconciliation).await;
        for url in hub.repository_urls() {
            hub.sources.refresh(&url);
            hub.charts.refresh(&url);
        }
        hub.take_up(Wake::AllApplications);
    }
}

impl Hub {
    fn follow(self: &Arc<Self>, wake: &Wake) {
        match wake {
            Wake::Clusters => self.connect_clusters(),
            Wake::Repositories => self.read_repositories(),
            _ => {}
        }
    }

    /// Puts what a wake concerns into its queue.
    pub fn take_up(self: &Arc<Self>, wake: Wake) {
        match wake {
            Wake::Application(name, lane) => self.queue_application(name, lane),
            Wake::Live(instance) => {
                let name = application::name_of_instance(&instance, &self.config.namespace);
                self.queue_application(name, Lane::Urgent);
            }
            Wake::Project(project) => {
                self.queue_applications(|app| app.spec.project_or_default() == project);
            }
            Wake::AllApplications => self.queue_applications(|_| true),
            Wake::Connection(server) => {
                self.queue_applications(|app| self.server_of(app).as_deref() == Some(&server));
            }
            Wake::ApplicationSet(name, lane) => self.queues.application_sets.add(name, lane),
            Wake::ApplicationSetStatus(name) => {
                self.queues
                    .application_sets
                    .add_after(name, application_set::STATUS_DELAY);
            }
            Wake::Clusters => {
                self.connect_clusters();
                let sets: Vec<_> = self
                    .fleet
                    .index()
                    .application_sets
                    .names()
                    .cloned()
                    .collect();
                for set in sets {
                    self.queues.application_sets.add(set, Lane::Urgent);
                }
                self.queue_applications(|_| true);
            }
            Wake::Repositories => self.take_repositories(),
            Wake::Telemetry => self.take_telemetry(),
            // Once everything is listed there is nothing left to tell.
            Wake::Unlisted(_) => {}
        }
    }

    /// The repositories that applications and sets name.
    pub(super) fn repository_urls(&self) -> BTreeSet<String> {
        let index = self.fleet.index();
        let of_applications = index.applications.iter().flat_map(|(_, app)| {
            let sources = app.spec.sources();
            sources
                .iter()
                .map(|source| source.repo_url.clone())
                .collect::<Vec<_>>()
        });
        let of_sets = index
            .application_sets
            .iter()
            .flat_map(|(_, set)| application_set::repository_urls(set));
        of_applications.chain(of_sets).collect()
    }

    /// Queues the applications that are `wanted`, and those that nobody can read.
    fn queue_applications(self: &Arc<Self>, wanted: impl Fn(&Application) -> bool) {
        let names: Vec<ObjectName> = {
            let index = self.fleet.index();
            let readable = index.applications.iter().filter(|(_, app)| wanted(app));
            let malformed = index.applications.malformed().map(|(name, _)| name);
            readable
                .map(|(name, _)| name)
                .chain(malformed)
                .cloned()
                .collect()
        };
        for name in names {
            self.queue_application(name, Lane::Routine);
        }
    }

    fn queue_application(self: &Arc<Self>, name: ObjectName, lane: Lane) {
        let app = self.fleet.index().applications.read(&name).cloned();
        if let Some(app) = &app {
            application::see_to_its_end(self, &name, app);
        }
        self.queue_of(app.as_deref()).add(name, lane);
    }

    /// Has an application looked at after `delay`, if nothing wakes it before.
    pub(super) fn queue_application_after(self: &Arc<Self>, name: ObjectName, delay: Duration) {
        let app = self.fleet.index().applications.read(&name).cloned();
        self.queue_of(app.as_deref()).add_after(name, delay);
    }

    /// The queue of the cluster that an application is on.
    fn queue_of(self: &Arc<Self>, app: Option<&Application>) -> Arc<WorkQueue<ObjectName>> {
        let server = app.and_then(|app| self.server_of(app)).unwrap_or_default();
        self.queues.of_cluster(&server, |queue| {
            let opened = CancellationToken::new();
            for worker in 0..self.config.workers_per_cluster {
                let (hub, queue) = (Arc::clone(self), Arc::clone(queue));
                let opened = opened.clone();
                self.spawn(async move {
                    if worker > 0 {
                        // Either way it is this worker's turn.
                        let _ = tokio::time::timeout(HEAD_START, opened.cancelled()).await;
                    }
                    let working = Arc::clone(&hub);
                    let reconcile = move |name| {
                        let (hub, opened) = (Arc::clone(&working), opened.clone());
                        async move {
                            let next = application::reconcile(hub, name).await;
                            opened.cancel();
                            next
                        }
                    };
                    work_off(&hub, "an application", queue, reconcile).await;
                });
            }
        })
    }
}
