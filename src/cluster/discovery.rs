//! Which kinds a cluster serves.
//!
//! Asked once per connection with two requests (aggregated discovery), and again when somebody
//! needs a kind that was not there: a custom resource whose definition has just been applied. A
//! failed answer leaves the last one standing and is an error to whoever asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kube::Client;
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Discovery as KubeDiscovery, Scope};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How soon discovery may be asked again for a kind that was absent. A definition is served within
/// a second of being applied, and a manifest of a kind that does not exist must not cost a request
/// per reconcile.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A kind as the cluster serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// What kube's client addresses it with.
    pub resource: ApiResource,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether it can be listed and watched.
    pub watchable: bool,
}

/// Everything the cluster serves.
#[derive(Clone, Debug, Default)]
pub struct Served {
    kinds: BTreeMap<(String, String), BTreeMap<String, ServedKind>>,
    preferred: BTreeMap<(String, String), String>,
    api_versions: Vec<String>,
    api_digest: String,
}

impl Served {
    /// The kind in exactly that version.
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&ServedKind> {
        self.kinds
            .get(&(group.to_owned(), kind.to_owned()))?
            .get(version)
    }

    /// The kind in the version that the cluster prefers.
    pub fn preferred(&self, group: &str, kind: &str) -> Option<&ServedKind> {
        let key = (group.to_owned(), kind.to_owned());
        self.kinds.get(&key)?.get(self.preferred.get(&key)?)
    }

    /// The kinds whose objects live in namespaces and can be listed, each in the version that the
    /// cluster prefers.
    pub fn namespaced(&self) -> impl Iterator<Item = &ServedKind> {
        let preferred = self.preferred.keys();
        preferred
            .filter_map(|(group, kind)| self.preferred(group, kind))
            .filter(|kind| kind.namespaced && kind.watchable)
    }

    /// The API versions, `group/version` and `group/version/Kind`, that a chart may ask about.
    pub fn api_versions(&self) -> &[String] {
        &self.api_versions
    }

    /// Names the list of API versions: equal names mean equal lists.
    pub fn api_digest(&self) -> &str {
        &self.api_digest
    }

    /// How many kinds are served.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether nothing is served, as before the first answer.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

/// Asks one cluster what it serves, and remembers.
#[derive(Debug)]
pub struct Discovery {
    served: RwLock<Arc<Served>>,
    asked: Mutex<Option<Instant>>,
}

impl Default for Discovery {
    fn default() -> Self {
        Self {
            served: RwLock::new(Arc::default()),
            asked: Mutex::new(None),
        }
    }
}

impl Discovery {
    /// What the cluster served when last asked; empty before the first answer.
    pub fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the cluster serves, asking if it never was.
    pub async fn get(&self, client: &Client) -> kube::Result<Arc<Served>> {
        let served = self.served();
        if served.is_empty() {
            self.refresh(client).await
        } else {
            Ok(served)
        }
    }

    /// What the cluster serves, asking again if one of `wanted` was not among it.
    pub async fn covering(
        &self,
        client: &Client,
        wanted: &[GroupVersionKind],
    ) -> kube::Result<Arc<Served>> {
        let served = self.get(client).await?;
        let known =
            |gvk: &GroupVersionKind| served.kind(&gvk.group, &gvk.version, &gvk.kind).is_some();
        if wanted.iter().all(known) {
            Ok(served)
        } else {
            self.refresh(client).await
        }
    }

    async fn refresh(&self, client: &Client) -> kube::Result<Arc<Served>> {
        // One request at a time: whoever waited here is served by the answer that just came.
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < ASK_AGAIN_AFTER) {
            return Ok(self.served());
        }
        let served = Arc::new(ask(client).await?);
        *asked = Some(Instant::now());
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&served);
        Ok(served)
    }
}

/// The list that charts see, and its name.
fn listed(
    kinds: &BTreeMap<(String, String), BTreeMap<String, ServedKind>>,
) -> (Vec<String>, String) {
    let mut versions = BTreeSet::new();
    for ((group, kind), by_version) in kinds {
        for version in by_version.keys() {
            let group_version = if group.is_empty() {
                version.clone()
            } else {
                format!("{group}/{version}")
            };
            versions.insert(format!("{group_version}/{kind}"));
            versions.insert(group_version);
        }
    }
    let mut hash = Sha256::new();
    for version in &versions {
        hash.update(version);
        hash.update([0]);
    }
    (
        versions.into_iter().collect(),
        format!("{:x}", hash.finalize()),
    )
}

async fn ask(client: &Client) -> kube::Result<Served> {
    let discovery = KubeDiscovery::new(client.clone()).run_aggregated().await?;
    let mut served = Served::default();
    for group in discovery.groups() {
        for version in group.versions() {
            for (resource, capabilities) in group.versioned_resources(version) {
                let can = |verb: &str| capabilities.operations.iter().any(|able| able == verb);
                let kind = ServedKind {
                    namespaced: capabilities.scope == Scope::Namespaced,
                    watchable: can("list") && can("watch"),
                    resource,
                };
                let key = (kind.resource.group.clone(), kind.resource.kind.clone());
                if version == group.preferred_version_or_latest()
                    || !served.preferred.contains_key(&key)
                {
                    served.preferred.insert(key.clone(), version.to_owned());
                }
                served
                    .kinds
                    .entry(key)
                    .or_default()
                    .insert(version.to_owned(), kind);
            }
        }
    }
    (served.api_versions, served.api_digest) = listed(&served.kinds);
    Ok(served)
}
