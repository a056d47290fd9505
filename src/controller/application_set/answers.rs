//! What providers, plugins and cluster decisions answered, kept until it is time to ask again.
//!
//! A set looks at its facts with each change of one of its applications; none of that costs a
//! request here. It asks again when its generators are due, when a webhook or a person says so,
//! and after a failure when that is over. Sets of one namespace share what they ask alike.
//!
//! Nobody waits here: a set that asks anew is let go and woken when the answer is there, so that a
//! slow provider holds no worker.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argosy_crds::{ApplicationSet, names};
use argosy_facts::Observed;
use argosy_generators::{Answer, Request, requeue};
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, Semaphore};

use super::decisions;
use crate::controller::queue::Lane;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::scm::{Unanswered, asked_of};

/// How long an answer that nobody looks at is kept.
const IDLE: Duration = Duration::from_hours(24);

/// The most answers that are kept.
const MOST: u64 = 20_000;

/// How many questions one provider, plugin or API server is asked at once.
const AT_ONCE: usize = 8;

/// How long a failure is believed, as in Argo CD.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(3);

/// How much sooner than due an answer is old, so that a timer finds it so.
const SLACK: SignedDuration = SignedDuration::from_secs(1);

/// The answers of all sets.
pub(in crate::controller) struct Answers {
    kept: Cache<Key, Arc<Mutex<Place>>>,
    wishes: Mutex<BTreeMap<ObjectName, Wish>>,
    /// Who is asked, and how many at once.
    turns: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    /// Told of each new answer.
    answered: Notify,
}

/// A question and whose it is: Secrets are read from the set's namespace, and a plugin is told the
/// set's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    namespace: String,
    set: Option<String>,
    question: (&'static str, String, String, String),
}

/// Where the answer to a question is kept.
#[derive(Default)]
struct Place {
    kept: Option<Kept>,
    /// The sets that wait for an answer; none if nobody is asked.
    waiting: BTreeSet<ObjectName>,
}

struct Kept {
    answer: Observed<Answer>,
    /// When it was asked for.
    asked: Timestamp,
    /// When it came.
    came: Timestamp,
    /// When the provider takes the question again.
    until: Option<Timestamp>,
}

/// What a set wants of its answers.
#[derive(Default)]
struct Wish {
    /// What was asked before is not good enough.
    anew: Option<Timestamp>,
    /// Its refresh annotation was seen.
    refreshing: bool,
    /// Since when it gathers the answers to one expansion: what came meanwhile is fresh, however
    /// long the others take.
    since: Option<Timestamp>,
}

/// Who asks, and how fresh an answer it wants.
pub(super) struct Asking {
    name: ObjectName,
    now: Timestamp,
    /// The oldest that a complete answer may be; `None` if it never is too old.
    oldest: Option<Timestamp>,
    /// The oldest that a failure may be before it is tried again.
    oldest_failure: Timestamp,
    /// Since when somebody wants it anew.
    anew: Option<Timestamp>,
    /// Since when the answers to this expansion are gathered.
    since: Timestamp,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            kept: Cache::builder()
                .time_to_idle(IDLE)
                .max_capacity(MOST)
                .build(),
            wishes: Mutex::default(),
            turns: Mutex::default(),
            answered: Notify::new(),
        }
    }
}

impl Answers {
    /// Says that what a set knows may be outdated, as a webhook does.
    pub(in crate::controller) fn ask_anew(&self, set: &ObjectName, now: Timestamp) {
        self.wishes().entry(set.clone()).or_default().anew = Some(now);
    }

    pub(super) fn forget(&self, set: &ObjectName) {
        self.wishes().remove(set);
    }

    /// Says that a set has all the answers that its expansion needed.
    pub(super) fn gathered(&self, set: &ObjectName) {
        if let Some(wish) = self.wishes().get_mut(set) {
            wish.since = None;
        }
    }

    /// Ends with the next answer to anything.
    pub(super) fn next(&self) -> Notified<'_> {
        self.answered.notified()
    }

    fn wishes(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Wish>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turns_of(&self, asked: String) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(AT_ONCE));
        Arc::clone(turns.entry(asked).or_insert_with(new))
    }
}

impl Asking {
    /// A set asks; when its refresh annotation appears, that is a wish of this moment.
    pub(super) fn new(hub: &Hub, name: &ObjectName, set: &ApplicationSet) -> Self {
        let now = hub.clock.now();
        let every = requeue::after(set, hub.fleet.settings().sets.requeue_after)
            .map(SignedDuration::from_secs);
        let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let slack = |age: SignedDuration| age - SLACK.min(age / 10);
        let is_refresh = set
            .metadata
            .annotations
            .iter()
            .flatten()
            .any(|(key, _)| key == names::annotation::APPLICATION_SET_REFRESH);
        let mut wishes = hub.application_sets.answers.wishes();
        let wish = wishes.entry(name.clone()).or_default();
        if is_refresh && !wish.refreshing {
            wish.anew = Some(now);
        }
        wish.refreshing = is_refresh;
        Self {
            name: name.clone(),
            now,
            oldest: every.map(|every| before(slack(every))),
            oldest_failure: before(slack(
                every.map_or(AFTER_FAILURE, |every| every.min(AFTER_FAILURE)),
            )),
            anew: wish.anew,
            since: *wish.since.get_or_insert(now),
        }
    }

    /// Whether what is kept will do.
    fn accepts(&self, kept: &Kept) -> bool {
        if kept.until.is_some_and(|until| until > self.now) {
            return true;
        }
        let is_wanted = self.anew.is_none_or(|anew| kept.asked >= anew);
        let oldest = if kept.answer.as_complete().is_some() {
            self.oldest
        } else {
            Some(self.oldest_failure)
        };
        let is_fresh = kept.came >= self.since || oldest.is_none_or(|oldest| kept.came > oldest);
        is_wanted && is_fresh
    }

    fn key(&self, request: &Request) -> Key {
        let (set, question) = match request.clone() {
            Request::ScmRepositories { generator } => {
                (None, ("scm", generator, String::new(), String::new()))
            }
            Request::PullRequests { generator } => {
                (None, ("pulls", generator, String::new(), String::new()))
            }
            Request::ClusterDecisions {
                config_map,
                name,
                label_selector,
            } => (None, ("decisions", config_map, name, label_selector)),
            Request::PluginParameters {
                config_map,
                parameters,
            } => (
                Some(self.name.name.clone()),
                ("plugin", config_map, parameters, String::new()),
            ),
            // The others are answered from what the hub watches.
            Request::Clusters { .. }
            | Request::Servers
            | Request::Project(_)
            | Request::GitDirectories { .. }
            | Request::GitFiles { .. } => (None, Default::default()),
        };
        Key {
            namespace: self.name.namespace.clone(),
            set,
            question,
        }
    }
}

/// The answer as it is kept; `None` if it is asked for anew, and then the set is woken when it is
/// there.
pub(super) fn answer(
    hub: &Arc<Hub>,
    asking: &Asking,
    request: &Request,
) -> Option<Observed<Answer>> {
    let answers = &hub.application_sets.answers;
    let place = answers.kept.get_with(asking.key(request), Arc::default);
    let mut held = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = held.kept.as_ref().filter(|kept| asking.accepts(kept)) {
        come_back(hub, asking, kept.until);
        return Some(kept.answer.clone());
    }
    let is_asked = !held.waiting.is_empty();
    held.waiting.insert(asking.name.clone());
    drop(held);
    if !is_asked {
        let (name, request) = (asking.name.clone(), request.clone());
        hub.spawn(fetch(Arc::clone(hub), place, name, request));
    }
    None
}

/// Asks, keeps the answer and wakes the sets that wait for it.
async fn fetch(hub: Arc<Hub>, place: Arc<Mutex<Place>>, name: ObjectName, request: Request) {
    let answers = &hub.application_sets.answers;
    let turns = answers.turns_of(asked_of(&request));
    // Nobody closes it.
    let _turn = turns.acquire_owned().await;
    let asked = hub.clock.now();
    let outcome = AssertUnwindSafe(ask(&hub, &name, &request))
        .catch_unwind()
        .await;
    let (answer, until) = match outcome {
        Ok(Ok(answer)) => (answer, None),
        Ok(Err(Unanswered { why, until })) => (Observed::unknown(why), until),
        Err(_) => (
            Observed::unknown("asking did not come to its end; the hub's log says why"),
            None,
        ),
    };
    let kept = Kept {
        answer,
        asked,
        came: hub.clock.now(),
        until,
    };
    let waiting = {
        let mut held = place.lock().unwrap_or_else(PoisonError::into_inner);
        held.kept = Some(kept);
        std::mem::take(&mut held.waiting)
    };
    for set in waiting {
        hub.queues.application_sets.add(set, Lane::Urgent);
    }
    answers.answered.notify_waiters();
}

/// Wakes the set when the provider takes requests again.
fn come_back(hub: &Hub, asking: &Asking, until: Option<Timestamp>) {
    let wait = until.map(|until| until.duration_since(asking.now));
    if let Some(wait) = wait.and_then(|wait| Duration::try_from(wait).ok()) {
        let queue = &hub.queues.application_sets;
        queue.add_after(asking.name.clone(), wait + Duration::from_secs(1));
    }
}

async fn ask(
    hub: &Hub,
    set: &ObjectName,
    request: &Request,
) -> Result<Observed<Answer>, Unanswered> {
    let namespace = &set.namespace;
    match request {
        Request::ScmRepositories { generator } => {
            let found = hub.scm.repositories(hub, namespace, generator).await?;
            Ok(Observed::complete(Answer::Repositories(found)))
        }
        Request::PullRequests { generator } => {
            let found = hub.scm.pull_requests(hub, namespace, generator).await?;
            Ok(Observed::complete(Answer::PullRequests(found)))
        }
        Request::PluginParameters {
            config_map,
            parameters,
        } => {
            let found = hub
                .scm
                .plugin(hub, &set.name, config_map, parameters)
                .await?;
            Ok(Observed::complete(Answer::Plugin(found)))
        }
        Request::ClusterDecisions {
            config_map,
            name,
            label_selector,
        } => {
            let limit = hub.config.answer_timeout;
            let found = decisions::decisions(hub, config_map, name, label_selector);
            let found = tokio::time::timeout(limit, found).await.map_err(|_| {
                let limit = limit.as_secs();
                format!("the hub's API server did not answer within {limit} s")
            })?;
            Ok(found?.map(Answer::Decisions))
        }
        Request::Clusters { .. }
        | Request::Servers
        | Request::Project(_)
        | Request::GitDirectories { .. }
        | Request::GitFiles { .. } => Ok(Observed::unknown("nobody outside is asked for this")),
    }
}
