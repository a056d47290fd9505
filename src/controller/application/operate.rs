//! Syncs: begun, carried on, ended.
//!
//! A sync under way is kept in memory with its plan and the states of its tasks. It never waits in
//! a worker: what it waits for (health, a deletion, a person) wakes the application. After a
//! restart an operation goes on from what its status records (see [`super::resume`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::application::{Operation, OperationState, SyncOperation};
use argosy_crds::codes::OperationPhase;
use argosy_crds::{Application, ApplicationSource};
use argosy_engine::object::{Gvk, ObjectExt as _, ResourceKey};
use argosy_engine::operation::{
    RetryPolicy, TERMINATED, TIMED_OUT, Verdict, after_attempt, has_timed_out,
};
use argosy_engine::project::{PermittedPlan, Placement, Rules};
use argosy_engine::sync::{
    self, DestinationNamespace, KindScope, NamespaceMetadata, PlanInput, Progress, Selector, Step,
    SyncOptions, SyncPlan, TaskState, TaskStates, UnknownKinds, Waiting, WaveDelay,
};
use jiff::Timestamp;
use serde_json::Value;

use super::assess::{self, Assessment};
use super::begin::{self, Begun};
use super::observe::Observation;
use super::rules::is_approved_since;
use super::{results, resume};
use crate::cluster::{Found, Served};
use crate::executor::{Execution, Requested};
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::metrics::KubernetesRequest;

/// How soon a task whose kind is not served yet is tried again; a definition is served within a
/// second of being applied.
const DEFERRED: Duration = Duration::from_millis(500);

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
    /// What it does.
    pub(super) plan: PermittedPlan,
    /// How far it is.
    pub(super) states: TaskStates,
    /// Whether the status already says that it runs.
    pub(super) announced: bool,
    /// How many of its hooks had ended when the status last said so.
    pub(super) recorded_hooks: usize,
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
        condition: Option<(&'static str, String)>,
    },
    /// It goes on.
    Running {
        /// What the status is to say.
        state: Box<OperationState>,
        /// When to look again although nothing wakes it.
        after: Duration,
        /// Whether the status must say so: others would miss it.
        announce: bool,
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
    if let Some(state) = hub.applications.take_ended(name) {
        return Operated::Ended(state);
    }
    let running = match hub.applications.take_running(name) {
        Some(running) => running,
        None => match begin::begin(hub, name, application, assessment).await {
            Begun::Nothing { after, condition } => return Operated::Idle { after, condition },
            Begun::Refused(state) => return refused(hub, name, state),
            Begun::Blocked(state) => {
                return Operated::Running {
                    announce: !says(application, &state),
                    state,
                    after: begin::WINDOW_INTERVAL,
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
fn says(application: &Application, state: &OperationState) -> bool {
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
            }
        }
    }
}

/// A sync whose cluster or manifests are out of reach waits for them.
fn paused(hub: &Hub, name: &ObjectName, running: RunningSync, assessment: &Assessment) -> Operated {
    let why = assessment
        .conditions
        .first()
        .map(|(_, message)| message.clone())
        .unwrap_or_default();
    let state = results::state(&running, OperationPhase::Running, why, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after: BACKSTOP,
        announce: false,
    }
}

async fn drive(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
    mut running: RunningSync,
) -> Operated {
    let Ok(observation) = &assessment.observed else {
        return paused(hub, name, running, assessment);
    };
    let plan = running.plan.clone();
    let sync = running.operation.sync.as_ref();
    let dry_run = sync.is_some_and(|sync| sync.dry_run);
    let counted =
        |requested: &Requested<'_>| count(hub, application, observation, dry_run, requested);
    let execution = Execution {
        cluster: &observation.cluster,
        plan: &plan,
        dry_run,
        parallelism: hub.config.apply_parallelism,
        clock: &hub.clock,
        counted: &counted,
    };
    if let Some(message) = must_end(hub, application, observation, &running) {
        let end = sync::terminate(&running.plan, &running.states);
        execution.release(&end.release, &mut running.states).await;
        execution.delete(&end.delete).await;
        return ended(hub, &running, OperationPhase::Failed, message.to_owned());
    }
    if is_approved_since(application, running.started_at) {
        running.states.confirm();
    }
    steps(hub, name, observation, &execution, running).await
}

/// Why a sync has to end before its time, if it has to.
fn must_end(
    hub: &Hub,
    application: &Application,
    observation: &Observation,
    running: &RunningSync,
) -> Option<&'static str> {
    let limit = observation.settings.sync_timeout.unwrap_or_default();
    let limit = limit.try_into().unwrap_or_default();
    if has_timed_out(running.started_at, limit, hub.clock.now()) {
        return Some(TIMED_OUT);
    }
    begin::is_terminating(application).then_some(TERMINATED)
}

/// Takes one step after the other, until the sync ends or has to wait.
async fn steps(
    hub: &Hub,
    name: &ObjectName,
    observation: &Observation,
    execution: &Execution<'_>,
    mut running: RunningSync,
) -> Operated {
    let delay = observation.settings.wave_delay;
    let delay = WaveDelay(delay.try_into().unwrap_or_default());
    loop {
        look(observation, &mut running);
        match sync::next(&running.plan, &running.states, delay, hub.clock.now()) {
            Step::Run {
                start,
                release,
                waiting,
                message,
            } => {
                let acts = !start.is_empty() || !release.is_empty();
                if acts && has_news_of_hooks(&running)
                    || !start.is_empty() && needs_announcing(&running)
                {
                    return announce(hub, name, running, message);
                }
                execution.release(&release, &mut running.states).await;
                if start.is_empty() {
                    return wait(hub, name, running, &waiting, message);
                }
                if !execution.run(&start, &mut running.states).await {
                    return postpone(hub, name, running, message);
                }
            }
            Step::Finished {
                outcome,
                message,
                release,
                delete,
            } => {
                let acts = !release.is_empty() || !delete.is_empty();
                if acts && has_news_of_hooks(&running) {
                    return announce(hub, name, running, message);
                }
                execution.release(&release, &mut running.states).await;
                execution.delete(&delete).await;
                let phase = match outcome {
                    sync::Outcome::Succeeded => OperationPhase::Succeeded,
                    sync::Outcome::Failed => OperationPhase::Failed,
                };
                remember_no_ops(hub, name, observation, &running);
                return conclude(hub, name, running, phase, message);
            }
        }
    }
}

/// Looks at the objects of the tasks that are under way.
fn look(observation: &Observation, running: &mut RunningSync) {
    for (id, task) in running.plan.clone().iter() {
        if !is_under_way(running.states.get(id)) {
            continue;
        }
        let live = observation.cluster.live.get(&task.key);
        let progress = if is_another(task, live.as_ref()) {
            Progress::Missing
        } else {
            results::progress(observation, live)
        };
        running.states.observed(&running.plan, id, progress);
    }
}

/// Whether a look can move the task. What is gone stays gone: another object, such as the hook that
/// was waiting for it, may have taken its name.
fn is_under_way(state: &TaskState) -> bool {
    matches!(
        state,
        TaskState::Applied(_)
            | TaskState::Pruned {
                terminating: true,
                ..
            }
    )
}

/// Whether the object that a task deletes is gone and another has its name.
fn is_another(task: &sync::Task, live: Option<&Found>) -> bool {
    let deleted = task.live.as_deref().filter(|_| task.desired.is_none());
    match (deleted, live) {
        (Some(deleted), Some(Found::Tracked(live))) => deleted.uid() != live.uid(),
        _ => false,
    }
}

/// Whether the status has to say that the sync runs before it does anything: one that has hooks or
/// several steps would, after a crash, not be found again otherwise.
fn needs_announcing(running: &RunningSync) -> bool {
    let has_hooks = running.plan.tasks().iter().any(sync::Task::is_hook);
    !running.announced && (running.plan.is_multi_step() || has_hooks)
}

/// Whether a hook has ended of which the status does not know. It has to before anything follows
/// from it: a hook that is let go of may be gone when somebody looks again.
fn has_news_of_hooks(running: &RunningSync) -> bool {
    ended_hooks(running) > running.recorded_hooks
}

fn ended_hooks(running: &RunningSync) -> usize {
    let ended = |id| {
        let state = running.states.get(id);
        state.is_failure() || matches!(state, TaskState::Succeeded(_))
    };
    let hooks = running.plan.iter().filter(|(_, task)| task.is_hook());
    hooks.filter(|(id, _)| ended(*id)).count()
}

fn announce(hub: &Hub, name: &ObjectName, mut running: RunningSync, message: String) -> Operated {
    running.announced = true;
    running.recorded_hooks = ended_hooks(&running);
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after: Duration::ZERO,
        announce: true,
    }
}

fn postpone(hub: &Hub, name: &ObjectName, running: RunningSync, message: String) -> Operated {
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after: DEFERRED,
        announce: false,
    }
}

fn wait(
    hub: &Hub,
    name: &ObjectName,
    running: RunningSync,
    waiting: &Waiting,
    message: String,
) -> Operated {
    let after = match waiting {
        Waiting::WaveDelay { until } => until
            .duration_since(hub.clock.now())
            .try_into()
            .unwrap_or(Duration::ZERO),
        _ => BACKSTOP,
    };
    // Somebody has to be able to see that an approval is asked for.
    let announce = matches!(waiting, Waiting::Confirmation(_));
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after,
        announce,
    }
}

/// The end of an attempt: the end of the sync, or the wait for the next attempt.
fn conclude(
    hub: &Hub,
    name: &ObjectName,
    mut running: RunningSync,
    phase: OperationPhase,
    message: String,
) -> Operated {
    let Ok(policy) = RetryPolicy::read(running.operation.retry.as_ref()) else {
        return ended(hub, &running, phase, message);
    };
    let now = hub.clock.now();
    if phase.is_successful() {
        return ended(hub, &running, phase, message);
    }
    match after_attempt(&policy, running.retry_count, &message, now) {
        Verdict::Over { message } => ended(hub, &running, phase, message),
        Verdict::Retry { at, count, message } => {
            running.retry_count = count;
            let state = results::state(&running, OperationPhase::Running, message, Some(now));
            hub.applications.keep_retry(
                name,
                Retry {
                    operation: running.operation,
                    started_at: running.started_at,
                    count,
                    at,
                },
            );
            let after = at.duration_since(now).try_into().unwrap_or_default();
            Operated::Running {
                state: Box::new(state),
                after,
                announce: true,
            }
        }
    }
}

fn ended(hub: &Hub, running: &RunningSync, phase: OperationPhase, message: String) -> Operated {
    let finished = Some(hub.clock.now());
    Operated::Ended(Box::new(results::state(running, phase, message, finished)))
}

/// Notes the objects that an apply left as they were: the server's word that nothing differs.
fn remember_no_ops(hub: &Hub, name: &ObjectName, observation: &Observation, running: &RunningSync) {
    for task in running.plan.tasks() {
        let (Some(desired), Some(before)) = (&task.desired, &task.live) else {
            continue;
        };
        let Some(Found::Tracked(after)) = observation.cluster.live.get(&task.key) else {
            continue;
        };
        let word = assess::settled(desired, &after);
        if assess::settled(desired, before) == word {
            hub.applications.settle(name, task.key.clone(), word);
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

/// Plans a sync and has the project permit it.
pub(super) fn plan(
    observation: &Observation,
    application: &Application,
    sync: &SyncOperation,
    modified: &BTreeSet<ResourceKey>,
    (started_at, stamp): (Timestamp, &str),
) -> Result<PermittedPlan, String> {
    let live = observation
        .live
        .clone()
        .map(|live| live.into_iter().map(Arc::new).collect());
    let owns = |object: &Value| {
        observation
            .settings
            .tracking
            .owns(object, &observation.instance)
    };
    let kinds = |gvk: &Gvk| scope(&observation.served, gvk);
    let strategy = sync.sync_strategy.as_ref();
    let mut options = SyncOptions::parse(sync.sync_options.iter().map(String::as_str));
    options.force |= strategy.is_some_and(argosy_crds::application::SyncStrategy::force);
    let selected: Vec<_> = sync
        .resources
        .iter()
        .map(|one| Selector {
            group: one.group.clone(),
            kind: one.kind.clone(),
            name: one.name.clone(),
            namespace: one.namespace.clone(),
        })
        .collect();
    let plan = SyncPlan::new(&PlanInput {
        desired: observation
            .objects
            .iter()
            .map(|object| Arc::new(resume::marked(object, stamp)))
            .collect(),
        live: &live,
        owns: &owns,
        modified: Some(modified),
        namespace: &application.spec.destination.namespace,
        kinds: &kinds,
        unknown_kinds: UnknownKinds::Defer,
        destination: destination_namespace(observation, application),
        options,
        prune: sync.prune,
        skip_hooks: strategy.is_some_and(|strategy| strategy.apply.is_some())
            || !selected.is_empty(),
        selected,
        revision: observation
            .desired
            .revisions
            .first()
            .map_or("", String::as_str),
        started_at,
    })
    .map_err(|error| error.to_string())?;
    let flaws = sync::check(&plan);
    if let Some(flaw) = flaws.first() {
        return Err(format!(
            "the plan is not sound, which is a fault of Argosy: {flaw}"
        ));
    }
    let rules = Rules::of(&observation.project);
    let placement = Placement {
        cluster: &observation.known,
        kinds: &kinds,
    };
    rules.permit_plan(plan, placement).map_err(|denied| {
        let reasons: Vec<_> = denied.iter().map(|(_, why)| why.to_string()).collect();
        format!(
            "one or more synchronization tasks are not valid: {}",
            reasons.join("; ")
        )
    })
}

fn scope(served: &Served, gvk: &Gvk) -> KindScope {
    match served.kind(&gvk.group, &gvk.version, &gvk.kind) {
        Some(kind) if kind.namespaced => KindScope::Namespaced,
        Some(_) => KindScope::Cluster,
        None => KindScope::Unknown(format!("the cluster does not serve {gvk}")),
    }
}

fn destination_namespace(
    observation: &Observation,
    application: &Application,
) -> DestinationNamespace {
    let policy = application.spec.sync_policy.as_ref();
    let metadata = policy.and_then(|policy| policy.managed_namespace_metadata.as_ref());
    let key = ResourceKey::new("", "Namespace", "", &application.spec.destination.namespace);
    let live = observation.live.seen().into_iter().flatten();
    DestinationNamespace {
        live: live
            .filter(|object| object.resource_key() == key)
            .map(|object| Arc::new(object.clone()))
            .next(),
        metadata: metadata.map(|metadata| NamespaceMetadata {
            labels: metadata.labels.clone(),
            annotations: metadata.annotations.clone(),
        }),
    }
}

fn count(
    hub: &Hub,
    application: &Application,
    observation: &Observation,
    dry_run: bool,
    requested: &Requested<'_>,
) {
    let request = KubernetesRequest {
        code: requested.code,
        verb: requested.verb,
        kind: &requested.task.key.kind,
        resource_namespace: &requested.task.key.namespace,
        dry_run,
    };
    hub.metrics
        .applications
        .requested(application, &observation.known.server, &request);
}
