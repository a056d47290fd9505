//! The index of everything observed: events in, dirty keys out, snapshots on request.
//!
//! Events wake, they do not inform: whoever is woken reads the index anew. So a lost event costs a
//! delay and never a wrong state.

mod dependencies;
mod index;
mod set_settings;
mod settings;
mod telemetry_settings;
mod wake;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use argosy_engine::graph::Graph;

pub use index::{Entry, Index, Malformed, ObjectName, Table};
pub use set_settings::SetSettings;
pub use settings::Settings;
pub(crate) use settings::source_addresses;
pub use telemetry_settings::TelemetrySettings;
pub use wake::{Wake, owner_set};
pub use watch::Watches;

/// The index behind a lock, and whoever wants to hear of changes.
pub struct Fleet {
    index: RwLock<Index>,
    settings: RwLock<Arc<Settings>>,
    telemetry: RwLock<Arc<TelemetrySettings>>,
    graph: Mutex<Graph>,
    namespace: String,
    woken: Box<dyn Fn(Wake) + Send + Sync>,
}

impl Fleet {
    /// Nothing observed yet in the hub of this namespace; `woken` is told what each change concerns.
    pub fn new(
        namespace: &str,
        settings: Settings,
        woken: impl Fn(Wake) + Send + Sync + 'static,
    ) -> Self {
        Self {
            index: RwLock::default(),
            settings: RwLock::new(Arc::new(settings)),
            telemetry: RwLock::default(),
            graph: Mutex::default(),
            namespace: namespace.to_owned(),
            woken: Box::new(woken),
        }
    }

    /// The index as it stands; do not hold it across an await.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which application waits for which; do not hold it across an await. Who needs the index, too,
    /// takes the graph first.
    pub fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings as they stand.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the hub is to tell of itself, as it stands.
    pub fn telemetry(&self) -> Arc<TelemetrySettings> {
        Arc::clone(
            &self
                .telemetry
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn wake(&self, wakes: impl IntoIterator<Item = Wake>) {
        for wake in wakes {
            (self.woken)(wake);
        }
    }
}
