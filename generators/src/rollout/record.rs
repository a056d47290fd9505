//! How an Application moves through the states of a rollout by itself. Whether it may begin is
//! decided elsewhere.

use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::{RolloutStatusCode as State, SyncStatusCode};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::reading::{Activity, Reading, deployed_revisions};

const NO_STATUS: &str = "No Application status found, defaulting status to Waiting";
const PENDING_CHANGES: &str = "Application has pending changes, setting status to Waiting";
const ALREADY_HEALTHY: &str =
    "Application resource is already Healthy, updating status from Waiting to Healthy";
const SYNCED_NOT_HEALTHY: &str = "Application resource is synced and not Healthy yet, updating status from Waiting to Progressing";
const PENDING: &str = "Application moved to Pending status, watching for the Application resource to start Progressing";
const BECAME_PROGRESSING: &str =
    "Application resource became Progressing, updating status from Pending to Progressing";
const BECAME_HEALTHY: &str =
    "Application resource became Healthy, updating status from Progressing to Healthy";

/// The state that an entry records.
pub(super) fn state(entry: &ApplicationSetApplicationStatus) -> State {
    State::parse(&entry.status).unwrap_or_default()
}

/// The time of the entry's last transition.
pub(super) fn since(entry: &ApplicationSetApplicationStatus) -> Option<Timestamp> {
    entry.last_transition_time.as_ref().map(|at| at.0)
}

/// What is known of an Application besides its entry.
#[derive(Clone, Copy)]
pub(super) struct Known<'k, 'a> {
    /// The Application; `None` while there is none.
    pub(super) reading: Option<&'k Reading<'a>>,
    /// The revisions that it is to reach; `None` while nobody knows them.
    pub(super) target: Option<&'k [String]>,
    /// It could not be written as it is generated.
    pub(super) is_unwritten: bool,
}

/// The entry as it follows from the last one and what is known.
pub(super) fn advance(
    name: &str,
    step: String,
    previous: Option<&ApplicationSetApplicationStatus>,
    known: Known<'_, '_>,
    now: Timestamp,
) -> ApplicationSetApplicationStatus {
    let mut entry = previous.cloned().unwrap_or_else(|| {
        let mut fresh = ApplicationSetApplicationStatus {
            application: name.to_owned(),
            ..ApplicationSetApplicationStatus::default()
        };
        turn(&mut fresh, State::Waiting, NO_STATUS, now);
        fresh
    });
    entry.step = step;
    let Some(reading) = known.reading else {
        wait_again(&mut entry, now);
        return entry;
    };
    let is_first = entry.target_revisions.is_empty();
    let is_other_spec = !entry.spec_digest.is_empty() && entry.spec_digest != reading.digest;
    let is_other_target = known
        .target
        .is_some_and(|target| entry.target_revisions != target);
    if let Some(target) = known.target {
        entry.target_revisions = target.to_vec();
    }
    if is_other_spec || is_other_target {
        entry.rolled_back = false;
    }
    if is_other_spec || is_other_target && !is_first {
        turn(&mut entry, State::Waiting, PENDING_CHANGES, now);
    }
    entry.spec_digest.clone_from(&reading.digest);
    let Some(target) = known.target else {
        return entry;
    };
    if known.is_unwritten {
        wait_again(&mut entry, now);
        return entry;
    }
    // Each transition leads on, so that there are at most as many as there are states.
    for _ in State::ALL {
        let Some((next, message, started_at)) = transition(&entry, reading, target, now) else {
            break;
        };
        turn(&mut entry, next, message, now);
        entry.started_at = started_at;
        if next == State::Healthy {
            entry.rolled_back = false;
            entry.healthy_revisions = reading
                .deployed()
                .map(deployed_revisions)
                .unwrap_or_default();
        }
    }
    entry
}

/// Notes that the sync to the target was asked for.
pub(super) fn begun(entry: &mut ApplicationSetApplicationStatus, now: Timestamp) {
    turn(entry, State::Pending, PENDING, now);
    entry.started_at = Some(Time(now));
}

/// Notes that the Application goes back to where it was healthy, and why.
pub(super) fn rolled_back(entry: &mut ApplicationSetApplicationStatus, why: &str, now: Timestamp) {
    let message = format!(
        "Rolled back to {} because it {why}; waiting for a newer revision",
        entry.healthy_revisions.join(", ")
    );
    turn(entry, State::Waiting, &message, now);
    entry.rolled_back = true;
}

/// The words for a state, where nothing more is to be said.
pub(super) fn plain_message(state: State) -> &'static str {
    match state {
        State::Waiting => PENDING_CHANGES,
        State::Pending => PENDING,
        State::Progressing => BECAME_PROGRESSING,
        State::Healthy => BECAME_HEALTHY,
    }
}

/// Makes the Application wait, unless it does; since when stays then.
fn wait_again(entry: &mut ApplicationSetApplicationStatus, now: Timestamp) {
    if state(entry) != State::Waiting {
        turn(entry, State::Waiting, PENDING_CHANGES, now);
    }
}

fn turn(entry: &mut ApplicationSetApplicationStatus, to: State, message: &str, now: Timestamp) {
    to.as_str().clone_into(&mut entry.status);
    message.clone_into(&mut entry.message);
    entry.last_transition_time = Some(Time(now));
    if to == State::Waiting {
        entry.started_at = None;
    }
}

/// Whether the Application has reached its target and works there.
fn is_complete(
    entry: &ApplicationSetApplicationStatus,
    reading: &Reading<'_>,
    target: &[String],
) -> bool {
    let started = entry.started_at.as_ref().map(|at| at.0);
    let own = reading.own_sync(target, started);
    reading.is_at(target)
        && reading.sync() == SyncStatusCode::Synced
        && reading.is_healthy()
        && reading.is_settled()
        && own.is_none_or(|sync| !sync.phase.has_failed())
}

type Transition = (State, &'static str, Option<Time>);

fn transition(
    entry: &ApplicationSetApplicationStatus,
    reading: &Reading<'_>,
    target: &[String],
    now: Timestamp,
) -> Option<Transition> {
    let is_complete = is_complete(entry, reading, target);
    let started_at = entry.started_at.clone();
    let is_idle = matches!(reading.activity(), Activity::Idle);
    let is_idle_there = is_idle && reading.is_at(target);
    match state(entry) {
        State::Waiting if is_complete => Some((State::Healthy, ALREADY_HEALTHY, None)),
        State::Waiting if entry.rolled_back => None,
        State::Waiting => {
            if let Some(began) = taken_up(entry, reading, target, now) {
                return Some((State::Pending, PENDING, Some(Time(began))));
            }
            let is_synced = reading.sync() == SyncStatusCode::Synced;
            (is_idle_there && is_synced && !reading.is_healthy()).then_some((
                State::Progressing,
                SYNCED_NOT_HEALTHY,
                None,
            ))
        }
        State::Pending | State::Progressing if is_complete => {
            Some((State::Healthy, BECAME_HEALTHY, started_at))
        }
        State::Pending => {
            let started = started_at.as_ref().map(|at| at.0);
            let is_held = matches!(reading.activity(), Activity::Asked(_));
            let has_begun = !is_held && reading.own_sync(target, started).is_some();
            if has_begun {
                return Some((State::Progressing, BECAME_PROGRESSING, started_at));
            }
            // What was asked for got lost, for example because it could not be written.
            is_idle.then_some((State::Waiting, PENDING_CHANGES, None))
        }
        State::Progressing => {
            let is_unsynced = reading.sync() == SyncStatusCode::OutOfSync;
            (started_at.is_none() && is_idle_there && is_unsynced).then_some((
                State::Waiting,
                PENDING_CHANGES,
                None,
            ))
        }
        State::Healthy => None,
    }
}

/// When the rollout's sync began that the last status write did not get to record.
fn taken_up(
    entry: &ApplicationSetApplicationStatus,
    reading: &Reading<'_>,
    target: &[String],
    now: Timestamp,
) -> Option<Timestamp> {
    let began = |at: Option<&Time>| at.map_or(now, |at| at.0);
    if reading.is_being_synced_to(target) {
        return Some(match reading.activity() {
            Activity::Running(state) => began(state.started_at.as_ref()),
            _ => now,
        });
    }
    let waiting_since = since(entry)?;
    let sync = reading.own_sync(target, Some(waiting_since))?;
    let at = began(sync.started_at.as_ref());
    (at > waiting_since).then_some(at)
}
