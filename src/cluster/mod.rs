//! The clusters of the fleet: one connection, one health state and one view of what lives there
//! each, shared with no other cluster.
//!
//! A cluster that is dead or slow must cost the others nothing; nothing in here may wait for one
//! cluster while it holds something of another.

mod admission;
mod connection;
mod counted;
mod discovery;
mod guarded;
mod health;
mod impersonated;
mod live;
mod registry;
mod schemas;
mod secret;
mod signal;

use std::sync::Arc;

use kube::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use admission::Admission;
pub use connection::Dial;
pub(crate) use counted::counted;
pub use discovery::{Discovery, Served, ServedKind};
pub(crate) use guarded::{MayWrite, guarded};
pub use health::{ConnectionState, ConnectionStatus};
pub use live::{
    Changed, Completed, Found, Listeners, LiveState, Living, OwnerOf, Reading, SignificanceOf,
    Suspected, Taint,
};
pub use registry::{Clusters, ConnectionChanged, Events, LiveChanged};
pub use schemas::{SchemaCache, Schemas};
pub use secret::{ClusterConfig, Error as SecretError};

use self::health::Health;
use crate::metrics::ClusterMetrics;

/// A registered cluster and the connection to it.
pub struct Cluster {
    /// What its Secret says.
    pub config: ClusterConfig,
    /// The client; of this cluster alone.
    pub client: Client,
    /// What it serves.
    pub discovery: Discovery,
    /// How its custom kinds are described.
    pub schemas: Schemas,
    /// Which admission webhooks it has.
    pub admission: Admission,
    /// What lives there.
    pub live: Arc<LiveState>,
    /// What is counted of it.
    pub metrics: Arc<ClusterMetrics>,
    health: Arc<Health>,
    _stop: DropGuard,
}

impl Cluster {
    fn connect(
        config: ClusterConfig,
        hub: &Client,
        dial: &Dial,
        events: &Events,
        (schemas, uid): (SchemaCache, Option<String>),
    ) -> Result<Arc<Self>, connection::Error> {
        let metrics = Arc::new(ClusterMetrics::new(&config.server)?);
        let client = dial.client(&config, hub)?;
        let client = counted(client, Arc::clone(&metrics), |metrics| &metrics.requests);
        let health = Arc::new(Health::new(events.clock.clone(), uid));
        let live = Arc::new(LiveState::new(
            client.clone(),
            config.namespaces.clone(),
            events.reading.clone(),
            Listeners {
                changed: events.live_changed(&config.server),
                suspected: {
                    let health = Arc::clone(&health);
                    Arc::new(move || health.suspect())
                },
                completed: Arc::new(events.connection_changed(&config.server)),
            },
            Arc::clone(&metrics),
        ));
        let stop = CancellationToken::new();
        let turned = {
            let (live, tell) = (Arc::clone(&live), events.connection_changed(&config.server));
            let (health, name) = (Arc::downgrade(&health), config.name.clone());
            move || {
                if let Some(health) = health.upgrade() {
                    tell_log(&name, &health.state());
                }
                live.reconnect();
                tell();
            }
        };
        let probing = Arc::clone(&health).probe(client.clone(), turned);
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(probing).await });
        Ok(Arc::new(Self {
            config,
            client,
            discovery: Discovery::default(),
            schemas: Schemas::new(schemas),
            admission: Admission::default(),
            live,
            metrics,
            health,
            _stop: stop.drop_guard(),
        }))
    }

    /// The client that acts as somebody else. The error is that nobody can have that name.
    pub fn client_of(&self, user: &str) -> Result<Client, String> {
        impersonated::impersonated(self.client.clone(), user)
            .map_err(|_| format!("`{user}` cannot be the name of a user"))
    }

    /// Whether it could be reached when last tried, and what it said.
    pub fn connection(&self) -> ConnectionState {
        self.health.state()
    }

    /// Has the connection tried at once, because a request just failed on it.
    pub fn suspect(&self) {
        self.health.suspect();
    }

    /// Waits until the connection has been tried once.
    pub async fn tried(&self) -> ConnectionState {
        self.health.tried().await
    }
}

fn tell_log(name: &str, state: &ConnectionState) {
    match state.status {
        ConnectionStatus::Failed => {
            tracing::warn!(
                cluster = name,
                why = state.message,
                "the cluster cannot be reached"
            );
        }
        ConnectionStatus::Successful | ConnectionStatus::Unknown => {
            tracing::info!(
                cluster = name,
                version = state.version,
                "the cluster answers"
            );
        }
    }
}
