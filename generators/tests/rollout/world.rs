//! A set, its Applications and a repository, as statuses tell of them.
//!
//! Each event happens on its own, so that a test decides what the rollout sees and when.

use std::collections::BTreeSet;

use argosy_crds::application::{
    ApplicationStatus, ComparedTo, OperationState, RevisionHistory, SyncOperationResult,
};
use argosy_crds::codes::{
    BLOCKED_BY_WINDOW, HealthStatusCode, OperationPhase, SyncStatusCode, appset_condition,
};
use argosy_crds::{Application, ApplicationSet};
use argosy_generators::rollout::{Inputs, RolloutPlan, plan};
use argosy_generators::status::{Outcome, Rollout, status};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

/// What of a plan is carried out before the hub ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CarriedOut {
    All,
    OnlyOperations,
    OnlyStatus,
}

pub(crate) struct World {
    pub(crate) set: ApplicationSet,
    generated: Vec<Application>,
    pub(crate) live: Vec<Application>,
    /// What each Application runs: the newest commit that changed it, up to what was synced.
    deployed: Vec<u32>,
    /// The newest commit.
    pub(crate) head: u32,
    now: i64,
    /// Commits that never become healthy, and those that cannot be synced.
    pub(crate) sick: BTreeSet<u32>,
    pub(crate) unsyncable: BTreeSet<u32>,
    /// Who is left alone.
    pub(crate) paused: BTreeSet<String>,
}

impl World {
    /// A set with this strategy and Applications of these environments, named `env-number`.
    pub(crate) fn new(rolling: &Value, environments: &[&str]) -> Self {
        let set = json!({
            "metadata": {"name": "fleet", "namespace": "argocd", "uid": "u"},
            "spec": {"generators": [], "template": {}, "strategy":
                {"type": "RollingSync", "rollingSync": rolling}},
        });
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "name": "fleet", "uid": "u", "controller": true});
        let app = |(at, env): (usize, &&str)| {
            let app = json!({
                "metadata": {"name": format!("{env}-{at}"), "namespace": "argocd",
                    "labels": {"env": env}, "ownerReferences": [owner]},
                "spec": {"project": "default", "destination": {"name": env, "namespace": "web"},
                    "source": {"repoURL": "https://git.example.com/r.git", "path": env, "targetRevision": "main"},
                    "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}},
            });
            serde_json::from_value(app).expect("an Application")
        };
        let generated: Vec<Application> = environments.iter().enumerate().map(app).collect();
        Self {
            set: serde_json::from_value(set).expect("a set"),
            live: generated.clone(),
            deployed: vec![0; generated.len()],
            generated,
            head: 1,
            now: 1_000_000,
            sick: BTreeSet::new(),
            unsyncable: BTreeSet::new(),
            paused: BTreeSet::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("a time")
    }

    fn time(&self) -> Time {
        Time(self.now())
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// The newest commit up to `revision` that changes the Application; every third one does not.
    fn content(at: usize, revision: u32) -> u32 {
        let changes =
            |revision: &u32| !(u32::try_from(at).unwrap_or(0) + revision).is_multiple_of(3);
        (1..=revision).rev().find(changes).unwrap_or(0)
    }

    fn status(&mut self, at: usize) -> &mut ApplicationStatus {
        self.live[at].status.get_or_insert_default()
    }

    /// The Application is compared with the newest commit.
    pub(crate) fn refresh(&mut self, at: usize) {
        let (head, time) = (self.head, Some(self.time()));
        let is_synced = Self::content(at, head) == self.deployed[at];
        let spec = self.live[at].spec.clone();
        let status = self.status(at);
        let before = status.sync.clone();
        status.sync.revision = head.to_string();
        status.sync.status = if is_synced {
            SyncStatusCode::Synced
        } else {
            SyncStatusCode::OutOfSync
        };
        status.sync.compared_to = ComparedTo {
            source: spec.source,
            destination: spec.destination,
            ..ComparedTo::default()
        };
        if status.sync != before {
            status.reconciled_at = time;
        }
    }

    /// The Application's cluster cannot be reached, which is all that its status learns.
    pub(crate) fn lose(&mut self, at: usize) {
        let time = Some(self.time());
        let status = self.status(at);
        status.sync.status = SyncStatusCode::Unknown;
        status.reconciled_at = time;
        self.turn(at, HealthStatusCode::Unknown);
    }

    pub(crate) fn turn(&mut self, at: usize, health: HealthStatusCode) {
        let time = Some(self.time());
        let status = self.status(at);
        if status.health.status != Some(health) {
            status.health.status = Some(health);
            status.health.last_transition_time = time;
        }
    }

    /// The Application's health comes to rest.
    pub(crate) fn settle(&mut self, at: usize) {
        let is_sick = self.sick.contains(&self.deployed[at]);
        self.turn(
            at,
            if is_sick {
                HealthStatusCode::Degraded
            } else {
                HealthStatusCode::Healthy
            },
        );
    }

    /// What was asked of the Application begins.
    pub(crate) fn start(&mut self, at: usize) {
        let time = Some(self.time());
        let is_running = self.live[at].status.as_ref().is_some_and(|status| {
            status
                .operation_state
                .as_ref()
                .is_some_and(|state| !state.phase.is_completed())
        });
        if is_running {
            return;
        }
        let source = self.live[at].spec.source.clone();
        if let Some(operation) = self.live[at].operation.clone() {
            let revision = operation.sync.clone().unwrap_or_default().revision;
            self.status(at).operation_state = Some(OperationState {
                sync_result: Some(SyncOperationResult {
                    revision,
                    source: operation
                        .sync
                        .clone()
                        .and_then(|sync| sync.source)
                        .or(source),
                    ..SyncOperationResult::default()
                }),
                operation,
                phase: OperationPhase::Running,
                started_at: time,
                ..OperationState::default()
            });
        }
    }

    /// What was asked of the Application is held back by a sync window, or is so no more.
    pub(crate) fn hold_back(&mut self, at: usize, held: bool) {
        self.start(at);
        let state = self.status(at).operation_state.as_mut();
        let state = state.expect("an operation that was asked for");
        let message = if held { BLOCKED_BY_WINDOW } else { "" };
        message.clone_into(&mut state.message);
    }

    /// What runs in the Application ends, and it is compared anew.
    pub(crate) fn finish(&mut self, at: usize) {
        let time = Some(self.time());
        let state = self.status(at).operation_state.clone();
        let Some(mut state) = state.filter(|state| !state.phase.is_completed()) else {
            return;
        };
        let result = state.sync_result.clone().unwrap_or_default();
        let revision: u32 = result.revision.parse().expect("a revision");
        let fails =
            self.unsyncable.contains(&revision) || state.phase == OperationPhase::Terminating;
        state.phase = if fails {
            OperationPhase::Failed
        } else {
            OperationPhase::Succeeded
        };
        state.finished_at.clone_from(&time);
        if self.live[at].operation.as_ref() == Some(&state.operation) {
            self.live[at].operation = None;
        }
        if !fails {
            let content = Self::content(at, revision);
            if self.deployed[at] != content {
                self.deployed[at] = content;
                self.turn(at, HealthStatusCode::Progressing);
            }
            self.status(at).history.push(RevisionHistory {
                revision: result.revision,
                source: result.source,
                deployed_at: time.clone(),
                ..RevisionHistory::default()
            });
        }
        self.status(at).operation_state = Some(state);
        self.refresh(at);
        self.status(at).reconciled_at = time;
    }

    /// Somebody edits by hand what the Application consists of.
    pub(crate) fn drift(&mut self, at: usize) {
        let time = Some(self.time());
        let status = self.status(at);
        if status.sync.status == SyncStatusCode::Synced {
            status.sync.status = SyncStatusCode::OutOfSync;
            status.reconciled_at = time;
        }
    }

    pub(crate) fn plan(&self) -> RolloutPlan {
        self.plan_of(&self.generated, &self.live)
    }

    /// The plan from facts in the opposite order.
    pub(crate) fn plan_reversed(&self) -> RolloutPlan {
        let reversed = |apps: &[Application]| apps.iter().rev().cloned().collect::<Vec<_>>();
        self.plan_of(&reversed(&self.generated), &reversed(&self.live))
    }

    fn plan_of(&self, generated: &[Application], live: &[Application]) -> RolloutPlan {
        plan(&Inputs {
            set: &self.set,
            generated,
            live,
            unwritten: &BTreeSet::new(),
            paused: &self.paused,
            now: self.now(),
        })
    }

    /// Plans and carries out; returns what was begun.
    pub(crate) fn act(&mut self, carried_out: CarriedOut) -> Vec<(usize, u32)> {
        let plan = self.plan();
        let mut begun = Vec::new();
        if carried_out != CarriedOut::OnlyStatus {
            for begin in &plan.begin {
                let at = self.at(&begin.name);
                let sync = begin.operation.sync.clone().expect("a sync");
                begun.push((at, sync.revision.parse().expect("a revision")));
                self.live[at].operation = Some(begin.operation.clone());
                if begin.terminate {
                    let state = self.status(at).operation_state.as_mut();
                    state.expect("a running operation").phase = OperationPhase::Terminating;
                }
            }
        }
        if carried_out != CarriedOut::OnlyOperations {
            let now = Time(self.now());
            let rollout = Rollout::Planned(&plan);
            self.set.status = Some(status(
                &self.set,
                &Outcome::UpToDate,
                rollout,
                &self.live,
                100,
                &now,
            ));
        }
        begun
    }

    /// Everything that can happen happens, until nothing does any more; whether that came to be.
    ///
    /// Time passes after a round too, so that the plan of the round after it has to be the same:
    /// what only waited for the time to pass is not at rest.
    pub(crate) fn come_to_rest(&mut self) -> bool {
        for _ in 0..200 {
            let before = (self.set.status.clone(), self.live.clone());
            let plan = self.plan();
            self.act(CarriedOut::All);
            for at in 0..self.live.len() {
                self.refresh(at);
                self.start(at);
                self.pass(1);
                self.finish(at);
                self.pass(1);
                self.settle(at);
            }
            self.pass(5);
            let is_unchanged = before == (self.set.status.clone(), self.live.clone());
            let next = self.plan();
            let waits = next.look_again.is_some() || !next.begin.is_empty();
            if is_unchanged && !waits && next == plan {
                return true;
            }
        }
        false
    }

    pub(crate) fn at(&self, name: &str) -> usize {
        let found = self
            .live
            .iter()
            .position(|app| app.metadata.name.as_deref() == Some(name));
        found.expect("an Application of this name")
    }

    /// Whether the Application runs what this commit says, works, and its status says so.
    pub(crate) fn is_well_at(&self, at: usize, revision: u32) -> bool {
        let status = self.live[at].status.clone().unwrap_or_default();
        status.sync.revision == revision.to_string()
            && status.health.status == Some(HealthStatusCode::Healthy)
            && self.deployed[at] == Self::content(at, revision)
    }

    pub(crate) fn runs(&self, name: &str) -> u32 {
        self.deployed[self.at(name)]
    }

    /// Whether a sync was asked for or runs.
    pub(crate) fn is_in_motion(&self, at: usize) -> bool {
        let status = self.live[at].status.as_ref();
        let state = status.and_then(|status| status.operation_state.as_ref());
        self.live[at].operation.is_some() || state.is_some_and(|state| !state.phase.is_completed())
    }

    /// State and message of an Application, as the set's status tells them.
    pub(crate) fn told(&self, name: &str) -> (String, String) {
        let status = self.set.status.clone().unwrap_or_default();
        let entry = status
            .application_status
            .into_iter()
            .find(|entry| entry.application == name);
        let entry = entry.unwrap_or_default();
        (entry.status, entry.message)
    }

    /// The message of a true condition.
    pub(crate) fn condition(&self, type_: &str) -> Option<String> {
        let status = self.set.status.clone().unwrap_or_default();
        let mut conditions = status.conditions.into_iter();
        conditions
            .find(|one| one.type_ == type_ && one.status == "True")
            .map(|one| one.message)
    }

    pub(crate) fn is_complete(&self) -> bool {
        let status = self.set.status.clone().unwrap_or_default();
        status
            .conditions
            .iter()
            .any(|one| one.reason == appset_condition::APPLICATION_SET_ROLLOUT_COMPLETE)
    }
}
