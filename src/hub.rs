//! The hub: everything wired together, started and shut down in one place.
//!
//! Nothing here decides anything; a hub is its configuration, its seams ([`Seams`]) and the
//! parts that talk to each other through them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use argosy_engine::application::KnownClusters;
use argosy_render::Tools;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::blocking::Blocking;
use crate::clock::Clock;
use crate::cluster::{self, Clusters, Dial, MayWrite, counted};
use crate::config::HubConfig;
use crate::controller::events::Events;
use crate::controller::integrity::Integrity;
use crate::controller::submodules::Submodules;
use crate::controller::{
    Queues, application, application_set, cluster as cluster_controller, router,
};
use crate::diagnostic::Diagnostic;
use crate::fleet::{Fleet, Settings, Wake, Watches};
use crate::gates::Gates;
use crate::http::Network;
use crate::leader::Leadership;
use crate::metrics::Metrics;
use crate::scm::Scm;
use crate::seams::Seams;
use crate::source::{Charts, LargeFiles, Repositories, Sources};
use crate::traces::Traces;

/// How long a shutdown waits for what is under way; a reconcile seldom takes a second, and what
/// is cut off is picked up by the next start.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// How often a command that looks asks whether everything has been listed, and how long it waits.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_PATIENCE: Duration = Duration::from_secs(20);

/// A running hub.
pub struct Hub {
    /// How it was started.
    pub config: HubConfig,
    /// The client of its own API server.
    pub client: Client,
    /// Tells the time.
    pub clock: Clock,
    /// Where work runs that blocks.
    pub blocking: Blocking,
    /// What its own API server says.
    pub fleet: Arc<Fleet>,
    /// The clusters that it manages.
    pub clusters: Clusters,
    /// The repositories that it reads.
    pub sources: Sources,
    /// The repositories of charts and artifacts that it reads.
    pub charts: Charts,
    /// The large files of git repositories.
    pub(crate) large_files: LargeFiles,
    /// What asks the gates of projects.
    pub gates: Gates,
    /// What is known of signatures of commits.
    pub(crate) integrity: Integrity,
    /// What is known of submodules.
    pub(crate) submodules: Submodules,
    network: Network,
    /// The SCM providers and plugins that generators ask.
    pub scm: Scm,
    /// What renders charts and kustomizations.
    pub tools: Tools,
    /// What waits to be done.
    pub queues: Queues,
    /// What is counted.
    pub metrics: Metrics,
    /// Kubernetes Events.
    pub events: Events,
    /// Traces of what is done.
    pub traces: Traces,
    /// What applications need between two reconciles; all of it is rebuilt after a restart.
    pub applications: application::Memory,
    /// What it found, if it only looks.
    pub(crate) shadow: Option<application::Shadow>,
    /// What ApplicationSets need between two reconciles.
    pub application_sets: application_set::Memory,
    repositories: RwLock<Arc<Repositories>>,
    clusters_known: AtomicBool,
    repositories_known: AtomicBool,
    known_clusters: RwLock<Arc<KnownClusters>>,
    leadership: Option<Leadership>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Hub {
    /// Starts a hub on `client`, whose API server must have Argosy's CRDs.
    pub fn start(config: HubConfig, client: Client) -> Result<Arc<Self>, Diagnostic> {
        let seams = Seams::system(&config)?;
        Self::start_with(config, client, seams)
    }

    /// Starts a hub that reaches everything else through `seams`, too.
    pub fn start_with(
        config: HubConfig,
        client: Client,
        seams: Seams,
    ) -> Result<Arc<Self>, Diagnostic> {
        let (hub, wakes) = Self::wire(config, client, seams)?;
        hub.run(wakes);
        Ok(hub)
    }

    /// Looks at what a hub would see, and does nothing: for commands that ask what it would do.
    pub async fn look(client: Client, namespace: &str) -> Result<Arc<Self>, Diagnostic> {
        Self::look_at(client, namespace, false).await
    }

    /// As [`Self::look`], with the applications and sets of `any_namespace` or the hub's alone.
    pub async fn look_at(
        client: Client,
        namespace: &str,
        any_namespace: bool,
    ) -> Result<Arc<Self>, Diagnostic> {
        let (folder, seams) = Seams::for_a_while()?;
        let config = HubConfig {
            namespace: namespace.to_owned(),
            any_namespace,
            ..HubConfig::new(folder.path())
        };
        let (hub, wakes) = Self::wire(config, client, seams)?;
        hub.watch();
        let following = Arc::clone(&hub);
        hub.spawn(async move {
            router::follow(&following, wakes).await;
            // The mirrors go with whoever looked at them.
            drop(folder);
        });
        let ready = async {
            while !hub.fleet.index().is_ready() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(LOOK_PATIENCE, ready)
            .await
            .map_err(|_| {
                Diagnostic::remote(
                    "HubNotListed",
                    "the hub's objects could not be listed in time",
                )
                .fix("is this the hub's cluster, with Argosy's CRDs, and may you list there?")
            })?;
        hub.connect_clusters();
        hub.read_repositories();
        Ok(hub)
    }

    fn wire(
        config: HubConfig,
        client: Client,
        seams: Seams,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<Wake>), Diagnostic> {
        let stop = CancellationToken::new();
        let (woken, wakes) = mpsc::unbounded_channel();
        let fleet = Fleet::new(&config.namespace, Settings::default(), {
            let woken = woken.clone();
            // The receiver is gone only when the hub is.
            move |wake| drop(woken.send(wake))
        });
        let fleet = Arc::new(fleet);
        let Seams {
            clock,
            dial,
            remotes,
            network,
            signatures,
            disk,
            surroundings,
            tools,
            blocking,
        } = seams;
        let shadow = config.shadow.then(application::Shadow::default);
        let leadership = config.candidate.clone().map(|candidate| {
            Leadership::new(candidate, client.clone(), &config.namespace, clock.clone())
        });
        let of_shadow = shadow.as_ref().map(application::Shadow::may_write);
        let of_term = leadership.as_ref().map(|own| own.term().may_write());
        let (client, dial) = guarded(client, dial, of_shadow.into_iter().chain(of_term));
        let events = cluster_events(&clock, &fleet, woken);
        let clusters = Clusters::new(client.clone(), dial, events);
        let metrics = Metrics::new(&config.metrics).map_err(|error| {
            Diagnostic::new(
                crate::diagnostic::Kind::Internal,
                "MetricsFailed",
                "cannot declare the metrics",
            )
            .because(&error)
        })?;
        metrics.hub.set_memory_limit(&surroundings);
        let requests = Arc::new(metrics.hub.requests.clone());
        let client = counted(client, requests, |requests| requests);
        let hub = Arc::new(Self {
            network: network.clone(),
            gates: Gates::new(network.clone()),
            integrity: Integrity::new(signatures, &surroundings),
            traces: Traces::new(clock.clone(), network.clone(), metrics.hub.spans(), &stop),
            submodules: Submodules::new(&surroundings),
            scm: Scm::new(network.clone(), surroundings, Arc::clone(&metrics.scm)),
            sources: Sources::new(
                remotes,
                network.clone(),
                clock.clone(),
                blocking,
                config.git,
            ),
            large_files: LargeFiles::new(&disk, blocking)
                .map_err(|error| unusable(&config, &error))?,
            charts: Charts::new(&disk, network, blocking, config.git)
                .map_err(|error| unusable(&config, &error))?,
            tools,
            events: Events::spawn(client.clone(), clock.clone(), metrics.hub.events(), &stop),
            queues: Queues::new(&metrics),
            applications: application::Memory::new(&disk, Arc::clone(&metrics.renders))
                .map_err(|error| unusable(&config, &error))?,
            metrics,
            application_sets: application_set::Memory::default(),
            shadow,
            leadership,
            repositories: RwLock::default(),
            clusters_known: AtomicBool::new(false),
            repositories_known: AtomicBool::new(false),
            known_clusters: RwLock::default(),
            tasks: TaskTracker::new(),
            config,
            client,
            clock,
            blocking,
            fleet,
            clusters,
            stop,
        });
        Ok((hub, wakes))
    }

    /// Stops taking up work and waits, not for long, for what is under way.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(SHUTDOWN_PATIENCE, self.tasks.wait())
            .await
            .is_err()
        {
            // A lease that is not left runs out: what was cut off may still be on its way.
            tracing::warn!("some work was cut off; the next start takes it up again");
        } else if let Some(leadership) = &self.leadership {
            leadership.release().await;
        }
    }

    /// Stops at once and waits for nothing, as a crash would; for simulations of one.
    pub fn abandon(&self) {
        self.stop.cancel();
    }

    /// Runs `task` until it ends or the hub stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Runs `task` to its end, even when the hub stops meanwhile.
    pub fn spawn_to_the_end(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs `task` to its end behind a fence: a panic in it is an error of the handle.
    pub fn fenced<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn(task)
    }

    /// Is ready when the hub is to stop.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stop.clone().cancelled_owned()
    }

    /// Whether it works, or stands by for the hub that does.
    pub fn leads(&self) -> bool {
        let leadership = self.leadership.as_ref();
        leadership.is_none_or(|leadership| leadership.term().runs())
    }

    /// Is ready once it works.
    pub(crate) async fn led(&self) {
        if let Some(leadership) = &self.leadership {
            leadership.term().begun().await;
        }
    }

    /// Says where other hubs reach this one, to hand on to it what only the one that works can take.
    pub fn advertise(&self, address: Option<SocketAddr>) {
        if let (Some(leadership), Some(address)) = (&self.leadership, address) {
            leadership.set_address(address);
        }
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Its part among several hubs, of which one works.
    pub(crate) fn leadership(&self) -> Option<&Leadership> {
        self.leadership.as_ref()
    }

    /// Whether everything has been listed once and all registrations have been read. Before that
    /// a cluster that is not there may only not have been seen yet, so that nothing is decided.
    pub(crate) fn knows_its_fleet(&self) -> bool {
        self.clusters_known.load(Ordering::Acquire)
            && self.repositories_known.load(Ordering::Acquire)
            && self.fleet.index().is_ready()
    }

    /// What it found, if it only looks.
    pub fn shadow_report(&self) -> Option<application::Report> {
        let known: Vec<_> = self.fleet.index().applications.names().cloned().collect();
        let shadow = self.shadow.as_ref()?;
        Some(shadow.report(known.into_iter()))
    }

    /// Says that the cluster Secrets, all of them, have become connections.
    pub(crate) fn set_clusters_known(&self) {
        self.clusters_known.store(true, Ordering::Release);
    }

    /// Says that the repository Secrets, all of them, have been read.
    pub(crate) fn set_repositories_known(&self) {
        self.repositories_known.store(true, Ordering::Release);
    }

    /// The repositories as their Secrets describe them.
    pub fn repositories(&self) -> Arc<Repositories> {
        Arc::clone(
            &self
                .repositories
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The registered clusters, as destinations need to know them.
    pub(crate) fn known_clusters(&self) -> Arc<KnownClusters> {
        let known = self.known_clusters.read();
        Arc::clone(&known.unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_known_clusters(&self, known: KnownClusters) {
        *self
            .known_clusters
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    pub(crate) fn set_repositories(&self, repositories: Repositories) {
        *self
            .repositories
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(repositories);
    }

    fn watch(&self) {
        let any_namespace = self.config.any_namespace;
        Watches {
            fleet: Arc::clone(&self.fleet),
            client: self.client.clone(),
            namespace: self.config.namespace.clone(),
            any_namespace,
        }
        .spawn(&self.stop);
    }

    fn run(self: &Arc<Self>, wakes: mpsc::UnboundedReceiver<Wake>) {
        self.take_telemetry();
        self.watch();
        self.spawn(router::route(Arc::clone(self), wakes));
        // Neither has anything to do but write.
        if self.shadow.is_some() {
            return;
        }
        self.take_part();
        let hub = Arc::clone(self);
        self.spawn(async move {
            hub.led().await;
            for _ in 0..hub.config.application_set_workers {
                hub.spawn(application_set::work(Arc::clone(&hub)));
            }
            hub.spawn(cluster_controller::work(Arc::clone(&hub)));
        });
    }

    /// Strives for the lease among several hubs, and stops when it is lost.
    fn take_part(self: &Arc<Self>) {
        let hub = Arc::clone(self);
        self.spawn(async move {
            if let Some(leadership) = &hub.leadership {
                leadership.campaign().await;
                hub.stop.cancel();
            }
        });
    }
}

/// A client and the making of clients that ask all of `guards` before they write.
fn guarded(client: Client, dial: Dial, guards: impl Iterator<Item = MayWrite>) -> (Client, Dial) {
    guards.fold((client, dial), |(client, dial), may_write| {
        let client = cluster::guarded(client, &may_write);
        (client, dial.guarded(may_write))
    })
}

fn unusable(config: &HubConfig, error: &std::io::Error) -> Diagnostic {
    Diagnostic::config("DataUnusable", "cannot use the data directory")
        .at(config.data.display().to_string())
        .because(error)
        .fix("name a directory that can be written with --data")
}

fn cluster_events(
    clock: &Clock,
    fleet: &Arc<Fleet>,
    woken: mpsc::UnboundedSender<Wake>,
) -> cluster::Events {
    let (settings, silence) = (Arc::clone(fleet), Arc::clone(fleet));
    let updates = application::Updates::new(Arc::clone(fleet), clock.clone());
    let connection = woken.clone();
    cluster::Events {
        clock: clock.clone(),
        reading: cluster::Reading {
            owner_of: Arc::new(move |object| application::owner_of(object, &settings.settings())),
            significance_of: Arc::new(move |object| updates.significance_of(object)),
            longest_silence: Arc::new(move || silence.settings().watch_silence),
        },
        live: Arc::new(move |_, instance| drop(woken.send(Wake::Live(instance.to_owned())))),
        connection: Arc::new(move |server| {
            drop(connection.send(Wake::Connection(server.to_owned())));
        }),
    }
}
