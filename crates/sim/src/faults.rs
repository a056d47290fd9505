//! What goes wrong on purpose, and what was asked: the two sides a simulation needs of a server.
//! Faults act before a request reaches the state, so that a failed request has no effect; the one
//! exception is [`Fault::Lose`], which is there for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, watch};

/// What happens to a request that a [`Rule`] matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes later.
    Slow(Duration),
    /// The answer is a Status of this code and message; with 429 the server asks to wait a second.
    Fail {
        /// The HTTP status, 500 for instance.
        code: u16,
        /// The Status' message.
        message: String,
    },
    /// The answer is 200 with this text, as that of a proxy that asks for a login.
    Answer(String),
    /// The connection breaks without an answer, and the request has had no effect.
    Disconnect,
    /// The request is carried out, and the connection breaks before the answer.
    Lose,
}

/// Which requests suffer which fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; `None` is any.
    pub verb: Option<String>,
    /// The plural, such as `deployments`; `None` is any, discovery and health included.
    pub resource: Option<String>,
    /// The fault.
    pub fault: Fault,
    /// How many requests suffer it; `None` is all until [`Faults::clear`].
    pub times: Option<u32>,
}

impl Rule {
    /// A fault for all requests.
    pub fn all(fault: Fault) -> Self {
        Self {
            verb: None,
            resource: None,
            fault,
            times: None,
        }
    }

    fn matches(&self, verb: &str, resource: &str) -> bool {
        self.verb.as_deref().is_none_or(|v| v == verb)
            && self.resource.as_deref().is_none_or(|r| r == resource)
            && self.times != Some(0)
    }
}

/// The switch board of a cluster's faults.
#[derive(Clone)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    stopped: Arc<watch::Sender<bool>>,
    cuts: Arc<AtomicU64>,
    silences: Arc<AtomicU64>,
    lost: Arc<Mutex<BTreeSet<String>>>,
    /// Wakes the watches when one of the above has changed, in the order in which they wait.
    turned: Arc<Notify>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
            stopped: Arc::new(watch::Sender::new(false)),
            cuts: Arc::default(),
            silences: Arc::default(),
            lost: Arc::default(),
            turned: Arc::default(),
        }
    }
}

impl Faults {
    /// Refuses every connection and breaks the open ones, as a machine that is gone.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
        self.turned.notify_waiters();
    }

    /// Takes connections again, over the network a moment later. The state is as it was.
    pub fn start(&self) {
        self.stopped.send_replace(false);
        self.turned.notify_waiters();
    }

    /// Breaks every open watch, as a load balancer that restarts; what comes next is answered.
    pub fn cut_watches(&self) {
        self.cuts.fetch_add(1, Ordering::AcqRel);
        self.turned.notify_waiters();
    }

    /// Has every open watch say nothing more and never end, as a connection that a firewall forgot.
    pub fn silence_watches(&self) {
        self.silences.fetch_add(1, Ordering::AcqRel);
        self.turned.notify_waiters();
    }

    /// Answers 503 to what concerns an API group, which discovery tells as stale and empty: what
    /// serves it for the API server is gone.
    pub fn lose_group(&self, group: &str) {
        self.lost().insert(group.to_owned());
    }

    /// Has an API group answer again.
    pub fn find_group(&self, group: &str) {
        self.lost().remove(group);
    }

    /// Whether the API group does not answer.
    pub(crate) fn has_lost(&self, group: &str) -> bool {
        self.lost().contains(group)
    }

    fn lost(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether [`Faults::stop`] was called last.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Adds a rule; the first that matches a request counts.
    pub fn add(&self, rule: Rule) {
        self.lock().push(rule);
    }

    /// Answers everything 503, as a server behind a load balancer that lost its backend.
    pub fn unavailable(&self) {
        let message = "the server is currently unable to handle the request".to_owned();
        self.add(Rule::all(Fault::Fail { code: 503, message }));
    }

    /// Removes all rules; a stopped cluster stays stopped.
    pub fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn strike(&self, verb: &str, resource: &str) -> Option<Fault> {
        let mut rules = self.lock();
        let rule = rules.iter_mut().find(|rule| rule.matches(verb, resource))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.fault.clone())
    }

    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    /// How often the watches were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Acquire)
    }

    /// How often the watches were silenced.
    pub(crate) fn silences(&self) -> u64 {
        self.silences.load(Ordering::Acquire)
    }

    /// Is ready when the cluster has been stopped or started, or its watches cut or silenced.
    pub(crate) fn turned(&self) -> OwnedNotified {
        Arc::clone(&self.turned).notified_owned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts requests by verb and resource, and the bytes of their answers; the resource of what is no
/// object (`/version`, discovery) is the empty text and its verb `get`.
#[derive(Clone, Default)]
pub struct Requests {
    counts: Arc<Mutex<BTreeMap<(String, String), u64>>>,
    bytes: Arc<Mutex<BTreeMap<(String, String), u64>>>,
}

impl Requests {
    /// How often `verb` was asked of `resource` (plural; `deployments/status` for a subresource).
    pub fn count(&self, verb: &str, resource: &str) -> u64 {
        self.lock()
            .get(&(verb.to_owned(), resource.to_owned()))
            .copied()
            .unwrap_or(0)
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    /// The creates, updates, patches and deletes.
    pub fn writes(&self) -> u64 {
        let reads = ["get", "list", "watch"];
        self.lock()
            .iter()
            .filter(|((v, _), _)| !reads.contains(&v.as_str()))
            .map(|(_, n)| n)
            .sum()
    }

    /// All counts, keyed by verb and resource.
    pub fn snapshot(&self) -> BTreeMap<(String, String), u64> {
        self.lock().clone()
    }

    /// How many bytes were answered so far when `verb` was asked of `resource`.
    pub fn bytes(&self, verb: &str, resource: &str) -> u64 {
        let key = (verb.to_owned(), resource.to_owned());
        self.answered().get(&key).copied().unwrap_or(0)
    }

    /// Starts again from nothing.
    pub fn reset(&self) {
        self.lock().clear();
        self.answered().clear();
    }

    pub(crate) fn answer(&self, verb: &str, resource: &str, bytes: usize) {
        let key = (verb.to_owned(), resource.to_owned());
        *self.answered().entry(key).or_default() += bytes as u64;
    }

    fn answered(&self) -> MutexGuard<'_, BTreeMap<(String, String), u64>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, verb: &str, resource: &str) {
        *self
            .lock()
            .entry((verb.to_owned(), resource.to_owned()))
            .or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
