//! Which kinds a cluster serves.
//!
//! Asked once per connection with two requests (aggregated discovery), and again when somebody
//! needs a kind that was not there: a custom resource whose definition has just been applied. A
//! failed answer leaves the last one standing and is an error to whoever asked. Where the API server
//! could not ask one group, what that served before stands, and it is known that nothing is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kube::Client;
use kube::core::GroupVersionKind;
use kube::core::discovery::v2::{APIGroupDiscovery, APIResourceDiscovery};
use kube::discovery::ApiResource;
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
    /// The groups that the API server could not ask, and in which versions.
    stale: BTreeMap<String, BTreeSet<String>>,
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

    /// Whether the API server could not find out what this group serves: that a kind of it is not
    /// known means nothing.
    pub fn is_stale(&self, group: &str) -> bool {
        self.stale.contains_key(group)
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

    /// What the cluster serves, asking again.
    pub async fn again(&self, client: &Client) -> kube::Result<Arc<Served>> {
        self.refresh(client).await
    }

    async fn refresh(&self, client: &Client) -> kube::Result<Arc<Served>> {
        // One request at a time: whoever waited here is served by the answer that just came.
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < ASK_AGAIN_AFTER) {
            return Ok(self.served());
        }
        let mut served = ask(client).await?;
        served.keep_stale(&self.served());
        let served = Arc::new(served);
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
    let (core, groups) = tokio::try_join!(
        biased;
        client.list_core_api_versions_aggregated(),
        client.list_api_groups_aggregated(),
    )?;
    Ok(Served::read(core.items.into_iter().chain(groups.items)))
}

impl Served {
    /// Reads the aggregated discovery documents: groups, each with its versions, the preferred first.
    fn read(groups: impl Iterator<Item = APIGroupDiscovery>) -> Self {
        let mut served = Self::default();
        for group in groups {
            let name = group.metadata.and_then(|metadata| metadata.name);
            let name = name.unwrap_or_default();
            for one in group.versions {
                let version = one.version.unwrap_or_default();
                if one.freshness.as_deref() == Some("Stale") {
                    let stale = served.stale.entry(name.clone()).or_default();
                    stale.insert(version.clone());
                }
                for resource in one.resources {
                    served.add(ServedKind::read(&name, &version, resource));
                }
            }
        }
        served.list();
        served
    }

    fn add(&mut self, kind: ServedKind) {
        let resource = &kind.resource;
        let version = resource.version.clone();
        let key = (resource.group.clone(), resource.kind.clone());
        let preferred = self.preferred.entry(key.clone());
        preferred.or_insert_with(|| version.clone());
        self.kinds.entry(key).or_default().insert(version, kind);
    }

    /// Keeps what `before` knew of the groups that could not be asked now.
    fn keep_stale(&mut self, before: &Self) {
        if self.stale.is_empty() {
            return;
        }
        let is_kept = |kind: &&ServedKind| {
            let resource = &kind.resource;
            let stale = self.stale.get(&resource.group);
            let known = self.kind(&resource.group, &resource.version, &resource.kind);
            stale.is_some_and(|versions| versions.contains(&resource.version)) && known.is_none()
        };
        let kinds = before.kinds.values().flat_map(BTreeMap::values);
        let kept: Vec<_> = kinds.filter(is_kept).cloned().collect();
        for kind in kept {
            self.add(kind);
        }
        self.list();
    }

    fn list(&mut self) {
        (self.api_versions, self.api_digest) = listed(&self.kinds);
    }
}

impl ServedKind {
    fn read(group: &str, version: &str, resource: APIResourceDiscovery) -> Self {
        let can = |verb: &str| resource.verbs.iter().any(|able| able == verb);
        let watchable = can("list") && can("watch");
        let kind = resource.response_kind.and_then(|kind| kind.kind);
        let api_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        Self {
            namespaced: resource.scope.as_deref() == Some("Namespaced"),
            watchable,
            resource: ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version,
                kind: kind.unwrap_or_default(),
                plural: resource.resource.unwrap_or_default(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::discovery::v2::APIGroupDiscoveryList;
    use serde_json::{Value, json};

    use super::*;

    fn read(versions: &[Value]) -> Served {
        let list: APIGroupDiscoveryList = serde_json::from_value(json!({"metadata": {}, "items": [
            {"metadata": {"name": "example.com"}, "versions": versions}]}))
        .unwrap();
        Served::read(list.items.into_iter())
    }

    fn widgets(version: &str) -> Value {
        json!({"version": version, "freshness": "Current", "resources": [{
            "resource": "widgets", "scope": "Namespaced", "verbs": ["list", "watch"],
            "responseKind": {"group": "example.com", "version": version, "kind": "Widget"}}]})
    }

    #[test]
    fn the_first_version_that_has_a_kind_is_preferred() {
        let served = read(&[widgets("v1"), widgets("v1alpha1")]);
        let preferred = served.preferred("example.com", "Widget").unwrap();
        assert_eq!(preferred.resource.api_version, "example.com/v1");
        assert!(preferred.namespaced && preferred.watchable);
        assert!(served.kind("example.com", "v1alpha1", "Widget").is_some());
        assert!(!served.is_stale("example.com"));
        let versions = ["example.com/v1", "example.com/v1/Widget"];
        assert_eq!(&served.api_versions()[..2], versions);
    }

    #[test]
    fn a_group_that_cannot_be_asked_keeps_what_it_served() {
        let before = read(&[widgets("v1"), widgets("v2")]);
        let stale = json!({"version": "v1", "freshness": "Stale", "resources": []});
        let mut now = read(&[stale]);
        assert!(now.is_stale("example.com") && now.is_empty());
        now.keep_stale(&before);
        assert!(now.kind("example.com", "v1", "Widget").is_some());
        let gone = now.kind("example.com", "v2", "Widget");
        assert!(gone.is_none(), "nobody says that this version is there");
    }
}
