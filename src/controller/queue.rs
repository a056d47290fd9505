//! Keys that wait for a worker.
//!
//! A key is never handed to two workers at once and never lost: one that is added while it is
//! being worked on comes back afterwards. There are two lanes: what somebody waits for (an
//! event, a running sync) goes before what is merely due. So the first application of a large fleet
//! is finished in milliseconds instead of all of them being half done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::metrics::{QueueLoad, QueueMetrics};

/// Which keys go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Somebody waits for it.
    Urgent,
    /// It is due.
    Routine,
}

/// A queue of keys with delays and backoff.
pub struct WorkQueue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
    backoff: Backoff,
    metrics: Arc<QueueMetrics>,
}

/// How long a key that failed waits: doubling from `first` up to `most`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Default for Backoff {
    /// From one second, so that a passing fault heals soon, to three minutes, Argo CD's interval
    /// for a set that cannot be generated.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_mins(3),
        }
    }
}

impl Backoff {
    fn after(self, failures: u32) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.most)
    }
}

#[derive(Debug)]
struct State<K> {
    urgent: VecDeque<K>,
    routine: VecDeque<K>,
    /// Where each key waits, and since when.
    queued: BTreeMap<K, (Lane, Instant)>,
    /// What is worked on, and since when.
    running: BTreeMap<K, Instant>,
    again: BTreeMap<K, Lane>,
    delayed: BTreeSet<(Instant, K)>,
    due: BTreeMap<K, Instant>,
    failures: BTreeMap<K, u32>,
}

impl<K: Clone + Ord> WorkQueue<K> {
    /// An empty queue.
    pub fn new(backoff: Backoff, metrics: Arc<QueueMetrics>) -> Self {
        Self {
            state: Mutex::new(State {
                urgent: VecDeque::new(),
                routine: VecDeque::new(),
                queued: BTreeMap::new(),
                running: BTreeMap::new(),
                again: BTreeMap::new(),
                delayed: BTreeSet::new(),
                due: BTreeMap::new(),
                failures: BTreeMap::new(),
            }),
            changed: Notify::new(),
            backoff,
            metrics,
        }
    }

    /// Asks for work on `key` as soon as a worker is free.
    pub fn add(&self, key: K, lane: Lane) {
        self.metrics.adds.inc();
        self.lock().add(key, lane);
        self.changed.notify_one();
    }

    /// Asks for work on `key` after `delay`; an earlier request stands.
    pub fn add_after(&self, key: K, delay: Duration) {
        let at = Instant::now() + delay;
        let mut state = self.lock();
        if state.due.get(&key).is_some_and(|due| *due <= at) {
            return;
        }
        if let Some(later) = state.due.insert(key.clone(), at) {
            state.delayed.remove(&(later, key.clone()));
        }
        let is_first = state.delayed.first().is_none_or(|(first, _)| at < *first);
        state.delayed.insert((at, key));
        drop(state);
        // Whoever waits does so until the first of them is due.
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Says that work on `key` failed: it comes back after a growing wait, which is returned.
    pub fn add_failed(&self, key: K) -> Duration {
        let failures = {
            let mut state = self.lock();
            let failures = state.failures.entry(key.clone()).or_default();
            *failures = failures.saturating_add(1);
            *failures
        };
        let delay = self.backoff.after(failures);
        self.metrics.retries.inc();
        self.add_after(key, delay);
        delay
    }

    /// Says that work on `key` went well: its next failure waits the shortest time again.
    pub fn forget_failures(&self, key: &K) {
        self.lock().failures.remove(key);
    }

    /// Takes the next key; the caller must hand it back with [`WorkQueue::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut state = self.lock();
                state.release_due(Instant::now());
                if let Some((key, since)) = state.take() {
                    self.metrics.taken(since.elapsed());
                    if !state.is_idle() {
                        self.changed.notify_one();
                    }
                    return key;
                }
                state.delayed.first().map(|(at, _)| *at)
            };
            match wait {
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Hands a key back.
    pub fn done(&self, key: &K) {
        if let Some(since) = self.lock().done(key) {
            self.metrics.done(since.elapsed());
        }
        self.changed.notify_one();
    }

    /// How many keys wait for a worker.
    pub fn depth(&self) -> usize {
        self.lock().queued.len()
    }

    /// What waits and what is worked on.
    pub fn load(&self) -> QueueLoad {
        let state = self.lock();
        let running = || state.running.values().map(Instant::elapsed);
        QueueLoad {
            waiting: state.queued.len(),
            running: state.running.len(),
            longest: running().max().unwrap_or_default(),
            unfinished: running().sum(),
        }
    }

    /// Counts a worker that takes keys for ever.
    pub fn has_worker(&self) {
        self.metrics.workers.inc();
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Ord> State<K> {
    fn add(&mut self, key: K, lane: Lane) {
        if self.running.contains_key(&key) {
            let wanted = self.again.entry(key).or_insert(lane);
            *wanted = lane.min(*wanted);
            return;
        }
        let since = match self.queued.get(&key) {
            Some((queued, _)) if *queued <= lane => return,
            // The stale entry in the routine lane is skipped when it comes up.
            Some((_, since)) => *since,
            None => Instant::now(),
        };
        self.queued.insert(key.clone(), (lane, since));
        match lane {
            Lane::Urgent => self.urgent.push_back(key),
            Lane::Routine => self.routine.push_back(key),
        }
    }

    fn release_due(&mut self, now: Instant) {
        while self.delayed.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.delayed.pop_first() else {
                break;
            };
            self.due.remove(&key);
            self.add(key, Lane::Urgent);
        }
    }

    /// The next key, and since when it has waited.
    fn take(&mut self) -> Option<(K, Instant)> {
        loop {
            let (key, lane) = match self.urgent.pop_front() {
                Some(key) => (key, Lane::Urgent),
                None => (self.routine.pop_front()?, Lane::Routine),
            };
            let waiting = self.queued.get(&key).filter(|(queued, _)| *queued == lane);
            if let Some((_, since)) = waiting.copied() {
                self.queued.remove(&key);
                self.running.insert(key.clone(), Instant::now());
                return Some((key, since));
            }
        }
    }

    /// Returns since when the key was worked on.
    fn done(&mut self, key: &K) -> Option<Instant> {
        let since = self.running.remove(key);
        if let Some(lane) = self.again.remove(key) {
            self.add(key.clone(), lane);
        }
        since
    }

    fn is_idle(&self) -> bool {
        self.queued.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metrics, MetricsConfig};

    fn queue() -> WorkQueue<&'static str> {
        let metrics = Metrics::new(&MetricsConfig::default()).unwrap();
        WorkQueue::new(Backoff::default(), metrics.application_queue)
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_tells_how_long_its_keys_are_worked_on() {
        let queue = queue();
        queue.add("a", Lane::Routine);
        queue.add("b", Lane::Routine);
        assert_eq!(queue.load().waiting, 2);
        for _ in 0..2 {
            queue.next().await;
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        let load = queue.load();
        assert_eq!((load.waiting, load.running), (0, 2));
        assert_eq!(load.longest, Duration::from_secs(4));
        assert_eq!(load.unfinished, Duration::from_secs(6));
        queue.done(&"a");
        assert_eq!(queue.load().longest, Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_waits_for_goes_first() {
        let queue = queue();
        queue.add("due", Lane::Routine);
        queue.add("awaited", Lane::Urgent);
        assert_eq!(queue.next().await, "awaited");
        assert_eq!(queue.next().await, "due");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_added_while_it_is_worked_on_comes_back_once() {
        let queue = queue();
        queue.add("a", Lane::Urgent);
        assert_eq!(queue.next().await, "a");
        queue.add("a", Lane::Routine);
        queue.add("a", Lane::Urgent);
        assert_eq!(queue.depth(), 0);
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
        queue.done(&"a");
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_events_is_one_more_look() {
        let queue = queue();
        queue.add("a", Lane::Urgent);
        assert_eq!(queue.next().await, "a");
        for _ in 0..50_000 {
            queue.add("a", Lane::Urgent);
            queue.add("b", Lane::Urgent);
        }
        queue.done(&"a");
        assert_eq!(queue.depth(), 2);
        for due in ["b", "a"] {
            assert_eq!(queue.next().await, due);
            queue.done(&due);
        }
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_two_delays_stands() {
        let queue = queue();
        let start = Instant::now();
        queue.add_after("a", Duration::from_mins(1));
        queue.add_after("a", Duration::from_secs(5));
        queue.add_after("a", Duration::from_secs(30));
        assert_eq!(queue.next().await, "a");
        assert_eq!(start.elapsed().as_secs(), 5);
        queue.done(&"a");
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_wait_longer_until_one_goes_well() {
        let queue = queue();
        assert_eq!(queue.add_failed("a"), Duration::from_secs(1));
        assert_eq!(queue.add_failed("a"), Duration::from_secs(2));
        assert_eq!(queue.add_failed("a"), Duration::from_secs(4));
        queue.forget_failures(&"a");
        assert_eq!(queue.add_failed("a"), Duration::from_secs(1));
    }
}
