//! Syncs: begun, carried on, ended.
//!
//! A sync under way is kept in memory with its plan and the states of its tasks. It never waits in
//! a worker: what it waits for (health, a deletion, a person) wakes the application. After a
//! restart an operation goes on from what its status records (see [`super::resume`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::application::{GateResult, Operation, OperationState};
use argosy_crds::codes::OperationPhase;
use argosy_crds::{AppProject, Application, ApplicationSource};
use argosy_engine::operation::{RetryPolicy, TERMINATED, Verdict, after_attempt};
use argosy_engine::project::PermittedPlan;
use argosy_engine::sync::{Phase, TaskStates};
use jiff::Timestamp;

use super::assess::{self, Assessment};
use super::begin::{self, Begun, Told};
use super::resume;
use super::steps::{drive, ended};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// After how long a sync that waits is looked at although nothing woke it, as in Argo CD.
pub(super) const BACKSTOP: Duration = Duration::from_secs(30);

/// A sync under way.
pub(super) struct RunningSync {
    /// What was asked.
    pub(super) operation: Operation,
    /// When it began.
    pub(super) started_at: Timestamp,
    /// How often it was retried.
    pub(super) retry_count: i64,
    /// Where it comes from.
    pub(super) sources: Vec<ApplicationSource>,
    /// What is applied: the revision of each source.
    pub(super) revisions: Vec<String>,
    /// What the gates of the project said.
    pub(super) gates: Vec<GateResult>,
    /// What it does.
    pub(super) plan: PermittedPlan,
    /// The project that permitted it, as it was then.
    pub(super) project: Arc<AppProject>,
    /// How far it is.
    pub(super) states: TaskStates,
    /// The waves that have begun.
    pub(super) waves: BTreeSet<(Phase, i64)>,
    /// Whether the status already says that it runs.
    pub(super) announced: bool,
    /// How many of its hooks had ended when the status last said so.
    pub(super) recorded_hooks: usize,
    /// Whether it waits for a person.
    pub(super) awaits_confirmation: bool,
}

/// A failed attempt that is tried again; everything is planned anew then.
#[derive(Clone)]
pub(super) struct Retry {
    /// What was asked.
    pub(super) operation: Operation,
    /// When it began.
    pub(super) started_at: Timestamp,
    /// Which retry is next, counted from 1.
    pub(super) count: i64,
    /// When.
    pub(super) at: Timestamp,
}

/// What came of the application's operation in one reconcile.
pub(super) enum Operated {
    /// There is none.
    Idle {
        /// When to look again because of it.
        after: Option<Duration>,
        /// Why nothing is done, where a condition is to say so.
        condition: Told,
    },
    /// It goes on.
    Running {
        /// What the status is to say.
        state: Box<OperationState>,
        /// When to look again although nothing wakes it.
        after: Duration,
        /// Whether the status must say so: others would miss it.
        announce: bool,
        /// Why it does not go ahead, where a condition is to say so.
        condition: Told,
    },
    /// It ended.
    Ended(Box<OperationState>),
}

/// Begins or carries on what there is to do.
pub(super) async fn operate(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
) -> Operated {
    let operated = Box::pin(step(hub, name, application, assessment)).await;
    hub.applications.sift_inquiry(name);
    operated
}

async fn step(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
) -> Operated {
    if let Some(state) = hub.applications.take_ended(name)
        && !resume::is_recorded(application, &state)
    {
        return Operated::Ended(state);
    }
    let running = match hub.applications.take_running(name) {
        Some(running) => running,
        None => match Box::pin(begin::begin(hub, name, application, assessment)).await {
            Begun::Nothing { after, condition } => return Operated::Idle { after, condition },
            Begun::Refused(state) => return refused(hub, name, state),
            Begun::Blocked(state, condition) => {
                return Operated::Running {
                    announce: !says(application, &state),
                    state,
                    after: begin::WINDOW_INTERVAL,
                    condition,
                };
            }
            Begun::Running(running) => *running,
        },
    };
    if assessment.observed.is_err() && begin::is_terminating(application) {
        // Its hooks cannot be deleted now; the next sync does so before it creates them anew.
        return ended(hub, &running, OperationPhase::Failed, TERMINATED.to_owned());
    }
    let operated = drive(hub, name, application, assessment, running).await;
    if matches!(operated, Operated::Ended(_)) {
        reassess(hub, name, application, assessment).await;
    }
    operated
}

/// Whether the status says so already.
pub(super) fn says(application: &Application, state: &OperationState) -> bool {
    let said = application
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref());
    said.is_some_and(|said| {
        (said.phase, &said.message, &said.operation)
            == (state.phase, &state.message, &state.operation)
    })
}

/// An attempt that could not begin: what was out of reach may be in reach later, and what is not
/// permitted or makes no sense stays so.
fn refused(hub: &Hub, name: &ObjectName, mut state: Box<OperationState>) -> Operated {
    let policy = RetryPolicy::read(state.operation.retry.as_ref());
    let (Ok(policy), OperationPhase::Error) = (policy, state.phase) else {
        return Operated::Ended(state);
    };
    let now = hub.clock.now();
    let started_at = state.started_at.as_ref().map_or(now, |at| at.0);
    match after_attempt(&policy, state.retry_count, &state.message, now) {
        Verdict::Over { message } => {
            state.message = message;
            Operated::Ended(state)
        }
        Verdict::Retry { at, count, message } => {
            state.message = message;
            state.phase = OperationPhase::Running;
            state.retry_count = count;
            let retry = Retry {
                operation: state.operation.clone(),
                started_at,
                count,
                at,
            };
            hub.applications.keep_retry(name, retry);
            Operated::Running {
                state,
                after: at.duration_since(now).try_into().unwrap_or_default(),
                announce: true,
                condition: None,
            }
        }
    }
}

/// Looks at everything again after a sync has changed it.
async fn reassess(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
) {
    let Ok(observation) = &mut assessment.observed else {
        return;
    };
    observation.look_again(application).await;
    let placeholder = super::observe::Obstacle::none();
    let observed = std::mem::replace(&mut assessment.observed, Err(placeholder));
    *assessment = assess::assess(hub, name, application, observed).await;
}
