//! The cluster as its user sees it: configuration, the handle, and the ways in. It holds no logic
//! of the API itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use crate::faults::{Faults, Requests};
use crate::persist::{Journal, PersistError};
use crate::service::SimService;
use crate::store::State;
use crate::workloads;

/// Tells the cluster what time it is; every timestamp it writes comes from here.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the simulated controllers behave.
#[derive(Clone, Debug)]
pub struct WorkloadConfig {
    /// How long a pod takes to become ready, and a Job's pod to succeed.
    pub available_after: Duration,
}

/// What a simulated cluster is made from.
#[derive(Clone)]
pub struct SimConfig {
    /// Names the cluster in kubeconfigs and logs.
    pub name: String,
    /// The `gitVersion` that `/version` answers, such as `v1.34.1`.
    pub version: String,
    /// The clock seam.
    pub clock: Clock,
    /// Decides uids, generated names and the key that signs service account tokens.
    pub seed: u64,
    /// `None` leaves Deployments and their like without a controller.
    pub workloads: Option<WorkloadConfig>,
    /// Whether deletions are followed up: by the garbage collector, and for namespaces by the
    /// controller that empties them. A kube-apiserver alone, without kube-controller-manager, has
    /// neither, so that finalizers of a propagation policy and ending namespaces stay.
    pub collector: bool,
    /// The file that keeps the state; `None` keeps it in memory only.
    pub persist: Option<PathBuf>,
    /// How many events of a resource a watch can start from; an older start is answered 410.
    pub history: usize,
}

impl SimConfig {
    /// A cluster in memory without simulated workloads: `v1.34.1`, seed 0, the system's clock,
    /// deletions followed up.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: "v1.34.1".to_owned(),
            clock: Arc::new(Timestamp::now),
            seed: 0,
            workloads: None,
            collector: true,
            persist: None,
            history: 1000,
        }
    }
}

/// Why a cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file named by [`SimConfig::persist`] cannot be used.
    #[error("cannot use the state file of cluster `{cluster}`")]
    Persist {
        /// The cluster's name.
        cluster: String,
        /// What the file said.
        #[source]
        source: PersistError,
    },
}

/// A running cluster. Clones are handles to the same one; it ends with the last of them.
#[derive(Clone)]
pub struct SimCluster {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: SimConfig,
    state: Mutex<State>,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    /// Wakes the simulated controllers after a write.
    pub(crate) work: Arc<Notify>,
    driving: AtomicBool,
}

impl Inner {
    /// The state, locked. A panic under the lock leaves the state as far as it was committed, which
    /// is whole: commits come last.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = (self.config.clock)();
        state
    }
}

impl SimCluster {
    /// Starts a cluster, with the objects of the state file if it has one.
    pub fn new(config: SimConfig) -> Result<Self, StartError> {
        let fail = |source| StartError::Persist {
            cluster: config.name.clone(),
            source,
        };
        let opened = config
            .persist
            .as_deref()
            .map(Journal::open)
            .transpose()
            .map_err(fail)?;
        let state = State::new(&config, opened).map_err(fail)?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                state: Mutex::new(state),
                faults: Faults::default(),
                requests: Requests::default(),
                work: Arc::default(),
                driving: AtomicBool::new(false),
            }),
        })
    }

    /// The name given in the configuration.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// A tower service that answers as the API server would; `kube::Client::new` takes it.
    /// Requests through it need no token.
    pub fn service(&self) -> SimService {
        SimService::new(self.clone())
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// What was asked so far, by verb and resource.
    pub fn requests(&self) -> &Requests {
        &self.inner.requests
    }

    /// The resource version of the last committed change.
    pub fn resource_version(&self) -> u64 {
        self.inner.state().resource_version()
    }

    /// Runs what the simulated controllers have to do at the clock's present time. Needed only
    /// where a test moves the clock by hand; otherwise a task does it.
    pub fn tick(&self) {
        if let Some(config) = &self.inner.config.workloads {
            workloads::run_due(&mut self.inner.state(), config);
        }
    }

    /// A kubeconfig (YAML) for this cluster served at `server`, with one context of its name.
    pub fn kubeconfig(&self, server: &str, ca_pem: &str, token: &str) -> String {
        use base64::Engine as _;
        let name = self.name();
        let ca = base64::engine::general_purpose::STANDARD.encode(ca_pem);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": ca}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        });
        serde_yaml::to_string(&config).unwrap_or_else(|_| config.to_string())
    }

    /// Starts the controllers' task at the first request, since only then a runtime is certain.
    pub(crate) fn drive(&self) {
        if self.inner.config.workloads.is_some() && !self.inner.driving.swap(true, Ordering::AcqRel)
        {
            tokio::spawn(workloads::drive(Arc::downgrade(&self.inner)));
        }
    }
}
