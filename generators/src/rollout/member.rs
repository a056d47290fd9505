//! The Applications of a set, as its rollout sees them.

use std::collections::BTreeMap;

use argosy_crds::Application;
use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::{HealthStatusCode, RolloutStatusCode as State, SyncStatusCode};
use jiff::Timestamp;

use super::reading::{Activity, Reading, is_ours};
use super::record::{self, Known};
use super::steps::{Steps, UNMATCHED};
use super::target::Targets;
use super::waits::Waits;
use super::{Begin, Inputs};
use crate::plan::is_owned_by;

/// One Application of the set.
pub(super) struct Member<'a> {
    /// As it is generated.
    pub(super) generated: &'a Application,
    /// As it is; `None` while there is none, or it is going.
    pub(super) reading: Option<Reading<'a>>,
    /// The revisions that it is to reach; `None` while nobody knows them.
    pub(super) target: Option<Vec<String>>,
    /// Where it is.
    pub(super) entry: ApplicationSetApplicationStatus,
    /// What it waits for.
    pub(super) waits: Option<Waits>,
    /// What it is asked to do.
    pub(super) begin: Option<Begin>,
}

/// The members by name, each moved on as far as it moves by itself.
pub(super) fn members<'a>(inputs: &Inputs<'a>, steps: &Steps) -> BTreeMap<&'a str, Member<'a>> {
    let live = inputs
        .live
        .iter()
        .filter(|app| is_owned_by(app, inputs.set) && !app.is_deleting());
    let mut readings: BTreeMap<&str, Reading<'a>> =
        live.map(|app| (name_of(app), Reading::new(app))).collect();
    let previous = inputs.set.status.iter();
    let previous: &[_] = previous
        .map(|status| status.application_status.as_slice())
        .next()
        .unwrap_or_default();
    let targets = Targets::new(readings.values(), previous);
    let previous: BTreeMap<&str, _> = previous
        .iter()
        .map(|entry| (entry.application.as_str(), entry))
        .collect();
    let mut members = BTreeMap::new();
    for generated in inputs.generated {
        let name = name_of(generated);
        let Some(reading) = readings.remove(name).map(Some).or_else(|| {
            // A name that is generated twice is written for neither.
            (!members.contains_key(name)).then_some(None)
        }) else {
            continue;
        };
        let target = reading.as_ref().and_then(|reading| targets.of(reading));
        let is_unwritten = inputs.unwritten.contains(name);
        let known = Known {
            reading: reading.as_ref(),
            target: target.as_deref(),
            is_unwritten,
        };
        let step = steps.number(name);
        let last = previous.get(name).copied();
        let entry = record::advance(name, step, last, known, inputs.now);
        let mut member = Member {
            generated,
            reading,
            target,
            entry,
            waits: None,
            begin: None,
        };
        if is_unwritten && member.reading.is_some() {
            member.waits = Some(Waits::Writing);
        } else if inputs.paused.contains(name) {
            member.waits = Some(Waits::Pause);
        }
        if member.state() == State::Pending {
            match member.held_back() {
                Some(waits) if member.waits.is_none() => member.wait(waits),
                _ => record::plain_message(State::Pending).clone_into(&mut member.entry.message),
            }
        }
        if member.entry.step == UNMATCHED && member.is_waiting() {
            member.wait(Waits::Unmatched);
        }
        members.insert(name, member);
    }
    members
}

impl Member<'_> {
    pub(super) fn state(&self) -> State {
        record::state(&self.entry)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.state() == State::Waiting
    }

    /// Says what it waits for; the transition's time stays.
    pub(super) fn wait(&mut self, waits: Waits) {
        if !self.entry.rolled_back {
            self.entry.message = waits.to_string();
        }
        self.waits = Some(waits);
    }

    /// Its reading, where its own status names the target.
    fn at_target(&self) -> Option<&Reading<'_>> {
        let reading = self.reading.as_ref()?;
        let target = self.target.as_ref()?;
        reading.is_at(target).then_some(reading)
    }

    /// What keeps the sync from beginning that the rollout asked for.
    pub(super) fn held_back(&self) -> Option<Waits> {
        self.reading.as_ref().and_then(Reading::held_back)
    }

    /// Whether a sync of a rollout is under way in it, to whatever revision.
    pub(super) fn is_in_motion(&self) -> bool {
        let is_synced_by_us = self
            .reading
            .as_ref()
            .is_some_and(|reading| reading.activity().is_ours());
        matches!(self.state(), State::Pending | State::Progressing) || is_synced_by_us
    }

    /// Since when it works at its target, if it does now.
    pub(super) fn complete_since(&self) -> Option<Timestamp> {
        let reading = self.at_target()?;
        let is_complete =
            self.state() == State::Healthy && reading.is_healthy() && reading.is_settled();
        let since = record::since(&self.entry)?;
        is_complete.then(|| reading.health_since().map_or(since, |at| at.max(since)))
    }

    /// How it is, in a word, for those that wait for it.
    pub(super) fn how(&self) -> &'static str {
        let Some(reading) = &self.reading else {
            return "missing";
        };
        let has_failed = reading
            .state()
            .is_some_and(|state| state.phase.has_failed() && is_ours(&state.operation));
        match (self.at_target(), self.state()) {
            (Some(_), State::Progressing) if has_failed => "not synced, its operation failed",
            (_, State::Pending) if self.held_back() == Some(Waits::Window) => {
                "held back by a sync window"
            }
            (_, State::Pending) if self.held_back().is_some() => "waiting for approval",
            (None, _) => "not compared with the newest revision yet",
            (Some(_), State::Healthy) if reading.is_healthy() => "busy with an operation",
            (Some(_), State::Healthy) => reading.health().as_str(),
            (Some(_), State::Progressing) if reading.health() == HealthStatusCode::Degraded => {
                "Degraded"
            }
            (Some(reading), State::Progressing)
                if reading.sync() == SyncStatusCode::OutOfSync && reading.is_settled() =>
            {
                "OutOfSync"
            }
            (Some(_), state) => state.as_str(),
        }
    }

    /// What keeps it from beginning, apart from others.
    pub(super) fn obstacle(&self) -> Option<Waits> {
        if let Some(waits) = &self.waits {
            return Some(waits.clone());
        }
        if self.entry.rolled_back {
            return Some(Waits::NewRevision);
        }
        let Some(reading) = &self.reading else {
            return Some(Waits::Writing);
        };
        if let Some(condition) = reading.obstacle() {
            return Some(Waits::Obstacle(condition.to_owned()));
        }
        let Some(reading) = self.at_target() else {
            return Some(Waits::Comparison);
        };
        // What is not known to differ needs no sync; it is about to be known as complete.
        if reading.sync() != SyncStatusCode::OutOfSync {
            return Some(Waits::Comparison);
        }
        match reading.activity() {
            Activity::Idle => None,
            activity if activity.is_ours() => None,
            Activity::Asked(_) | Activity::Running(_) => Some(Waits::Operation),
        }
    }
}

fn name_of(app: &Application) -> &str {
    app.metadata.name.as_deref().unwrap_or_default()
}
