//! What lives in one cluster, of the kinds that applications there manage.
//!
//! A kind is watched from the moment an application names it; nothing else is. Of an object that an
//! application tracks the whole is kept, as compact JSON; of any other only that it exists. What
//! an apply or delete returned is taken in at once, so that no reconcile has to wait for the echo
//! of its own write.
//!
//! A watch that lost its connection keeps what it saw and says so: until it has listed again,
//! nothing that depends on absence can be decided from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argosy_engine::object::{GroupKind, ObjectExt as _, ResourceKey};
use argosy_facts::Observed;
use futures::StreamExt as _;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::discovery::ServedKind;
use super::signal::Signal;

/// How soon a watch that broke is taken up again; doubles up to [`LONGEST_RETRY`].
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Which application an object says it belongs to, by its tracking metadata.
pub type OwnerOf = Arc<dyn Fn(&Value) -> Option<String> + Send + Sync>;

/// A number for a tracked object that stays the same while nothing about it changes that matters.
pub type SignificanceOf = Arc<dyn Fn(&Value) -> u64 + Send + Sync>;

/// Is told the instance name of an application whose live objects changed.
pub type Changed = Arc<dyn Fn(&str) + Send + Sync>;

/// Is told that the cluster broke off a watch, which may mean that it cannot be reached.
pub type Suspected = Arc<dyn Fn() + Send + Sync>;

/// Is told that a kind that somebody found incomplete is complete again: whoever waits for it may
/// own nothing by which it could be found.
pub type Completed = Arc<dyn Fn() + Send + Sync>;

/// The live objects of one cluster.
pub struct LiveState {
    client: Client,
    namespaces: Option<Vec<String>>,
    owner_of: OwnerOf,
    significance_of: SignificanceOf,
    changed: Changed,
    suspected: Suspected,
    completed: Completed,
    /// How often the cluster was found to answer again.
    reachable: Arc<Signal<u64>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<GroupKind, Vec<KindWatch>>,
    objects: BTreeMap<ResourceKey, LiveObject>,
    owned: BTreeMap<String, BTreeSet<ResourceKey>>,
    /// The kinds that somebody found incomplete and waits for.
    missed: BTreeSet<GroupKind>,
    /// The kinds that are being listed, with what was written meanwhile and may not be in the list.
    listing: BTreeMap<GroupKind, BTreeSet<ResourceKey>>,
}

struct KindWatch {
    state: Arc<Signal<WatchState>>,
    _stop: DropGuard,
}

/// How far one watch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WatchState {
    Listing,
    Synced,
    Broken(String),
}

struct LiveObject {
    version: u64,
    significance: u64,
    owner: Option<String>,
    body: Option<Arc<[u8]>>,
}

/// What is known of one object.
pub enum Found {
    /// It belongs to an application, and this is what it looks like.
    Tracked(Value),
    /// It is there and belongs to nobody; it has to be fetched to be seen.
    Untracked,
}

impl LiveState {
    /// Nothing is watched yet.
    pub fn new(
        client: Client,
        namespaces: Option<Vec<String>>,
        (owner_of, significance_of): (OwnerOf, SignificanceOf),
        changed: Changed,
        suspected: Suspected,
        completed: Completed,
    ) -> Self {
        Self {
            client,
            namespaces,
            owner_of,
            significance_of,
            changed,
            suspected,
            completed,
            reachable: Arc::new(Signal::new(0)),
            inner: Mutex::default(),
        }
    }

    /// Watches `kinds` from now on, those that are not watched yet.
    pub fn watch<'a>(self: &Arc<Self>, kinds: impl IntoIterator<Item = &'a ServedKind>) {
        let mut inner = self.lock();
        for kind in kinds.into_iter().filter(|kind| kind.watchable) {
            let group_kind = GroupKind::new(&kind.resource.group, &kind.resource.kind);
            inner.kinds.entry(group_kind.clone()).or_insert_with(|| {
                self.scopes(kind)
                    .into_iter()
                    .map(|namespace| self.spawn_watch(kind, namespace, &group_kind))
                    .collect()
            });
        }
    }

    /// Has every broken watch tried again at once, because the cluster answers again.
    pub fn reconnect(&self) {
        self.reachable.change(|times| *times += 1);
    }

    /// Waits until each of `kinds` has been listed, at most for `patience`.
    pub async fn settled(&self, kinds: &BTreeSet<GroupKind>, patience: Duration) {
        let states: Vec<_> = {
            let inner = self.lock();
            let watched = kinds
                .iter()
                .filter_map(|kind| inner.kinds.get(kind))
                .flatten();
            watched.map(|watch| Arc::clone(&watch.state)).collect()
        };
        let all = async {
            for state in &states {
                state.wait_for(|state| *state != WatchState::Listing).await;
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
    }

    /// The objects that belong to the application instance `owner`, as far as `kinds` are seen.
    pub fn observed(
        &self,
        owner: &str,
        kinds: &BTreeSet<GroupKind>,
    ) -> Observed<BTreeMap<ResourceKey, Value>> {
        let mut inner = self.lock();
        let gaps: Vec<_> = kinds
            .iter()
            .filter_map(|kind| Some((kind, inner.gap(kind)?)))
            .collect();
        inner
            .missed
            .extend(gaps.iter().map(|(kind, _)| GroupKind::clone(kind)));
        let gap = gaps.into_iter().next().map(|(_, why)| why);
        let bodies: Vec<_> = inner
            .owned
            .get(owner)
            .into_iter()
            .flatten()
            .filter_map(|key| Some((key.clone(), inner.objects.get(key)?.body.clone()?)))
            .collect();
        drop(inner);
        let objects = bodies
            .into_iter()
            .filter_map(|(key, body)| Some((key, serde_json::from_slice(&body).ok()?)))
            .collect();
        match gap {
            None => Observed::complete(objects),
            Some(why) => Observed::partial(objects, why),
        }
    }

    /// What is known of one object; `None` if it does not exist as far as is seen.
    pub fn get(&self, key: &ResourceKey) -> Option<Found> {
        let body = self.lock().objects.get(key)?.body.clone();
        match body {
            Some(body) => serde_json::from_slice(&body).ok().map(Found::Tracked),
            None => Some(Found::Untracked),
        }
    }

    /// Takes in an object that the cluster returned to a write of ours.
    pub fn wrote(&self, object: &Value) {
        let key = object.resource_key();
        if let Some(written) = self.lock().listing.get_mut(&key.group_kind()) {
            written.insert(key);
        }
        self.apply(object);
    }

    /// Takes in that an object is gone.
    pub fn deleted(&self, key: &ResourceKey) -> Option<String> {
        let mut inner = self.lock();
        let owner = inner.objects.remove(key)?.owner?;
        inner.disown(&owner, key);
        Some(owner)
    }

    /// How many objects are known, and how many kinds are watched.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.objects.len(), inner.kinds.len())
    }

    fn scopes(&self, kind: &ServedKind) -> Vec<Option<String>> {
        match &self.namespaces {
            Some(namespaces) if kind.namespaced => namespaces.iter().cloned().map(Some).collect(),
            _ => vec![None],
        }
    }

    /// Stores the object; returns the applications for which that is news.
    fn apply(&self, object: &Value) -> Vec<String> {
        let key = object.resource_key();
        let version = object.resource_version().parse().unwrap_or(u64::MAX);
        // Most events are echoes of writes that were taken in already.
        if version != u64::MAX && self.lock().is_known(&key, version) {
            return Vec::new();
        }
        let owner = (self.owner_of)(object);
        let body = owner
            .as_ref()
            .and_then(|_| serde_json::to_vec(object).ok())
            .map(Arc::from);
        let significance = body.as_ref().map_or(0, |_| (self.significance_of)(object));
        let mut inner = self.lock();
        if version != u64::MAX && inner.is_known(&key, version) {
            return Vec::new();
        }
        let known = inner.objects.get(&key);
        let is_news =
            known.is_none_or(|known| known.owner != owner || known.significance != significance);
        let former = known.and_then(|known| known.owner.clone());
        if let Some(former) = former
            .as_ref()
            .filter(|former| Some(*former) != owner.as_ref())
        {
            inner.disown(former, &key);
        }
        if let Some(owner) = &owner {
            inner
                .owned
                .entry(owner.clone())
                .or_default()
                .insert(key.clone());
        }
        inner.objects.insert(
            key,
            LiveObject {
                version,
                significance,
                owner: owner.clone(),
                body,
            },
        );
        if !is_news {
            return Vec::new();
        }
        let mut news: Vec<_> = former.into_iter().chain(owner).collect();
        news.dedup();
        news
    }

    fn replace(&self, kind: &GroupKind, namespace: Option<&str>, objects: &[Value]) -> Vec<String> {
        let mut news: BTreeSet<_> = objects
            .iter()
            .flat_map(|object| self.apply(object))
            .collect();
        let listed: BTreeSet<_> = objects.iter().map(Value::resource_key).collect();
        let gone: Vec<_> = {
            let mut inner = self.lock();
            let written = inner.listing.remove(kind).unwrap_or_default();
            let of_kind = inner.objects.keys().filter(|key| {
                key.group == kind.group
                    && key.kind == kind.kind
                    && namespace.is_none_or(|namespace| key.namespace == namespace)
            });
            of_kind
                .filter(|key| !listed.contains(key) && !written.contains(key))
                .cloned()
                .collect()
        };
        news.extend(gone.iter().filter_map(|key| self.deleted(key)));
        news.into_iter().collect()
    }

    fn owners_of(&self, kind: &GroupKind) -> BTreeSet<String> {
        let inner = self.lock();
        let of_kind = inner
            .objects
            .iter()
            .filter(|(key, _)| key.group == kind.group && key.kind == kind.kind);
        of_kind
            .filter_map(|(_, object)| object.owner.clone())
            .collect()
    }

    fn tell(&self, owners: impl IntoIterator<Item = String>) {
        for owner in owners {
            (self.changed)(&owner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn_watch(
        self: &Arc<Self>,
        kind: &ServedKind,
        namespace: Option<String>,
        group_kind: &GroupKind,
    ) -> KindWatch {
        let state = Arc::new(Signal::new(WatchState::Listing));
        let stop = CancellationToken::new();
        let watching = Watching {
            live: Arc::downgrade(self),
            kind: kind.clone(),
            group_kind: group_kind.clone(),
            namespace,
            state: Arc::clone(&state),
            answered: self.reachable.get(),
            reachable: Arc::clone(&self.reachable),
        };
        let client = self.client.clone();
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(watching.run(client)).await });
        KindWatch {
            state,
            _stop: stop.drop_guard(),
        }
    }
}

impl Inner {
    fn gap(&self, kind: &GroupKind) -> Option<String> {
        let Some(watches) = self.kinds.get(kind) else {
            return Some(format!("{} is not watched", shown(kind)));
        };
        watches.iter().find_map(|watch| match watch.state.get() {
            WatchState::Synced => None,
            WatchState::Listing => Some(format!("{} has not been listed yet", shown(kind))),
            WatchState::Broken(why) => {
                Some(format!("the watch of {} is broken: {why}", shown(kind)))
            }
        })
    }

    /// Whether the object was seen in that version or a newer one.
    fn is_known(&self, key: &ResourceKey, version: u64) -> bool {
        let known = self.objects.get(key);
        known.is_some_and(|known| known.version >= version)
    }

    fn disown(&mut self, owner: &str, key: &ResourceKey) {
        if let Some(keys) = self.owned.get_mut(owner) {
            keys.remove(key);
            if keys.is_empty() {
                self.owned.remove(owner);
            }
        }
    }
}

/// A kind as people name it.
fn shown(kind: &GroupKind) -> String {
    if kind.group.is_empty() {
        kind.kind.clone()
    } else {
        kind.to_string()
    }
}

/// One watch: a kind, in all namespaces or in one.
struct Watching {
    live: std::sync::Weak<LiveState>,
    kind: ServedKind,
    group_kind: GroupKind,
    namespace: Option<String>,
    state: Arc<Signal<WatchState>>,
    reachable: Arc<Signal<u64>>,
    /// What `reachable` was when this watch last heeded it.
    answered: u64,
}

impl Watching {
    async fn run(mut self, client: Client) {
        let resource = &self.kind.resource;
        let api: Api<DynamicObject> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        };
        let start = || watcher::watcher(api.clone(), watcher::Config::default()).boxed();
        let mut events = start();
        let mut listed = Vec::new();
        let mut patience = RETRY;
        while let Some(event) = events.next().await {
            let Some(live) = self.live.upgrade() else {
                return;
            };
            match event {
                Ok(event) => self.take(&live, event, &mut listed),
                Err(error) => {
                    self.broke(&live, &error);
                    drop(live);
                    self.pause(patience).await;
                    patience = (patience * 2).min(LONGEST_RETRY);
                    // A watch that is merely resumed would tell nothing while nothing changes, and
                    // what was missed meanwhile would stay unknown: it lists again.
                    events = start();
                }
            }
            if self.state.get() == WatchState::Synced {
                patience = RETRY;
            }
        }
    }

    fn broke(&self, live: &LiveState, error: &watcher::Error) {
        let first = self.state.get() == WatchState::Synced;
        let why = crate::diagnostic::chain(error);
        self.state.set(WatchState::Broken(why));
        if first {
            (live.suspected)();
            live.tell(live.owners_of(&self.group_kind));
        }
    }

    /// Waits for so long, or until the cluster answers again.
    async fn pause(&mut self, patience: Duration) {
        tokio::select! {
            biased;
            times = self.reachable.wait_for(|times| *times != self.answered) => self.answered = times,
            () = tokio::time::sleep(patience) => {}
        }
    }

    fn take(&self, live: &LiveState, event: Event<DynamicObject>, listed: &mut Vec<Value>) {
        match event {
            Event::Init => {
                listed.clear();
                live.lock()
                    .listing
                    .insert(self.group_kind.clone(), BTreeSet::new());
            }
            Event::InitApply(object) => listed.extend(self.value(object)),
            Event::InitDone => {
                let objects = std::mem::take(listed);
                let news = live.replace(&self.group_kind, self.namespace.as_deref(), &objects);
                self.state.set(WatchState::Synced);
                live.tell(news);
                if live.lock().missed.remove(&self.group_kind) {
                    (live.completed)();
                }
            }
            Event::Apply(object) => {
                if let Some(object) = self.value(object) {
                    live.tell(live.apply(&object));
                }
            }
            Event::Delete(object) => {
                if let Some(object) = self.value(object) {
                    live.tell(live.deleted(&object.resource_key()));
                }
            }
        }
    }

    fn value(&self, mut object: DynamicObject) -> Option<Value> {
        // The items of a list do not repeat the list's kind.
        object.types = Some(kube::api::TypeMeta {
            api_version: self.kind.resource.api_version.clone(),
            kind: self.kind.resource.kind.clone(),
        });
        serde_json::to_value(object).ok()
    }
}
