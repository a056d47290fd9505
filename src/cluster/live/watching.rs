//! One watch: a kind, in all namespaces or in one.
//!
//! What it sees it hands on at once. While it is broken it tries again, and says so.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use argosy_engine::object::{GroupKind, ResourceKey};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kube::api::{ApiResource, DynamicObject};
use kube::core::DynamicResourceScope;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource};

use super::LiveState;
use super::objects::News;
use super::pulse::Pulse;
use super::watched::Watched;
use crate::cluster::discovery::ServedKind;
use crate::cluster::signal::Signal;

/// How soon a watch that broke is taken up again; doubles up to [`LONGEST_RETRY`].
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How far one watch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WatchState {
    /// It has never listed all.
    Listing,
    /// It sees all.
    Synced,
    /// It saw, or never did, and does not now.
    Broken {
        /// Why.
        why: String,
        /// Whether the cluster says that there is no such kind in that version.
        is_unserved: bool,
    },
}

impl WatchState {
    /// Whether the cluster says that there is no such kind in that version.
    pub(super) fn is_unserved(&self) -> bool {
        matches!(
            self,
            Self::Broken {
                is_unserved: true,
                ..
            }
        )
    }
}

/// How much of each object is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Its metadata: whether it is there, and whose it is.
    Metadata,
    /// All of it.
    Whole,
}

/// One watch.
pub(super) struct Watching {
    pub(super) live: Weak<LiveState>,
    pub(super) kind: ServedKind,
    pub(super) group_kind: GroupKind,
    pub(super) namespace: Option<String>,
    pub(super) depth: Depth,
    pub(super) state: Arc<Signal<WatchState>>,
    pub(super) reachable: Arc<Signal<u64>>,
    /// What `reachable` was when this watch last heeded it.
    pub(super) answered: u64,
    pub(super) silence: Silence,
}

/// What is known of a watch that says nothing.
#[derive(Default)]
pub(super) struct Silence {
    /// How often the server had sent something when it was last found to say nothing.
    since: Option<u64>,
    /// Whether it was listed again since, and still says nothing: nobody knows what it misses.
    is_mute: bool,
}

/// What a watch waits for.
enum Next<const METADATA: bool> {
    Event(Option<watcher::Result<Event<Watched<METADATA>>>>),
    /// It was mute and said something.
    Heard,
    /// It said nothing for too long.
    Silent,
}

type Events<const METADATA: bool> = BoxStream<'static, watcher::Result<Event<Watched<METADATA>>>>;

/// What a listing has brought so far.
#[derive(Default)]
struct Listed {
    present: BTreeSet<ResourceKey>,
    news: BTreeSet<String>,
}

impl Watching {
    /// Watches for ever; with `METADATA`, which objects there are and no more of them.
    pub(super) async fn run<const METADATA: bool>(mut self, client: Client) {
        let mut events: Events<METADATA> = self.events(client.clone());
        let mut listed = Listed::default();
        let mut patience = RETRY;
        let Some(pulse) = self.pulse() else {
            return;
        };
        loop {
            let next = tokio::select! {
                biased;
                event = events.next() => Next::Event(event),
                () = pulse.beats(self.silence.since.unwrap_or_default()), if self.silence.is_mute => Next::Heard,
                () = pulse.stops(self.longest_silence()) => Next::Silent,
            };
            let Some(live) = self.live.upgrade() else {
                return;
            };
            let event = match next {
                Next::Event(Some(event)) => event,
                Next::Event(None) => return,
                Next::Heard => {
                    self.speaks(&live);
                    continue;
                }
                Next::Silent => {
                    self.says_nothing(&live, &pulse);
                    events = self.events(client.clone());
                    continue;
                }
            };
            pulse.rest();
            match event {
                Ok(event) => self.take(&live, event, &mut listed),
                Err(error) => {
                    self.silence = Silence::default();
                    self.broke(&live, &error);
                    drop(live);
                    self.pause(patience).await;
                    patience = (patience * 2).min(LONGEST_RETRY);
                    // A watch that is merely resumed would tell nothing while nothing changes, and
                    // what was missed meanwhile would stay unknown: it lists again.
                    events = self.events(client.clone());
                }
            }
            if self.state.get() == WatchState::Synced {
                patience = RETRY;
            }
        }
    }

    fn events<const METADATA: bool>(&self, client: Client) -> Events<METADATA> {
        let api: Api<Watched<METADATA>> = self.api(client);
        watcher::watcher(api, watcher::Config::default()).boxed()
    }

    fn api<K>(&self, client: Client) -> Api<K>
    where
        K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &self.kind.resource),
            None => Api::all_with(client, &self.kind.resource),
        }
    }

    fn pulse(&self) -> Option<Arc<Pulse>> {
        let live = self.live.upgrade()?;
        let api: Api<DynamicObject> = self.api(live.client.clone());
        Some(live.pulses.of(api.resource_url()))
    }

    fn longest_silence(&self) -> Duration {
        let live = self.live.upgrade();
        live.map_or(Duration::ZERO, |live| (live.reading.longest_silence)())
    }

    fn broke(&self, live: &LiveState, error: &watcher::Error) {
        live.metrics.watch_broke(&self.group_kind, "broken");
        let (why, is_unserved) = (crate::diagnostic::chain(error), is_unserved(error));
        self.breaks(live, why, is_unserved);
    }

    /// It says nothing any more, not even that nothing happens. What it missed a listing brings; but
    /// where it says nothing after that either, the kind cannot be seen.
    fn says_nothing(&mut self, live: &LiveState, pulse: &Pulse) {
        live.metrics.watch_broke(&self.group_kind, "silent");
        pulse.rest();
        let times = pulse.times();
        self.silence.is_mute = self.silence.since.replace(times) == Some(times);
        if self.silence.is_mute {
            let why = "it says nothing, not even that nothing happens, although it was begun anew";
            self.breaks(live, why.to_owned(), false);
        }
    }

    /// It was mute, and says something.
    fn speaks(&mut self, live: &LiveState) {
        self.silence = Silence::default();
        self.state.set(WatchState::Synced);
        live.tell(live.concerned_by(&self.group_kind));
        live.is_complete(&self.group_kind);
    }

    fn breaks(&self, live: &LiveState, why: String, is_unserved: bool) {
        let first = self.state.get() == WatchState::Synced;
        self.state.set(WatchState::Broken { why, is_unserved });
        if first {
            (live.listeners.suspected)();
            live.tell(live.concerned_by(&self.group_kind));
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

    fn take<const METADATA: bool>(
        &self,
        live: &LiveState,
        event: Event<Watched<METADATA>>,
        listed: &mut Listed,
    ) {
        if matches!(event, Event::Apply(_) | Event::Delete(_)) {
            live.metrics.event(&self.group_kind);
        }
        match event {
            Event::Init => {
                *listed = Listed::default();
                live.begins_to_list(&self.group_kind);
            }
            Event::InitApply(object) => {
                listed.present.insert(object.key(&self.kind.resource));
                listed.news.extend(self.saw(live, &object).all());
            }
            Event::InitDone => {
                let Listed { present, mut news } = std::mem::take(listed);
                news.extend(live.listed(&self.group_kind, self.namespace.as_deref(), &present));
                if self.silence.is_mute {
                    live.tell(news);
                    return;
                }
                self.state.set(WatchState::Synced);
                live.tell(news);
                live.is_complete(&self.group_kind);
            }
            Event::Apply(object) => live.tell(self.saw(live, &object).all()),
            Event::Delete(object) => {
                live.tell(live.removed(&object.key(&self.kind.resource)).all());
            }
        }
    }

    fn saw<const METADATA: bool>(&self, live: &LiveState, object: &Watched<METADATA>) -> News {
        let of = &self.kind.resource;
        let whole = || object.whole(of).map(Cow::Owned);
        live.apply(&object.head(of), whole, self.depth)
    }
}

fn is_unserved(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
