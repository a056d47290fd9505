//! When an Application of a step counts as failed.

use argosy_crds::codes::{HealthStatusCode, RolloutStatusCode as State};
use jiff::{SignedDuration, Timestamp};

use super::gate::Gate;
use super::member::Member;
use super::record;
use super::steps::FailureRules;
use super::waits::Waits;

/// Whether a member failed, and otherwise when that may turn without an event.
pub(super) enum Verdict {
    /// It did not.
    Well {
        /// When its time is over.
        deadline: Option<Timestamp>,
    },
    /// It did: what it did, to follow "it".
    Failed(String),
}

/// Judges a member of a step that has these rules and stands behind this gate.
///
/// Only what the rollout began can fail, with one exception: an Application that cannot even be
/// compared or reached fails when the time of its step is over, so that a dead cluster does not
/// hold up the others for ever.
pub(super) fn verdict(
    member: &Member<'_>,
    rules: FailureRules,
    gate: &Gate,
    now: Timestamp,
) -> Verdict {
    if member.entry.rolled_back {
        return Verdict::Failed("was rolled back".to_owned());
    }
    if let Some(why) = went_wrong(member) {
        return Verdict::Failed(why);
    }
    let Some(limit) = rules.deadline else {
        return Verdict::Well { deadline: None };
    };
    let Some(began) = began(member, gate) else {
        return Verdict::Well { deadline: None };
    };
    match began.checked_add(limit) {
        Ok(deadline) if deadline <= now => {
            Verdict::Failed(format!("is not healthy after {}", go_duration(limit)))
        }
        Ok(deadline) => Verdict::Well {
            deadline: Some(deadline),
        },
        Err(_) => Verdict::Well { deadline: None },
    }
}

/// What went wrong with a sync that the rollout began.
fn went_wrong(member: &Member<'_>) -> Option<String> {
    let started = member.entry.started_at.as_ref()?.0;
    let reading = member.reading.as_ref()?;
    let target = member.target.as_ref()?;
    let sync = reading.own_sync(target, Some(started));
    if let Some(sync) = sync.filter(|sync| sync.phase.has_failed()) {
        return Some(format!("could not be synced (operation {})", sync.phase));
    }
    let is_running = sync.is_some_and(|sync| !sync.phase.is_completed());
    // Health that was bad before does not tell anything of this sync.
    let turned_since = reading.health_since().is_some_and(|at| at >= started);
    let is_degraded = reading.health() == HealthStatusCode::Degraded;
    (is_degraded && turned_since && !is_running).then(|| "is Degraded".to_owned())
}

/// Since when the member's time runs.
fn began(member: &Member<'_>, gate: &Gate) -> Option<Timestamp> {
    let since = record::since(&member.entry);
    match member.state() {
        State::Healthy => None,
        // The time that it was held back is none of its own.
        State::Pending if member.held_back().is_some() => None,
        State::Progressing => since,
        State::Pending => {
            let started = member.entry.started_at.as_ref().map(|at| at.0);
            started.or(since)
        }
        State::Waiting => {
            let Gate::Open(opened) = gate else {
                return None;
            };
            let is_stuck = matches!(
                member.obstacle()?,
                Waits::Comparison | Waits::Obstacle(_) | Waits::Writing
            );
            is_stuck.then(|| since.max(*opened)).flatten()
        }
    }
}

fn go_duration(duration: SignedDuration) -> String {
    format!("{duration:#}").replace(' ', "")
}
