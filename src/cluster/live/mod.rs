//! What lives in one cluster, of the kinds that applications there manage.
//!
//! A kind is watched from the moment an application names it, once for all of them; nothing else is.
//! Of an object that an application tracks the whole is kept, packed; of any other only that it
//! exists. What an apply or delete returned is taken in at once, so that no reconcile has to wait for
//! the echo of its own write.
//!
//! A watch that lost its connection keeps what it saw and says so: until it has listed again, its
//! kind is tainted, and nothing about it can be decided.

mod objects;
mod packed;
mod pulse;
mod watched;
mod watching;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argosy_engine::object::{GroupKind, ObjectExt as _, ResourceKey};
use argosy_facts::Observed;
use futures::FutureExt as _;
use kube::Client;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::objects::{News, Objects, Seen};
use self::packed::{pack, unpack};
use self::pulse::Pulses;
use self::watching::{Depth, Silence, WatchState, Watching};
use super::discovery::ServedKind;
use super::signal::Signal;
use crate::metrics::ClusterMetrics;

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

/// What the hub's settings say of live objects and their watches.
#[derive(Clone)]
pub struct Reading {
    /// Whose an object is.
    pub owner_of: OwnerOf,
    /// Which of its changes matter.
    pub significance_of: SignificanceOf,
    /// How long a watch may say nothing, not even a bookmark, before it is begun anew; without end
    /// if zero.
    pub longest_silence: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// Who is told of what.
pub struct Listeners {
    /// Is told whose live objects changed.
    pub changed: Changed,
    /// Is told that a watch broke off.
    pub suspected: Suspected,
    /// Is told that what was missing is there.
    pub completed: Completed,
}

/// The live objects of one cluster.
pub struct LiveState {
    client: Client,
    namespaces: Option<Vec<String>>,
    pulses: Arc<Pulses>,
    reading: Reading,
    listeners: Listeners,
    metrics: Arc<ClusterMetrics>,
    /// How often the cluster was found to answer again.
    reachable: Arc<Signal<u64>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<GroupKind, KindWatch>,
    objects: Objects,
    /// The kinds that somebody found incomplete and waits for.
    missed: BTreeSet<GroupKind>,
    /// The kinds that are being listed, with what was written meanwhile and may not be in the list.
    listing: BTreeMap<GroupKind, BTreeSet<ResourceKey>>,
}

/// The watches of one kind: one, or one a namespace.
struct KindWatch {
    api_version: String,
    depth: Depth,
    scopes: Vec<Arc<Signal<WatchState>>>,
    _stop: DropGuard,
}

/// What is known of one object.
pub enum Found {
    /// It belongs to an application, and this is what it looks like.
    Tracked(Value),
    /// It is there; it has to be fetched to be seen.
    Untracked,
}

/// Why nothing can be said of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Why, for a person to read.
    pub why: String,
    /// Whether the cluster may serve something else by now than it is believed to.
    pub is_outdated: bool,
}

/// The objects of an application, as far as they are seen.
pub struct Living {
    /// Those of the kinds that are not tainted.
    pub objects: Observed<BTreeMap<ResourceKey, Value>>,
    /// The kinds of which nothing can be said.
    pub tainted: BTreeMap<GroupKind, Taint>,
}

impl LiveState {
    /// Nothing is watched yet.
    pub fn new(
        client: Client,
        namespaces: Option<Vec<String>>,
        reading: Reading,
        listeners: Listeners,
        metrics: Arc<ClusterMetrics>,
    ) -> Self {
        let pulses = Arc::new(Pulses::default());
        Self {
            client: pulses.listening(client),
            namespaces,
            pulses,
            reading,
            listeners,
            metrics,
            reachable: Arc::new(Signal::new(0)),
            inner: Mutex::default(),
        }
    }

    /// Watches `kinds` from now on, those that are not watched yet. Of a kind that moved to another
    /// version the watch moves, too, once it is broken.
    pub fn watch<'a>(self: &Arc<Self>, kinds: impl IntoIterator<Item = &'a ServedKind>) {
        self.watch_to(Depth::Whole, kinds);
    }

    /// Watches which objects of `kinds` there are, and nothing more of them.
    pub fn watch_metadata<'a>(self: &Arc<Self>, kinds: impl IntoIterator<Item = &'a ServedKind>) {
        self.watch_to(Depth::Metadata, kinds);
    }

    fn watch_to<'a>(
        self: &Arc<Self>,
        depth: Depth,
        kinds: impl IntoIterator<Item = &'a ServedKind>,
    ) {
        let mut inner = self.lock();
        for kind in kinds.into_iter().filter(|kind| kind.watchable) {
            let group_kind = GroupKind::new(&kind.resource.group, &kind.resource.kind);
            let known = inner.kinds.get(&group_kind);
            if known.is_none_or(|known| !known.serves(kind, depth)) {
                let watch = self.spawn(kind, depth, &group_kind);
                inner.kinds.insert(group_kind, watch);
            }
        }
    }

    /// Forgets a kind that the cluster does not serve any more.
    pub fn forget(&self, kind: &GroupKind) {
        let mut inner = self.lock();
        if inner.kinds.remove(kind).is_some() {
            inner.objects.forget(kind);
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
            let watched = kinds.iter().filter_map(|kind| inner.kinds.get(kind));
            watched
                .flat_map(|watch| watch.scopes.iter().map(Arc::clone))
                .collect()
        };
        let all = async {
            for state in &states {
                state.wait_for(|state| *state != WatchState::Listing).await;
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
    }

    /// The objects that belong to the application instance `owner`, as far as `kinds` are seen. A kind
    /// that has never been listed leaves all of it incomplete; one whose watch is broken is tainted.
    pub fn observed(&self, owner: &str, kinds: &BTreeSet<GroupKind>) -> Living {
        let mut inner = self.lock();
        let mut gap = None;
        let mut tainted = BTreeMap::new();
        for kind in kinds {
            match inner.state(kind) {
                Some(WatchState::Synced) => continue,
                Some(WatchState::Broken { why, is_unserved }) => {
                    let why = format!("the watch of {} is broken: {why}", kind.shown());
                    let taint = Taint {
                        why,
                        is_outdated: is_unserved,
                    };
                    tainted.insert(kind.clone(), taint);
                }
                Some(WatchState::Listing) => {
                    gap = gap.or_else(|| Some(format!("{} has not been listed yet", kind.shown())));
                }
                None => gap = gap.or_else(|| Some(format!("{} is not watched", kind.shown()))),
            }
            inner.missed.insert(kind.clone());
        }
        let packed = inner.objects.of(owner);
        drop(inner);
        let objects = packed
            .into_iter()
            .filter(|(key, _)| !tainted.contains_key(&key.group_kind()))
            .filter_map(|(key, body)| Some((key, unpack(&body)?)))
            .collect();
        let objects = match gap {
            None => Observed::complete(objects),
            Some(why) => Observed::partial(objects, why),
        };
        Living { objects, tainted }
    }

    /// Why the objects of a kind are not all known now; `None` if they are.
    pub fn gap(&self, kind: &GroupKind) -> Option<String> {
        match self.lock().state(kind) {
            Some(WatchState::Synced) => None,
            Some(WatchState::Broken { why, .. }) => Some(why),
            Some(WatchState::Listing) => Some("it has not been listed yet".to_owned()),
            None => Some("it is not watched".to_owned()),
        }
    }

    /// What is known of one object; `None` if it does not exist as far as is seen.
    pub fn get(&self, key: &ResourceKey) -> Option<Found> {
        let (is_there, body) = {
            let inner = self.lock();
            (inner.objects.contains(key), inner.objects.body(key))
        };
        match body {
            Some(body) => unpack(&body).map(Found::Tracked),
            None => is_there.then_some(Found::Untracked),
        }
    }

    /// The metadata of a namespace, whoever it belongs to; `None` if it does not exist as far as is
    /// seen.
    pub fn namespace(&self, name: &str) -> Option<Value> {
        let key = ResourceKey::new("", "Namespace", "", name);
        let body = self.lock().objects.known(&key)?;
        let mut object = unpack(&body)?;
        Some(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": object["metadata"].take()}))
    }

    /// Has the application instance told of the changes of these objects, which it desires and which
    /// are not its own, and of no others.
    pub fn follow(&self, instance: &str, wanted: BTreeSet<ResourceKey>) {
        self.lock().objects.follow(instance, wanted);
    }

    /// The application instances that desire what `owner` has.
    pub fn heirs(&self, owner: &str) -> BTreeSet<String> {
        self.lock().objects.heirs(owner)
    }

    /// Takes in an object that the cluster returned to a write of ours. Whose it is knows of it;
    /// whoever else desires it is told.
    pub fn wrote(&self, object: &Value) {
        let key = object.resource_key();
        if let Some(written) = self.lock().listing.get_mut(&key.group_kind()) {
            written.insert(key);
        }
        let news = self.apply(object, || Some(Cow::Borrowed(object)), Depth::Whole);
        self.tell(news.followers);
    }

    /// Takes in that an object is gone that we deleted. Whose it was knows of it; whoever else
    /// desires it is told.
    pub fn deleted(&self, key: &ResourceKey) {
        let news = self.removed(key);
        self.tell(news.followers);
    }

    /// How many watches are in each state.
    pub fn watches(&self) -> BTreeMap<&'static str, usize> {
        let mut watches = BTreeMap::from([("synced", 0), ("listing", 0), ("broken", 0)]);
        let inner = self.lock();
        for watch in inner.kinds.values().flat_map(|kind| &kind.scopes) {
            let state = match watch.get() {
                WatchState::Synced => "synced",
                WatchState::Listing => "listing",
                WatchState::Broken { .. } => "broken",
            };
            *watches.entry(state).or_default() += 1;
        }
        watches
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

    /// Takes in an object by its names and marks; `whole` reads all of it, where that is of interest.
    fn apply<'a>(
        &self,
        head: &Value,
        whole: impl FnOnce() -> Option<Cow<'a, Value>>,
        depth: Depth,
    ) -> News {
        let key = head.resource_key();
        let version = head.resource_version().parse().unwrap_or(u64::MAX);
        // Most events are echoes of writes that were taken in already.
        let is_followed = {
            let inner = self.lock();
            if inner.objects.is_known(&key, version) {
                return News::default();
            }
            inner.objects.is_followed(&key)
        };
        let owner = (self.reading.owner_of)(head);
        let matters = owner.is_some() || is_followed;
        // Namespaces are few, and syncs look at their labels though no application owns them.
        let is_kept = owner.is_some() && depth == Depth::Whole || head.is_namespace();
        let object = (matters || is_kept).then(whole).flatten();
        let significance = object.as_deref().filter(|_| matters);
        let seen = Seen {
            version,
            significance: significance.map_or(0, |object| (self.reading.significance_of)(object)),
            body: object.as_deref().filter(|_| is_kept).and_then(pack),
            owner,
        };
        let mut inner = self.lock();
        if inner.objects.is_known(&key, version) {
            return News::default();
        }
        inner.objects.apply(&key, seen)
    }

    fn removed(&self, key: &ResourceKey) -> News {
        self.lock().objects.remove(key)
    }

    /// Notes that a kind is being listed from now on.
    fn begins_to_list(&self, kind: &GroupKind) {
        self.lock().listing.insert(kind.clone(), BTreeSet::new());
    }

    /// Takes in that a listing brought these objects and no others; returns the applications for
    /// which that is news.
    fn listed(
        &self,
        kind: &GroupKind,
        namespace: Option<&str>,
        present: &BTreeSet<ResourceKey>,
    ) -> BTreeSet<String> {
        let mut inner = self.lock();
        let written = inner.listing.remove(kind).unwrap_or_default();
        let known = inner.objects.of_kind(kind, namespace);
        let gone = known
            .iter()
            .filter(|key| !present.contains(key) && !written.contains(key));
        gone.flat_map(|key| inner.objects.remove(key).all())
            .collect()
    }

    /// Tells those who wait for a kind that all of it is known again.
    fn is_complete(&self, kind: &GroupKind) {
        let is_awaited = self.lock().missed.remove(kind);
        if is_awaited {
            (self.listeners.completed)();
        }
    }

    fn concerned_by(&self, kind: &GroupKind) -> BTreeSet<String> {
        self.lock().objects.concerned_by(kind)
    }

    fn tell(&self, instances: impl IntoIterator<Item = String>) {
        for instance in instances {
            (self.listeners.changed)(&instance);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, kind: &ServedKind, depth: Depth, of: &GroupKind) -> KindWatch {
        let stop = CancellationToken::new();
        let scopes = self.scopes(kind).into_iter().map(|namespace| {
            let state = Arc::new(Signal::new(WatchState::Listing));
            let watching = Watching {
                live: Arc::downgrade(self),
                kind: kind.clone(),
                group_kind: of.clone(),
                namespace,
                depth,
                state: Arc::clone(&state),
                answered: self.reachable.get(),
                reachable: Arc::clone(&self.reachable),
                silence: Silence::default(),
            };
            let (client, stopped) = (self.client.clone(), stop.clone());
            tokio::spawn(async move {
                let watched = match depth {
                    Depth::Whole => watching.run::<false>(client).boxed(),
                    Depth::Metadata => watching.run::<true>(client).boxed(),
                };
                stopped.run_until_cancelled(watched).await
            });
            state
        });
        KindWatch {
            api_version: kind.resource.api_version.clone(),
            depth,
            scopes: scopes.collect(),
            _stop: stop.drop_guard(),
        }
    }
}

impl KindWatch {
    /// Whether this watch is good enough for whoever asks for that kind.
    fn serves(&self, kind: &ServedKind, depth: Depth) -> bool {
        let is_unserved = || self.scopes.iter().any(|state| state.get().is_unserved());
        let moved = self.api_version != kind.resource.api_version && is_unserved();
        self.depth >= depth && !moved
    }
}

impl Inner {
    /// How far the watches of a kind have come, the worst of them; `None` if there are none.
    fn state(&self, kind: &GroupKind) -> Option<WatchState> {
        let states = self.kinds.get(kind)?.scopes.iter().map(|state| state.get());
        let worst = states.reduce(|one, other| match (&one, &other) {
            (WatchState::Broken { .. }, _) | (WatchState::Listing, WatchState::Synced) => one,
            _ => other,
        });
        Some(worst.unwrap_or(WatchState::Synced))
    }
}
