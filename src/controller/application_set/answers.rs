//! What providers, plugins and cluster decisions answered, kept until it is time to ask again.
//!
//! A set looks at its facts with each change of one of its applications; none of that costs a
//! request here. It asks again when its generators are due, when a webhook or a person says so,
//! and after a failure when that is over. Sets of one namespace share what they ask alike.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argosy_crds::{ApplicationSet, names};
use argosy_facts::Observed;
use argosy_generators::{Answer, Request, requeue};
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;

use super::decisions;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::scm::Unanswered;

/// How long an answer that nobody looks at is kept.
const IDLE: Duration = Duration::from_hours(24);

/// The most answers that are kept.
const MOST: u64 = 20_000;

/// How long a failure is believed, as in Argo CD.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(3);

/// How much sooner than due an answer is old, so that a timer finds it so.
const SLACK: SignedDuration = SignedDuration::from_secs(1);

/// The answers of all sets.
pub(in crate::controller) struct Answers {
    kept: Cache<Key, Arc<tokio::sync::Mutex<Option<Kept>>>>,
    /// Since when what a set knows is not good enough.
    anew: Mutex<BTreeMap<ObjectName, Timestamp>>,
}

/// A question and whose it is: Secrets are read from the set's namespace, and a plugin is told the
/// set's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    namespace: String,
    set: Option<String>,
    question: (&'static str, String, String, String),
}

struct Kept {
    answer: Observed<Answer>,
    /// When it was asked for.
    at: Timestamp,
    /// When the provider takes the question again.
    until: Option<Timestamp>,
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
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            kept: Cache::builder()
                .time_to_idle(IDLE)
                .max_capacity(MOST)
                .build(),
            anew: Mutex::default(),
        }
    }
}

impl Answers {
    /// Says that what a set knows may be outdated, as a webhook does.
    pub(in crate::controller) fn ask_anew(&self, set: &ObjectName, now: Timestamp) {
        let mut anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        anew.insert(set.clone(), now);
    }

    pub(super) fn forget(&self, set: &ObjectName) {
        let mut anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        anew.remove(set);
    }

    fn anew(&self, set: &ObjectName) -> Option<Timestamp> {
        let anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        anew.get(set).copied()
    }
}

impl Asking {
    /// A set asks; its refresh annotation counts as a wish of this moment.
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
        Self {
            name: name.clone(),
            now,
            oldest: every.map(|every| before(slack(every))),
            oldest_failure: before(slack(
                every.map_or(AFTER_FAILURE, |every| every.min(AFTER_FAILURE)),
            )),
            anew: if is_refresh {
                Some(now)
            } else {
                hub.application_sets.answers.anew(name)
            },
        }
    }

    /// Whether what is kept will do.
    fn accepts(&self, kept: &Kept) -> bool {
        if kept.until.is_some_and(|until| until > self.now) {
            return true;
        }
        let is_wanted = self.anew.is_none_or(|anew| kept.at >= anew);
        let oldest = if kept.answer.as_complete().is_some() {
            self.oldest
        } else {
            Some(self.oldest_failure)
        };
        is_wanted && oldest.is_none_or(|oldest| kept.at > oldest)
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

/// The answer, as it is kept or anew. Whoever asks the same meanwhile waits for it.
pub(super) async fn answer(hub: &Hub, asking: &Asking, request: &Request) -> Observed<Answer> {
    let key = asking.key(request);
    let place = hub
        .application_sets
        .answers
        .kept
        .get_with(key, Arc::default);
    let mut kept = place.lock().await;
    if let Some(kept) = kept.as_ref().filter(|kept| asking.accepts(kept)) {
        come_back(hub, asking, kept.until);
        return kept.answer.clone();
    }
    let at = hub.clock.now();
    let (answer, until) = match ask(hub, &asking.name, request).await {
        Ok(answer) => (answer, None),
        Err(Unanswered { why, until }) => (Observed::unknown(why), until),
    };
    come_back(hub, asking, until);
    *kept = Some(Kept {
        answer: answer.clone(),
        at,
        until,
    });
    answer
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
            let found = decisions::decisions(hub, config_map, name, label_selector).await?;
            Ok(found.map(Answer::Decisions))
        }
        Request::Clusters { .. }
        | Request::Servers
        | Request::Project(_)
        | Request::GitDirectories { .. }
        | Request::GitFiles { .. } => Ok(Observed::unknown("nobody outside is asked for this")),
    }
}
