//! The steps of a sync under way: what is started, what is waited for, how it ends.
//!
//! A step never waits in a worker: what is waited for (health, a deletion, a person) wakes the
//! application, which then takes the next one.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::GateStage;
use argosy_crds::codes::{OperationPhase, condition};
use argosy_engine::object::ObjectExt as _;
use argosy_engine::operation::{
    BLOCKED_BY_WINDOW, RetryPolicy, TERMINATED, TIMED_OUT, Verdict, after_attempt, has_timed_out,
};
use argosy_engine::sync::{self, Phase, Progress, Step, TaskId, TaskState, Waiting, WaveDelay};
use argosy_engine::windows::{self, Windows};

use super::assess::{self, Assessment};
use super::attempt::superseded;
use super::begin;
use super::course;
use super::gates::{self, Word};
use super::held;
use super::observe::Observation;
use super::operate::{BACKSTOP, Operated, Retry, RunningSync, says};
use super::plan::{forbidden, remember_namespace};
use super::rehearsal;
use super::results;
use super::rules::is_approved_since;
use crate::cluster::Found;
use crate::executor::{Execution, Requested};
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::metrics::KubernetesRequest;

/// How soon a task whose kind is not served yet is tried again; a definition is served within a
/// second of being applied.
const DEFERRED: Duration = Duration::from_millis(500);

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
        condition: None,
    }
}

pub(super) async fn drive(
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
    let client = match &observation.actor {
        Ok(client) => client,
        Err(message) => {
            return ended(hub, &running, OperationPhase::Failed, message.clone());
        }
    };
    let counted = |requested: &Requested<'_>| count(hub, application, observation, requested);
    let execution = Execution {
        cluster: &observation.cluster,
        client,
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
        return ended(hub, &running, OperationPhase::Failed, message);
    }
    if is_approved_since(application, running.started_at) {
        running.states.confirm();
    }
    steps(hub, name, application, observation, &execution, running).await
}

/// Why a sync has to end before its time, if it has to.
fn must_end(
    hub: &Hub,
    application: &Application,
    observation: &Observation,
    running: &RunningSync,
) -> Option<String> {
    let limit = observation.settings.sync_timeout.unwrap_or_default();
    let limit = limit.try_into().unwrap_or_default();
    if has_timed_out(running.started_at, limit, hub.clock.now()) {
        return Some(TIMED_OUT.to_owned());
    }
    if begin::is_terminating(application) {
        return Some(TERMINATED.to_owned());
    }
    if Arc::ptr_eq(&running.project, &observation.project) {
        return None;
    }
    forbidden(observation, &running.plan)
}

/// Takes one step after the other, until the sync ends or has to wait.
async fn steps(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    execution: &Execution<'_>,
    mut running: RunningSync,
) -> Operated {
    let delay = observation.settings.wave_delay;
    let delay = WaveDelay(delay.try_into().unwrap_or_default());
    running.awaits_confirmation = false;
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
                    if is_superseded(application, observation, &running, &waiting) {
                        let done = sync::succeeded_hooks(&running.plan, &running.states);
                        execution.delete(&done).await;
                        let message = superseded(&observation.desired.revisions);
                        return ended(hub, &running, OperationPhase::Failed, message);
                    }
                    return wait(hub, name, running, &waiting, message);
                }
                if let Some(wave) = begins(&running, &start) {
                    if is_held_by_window(hub, application, observation, &running) {
                        return wait_for_window(hub, name, application, running);
                    }
                    let rehearsed = rehearsal::rehearse(execution, &mut running, wave).await;
                    if let Err(message) = rehearsed {
                        return conclude(hub, name, running, OperationPhase::Failed, message);
                    }
                    running.waves.insert(wave);
                    course::wave(hub, name, wave);
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
                if outcome == sync::Outcome::Succeeded {
                    running = match after_gates(hub, name, application, observation, running) {
                        Ok(running) => running,
                        Err(operated) => return operated,
                    };
                }
                execution.release(&release, &mut running.states).await;
                execution.delete(&delete).await;
                let phase = match outcome {
                    sync::Outcome::Succeeded => OperationPhase::Succeeded,
                    sync::Outcome::Failed => OperationPhase::Failed,
                };
                if !execution.dry_run {
                    remember_no_ops(hub, name, observation, &running);
                }
                if outcome == sync::Outcome::Succeeded && !execution.dry_run {
                    remember_namespace(hub, name, observation, (application, &running.plan));
                }
                return conclude(hub, name, running, phase, message);
            }
        }
    }
}

/// The wave that these tasks are the first of, if they are.
fn begins(running: &RunningSync, start: &[TaskId]) -> Option<(Phase, i64)> {
    let first = running.plan.task(*start.first()?);
    Some((first.phase, first.wave)).filter(|wave| !running.waves.contains(wave))
}

/// Whether a sync window that has closed keeps the sync from its next wave.
fn is_held_by_window(
    hub: &Hub,
    application: &Application,
    observation: &Observation,
    running: &RunningSync,
) -> bool {
    let attempt = windows::Attempt {
        manual: !running.operation.initiated_by.automated,
        started_at: Some(running.started_at),
    };
    Windows::of(application, &observation.project.spec.sync_windows)
        .is_ok_and(|windows| !windows.verdict(attempt, hub.clock.now()).may_sync())
}

/// A sync that waits for its window to open again.
fn wait_for_window(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    running: RunningSync,
) -> Operated {
    let message = BLOCKED_BY_WINDOW.to_owned();
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        announce: !says(application, &state),
        state: Box::new(state),
        after: begin::WINDOW_INTERVAL,
        condition: None,
    }
}

/// The sync with what the gates after it said, unless they keep it from being over.
fn after_gates(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    mut running: RunningSync,
) -> Result<RunningSync, Operated> {
    let asked = (application, &*observation.project);
    let sync = (&running.operation, running.revisions.as_slice());
    let message = match gates::word(hub, name, asked, GateStage::After, sync) {
        Word::Open(results) => {
            running.gates.extend(results);
            return Ok(running);
        }
        Word::Refused(message, results) => {
            running.gates.extend(results);
            return Err(ended(hub, &running, OperationPhase::Failed, message));
        }
        Word::Asked => None,
        Word::Closed(message) => Some(message),
    };
    let shown = message.clone().unwrap_or_default();
    let state = results::state(&running, OperationPhase::Running, shown, None);
    hub.applications.keep_running(name, running);
    Err(Operated::Running {
        announce: message.is_some() && !says(application, &state),
        state: Box::new(state),
        after: BACKSTOP,
        condition: message.map(|message| (condition::WAITING, message)),
    })
}

/// Whether a newer revision makes it pointless to wait any longer. Only an automated sync is given
/// up for it, and only while it waits for resources or for a person: what a hook does is finished.
/// Where a rollout decides what is synced, only what it asks for next is newer.
fn is_superseded(
    application: &Application,
    observation: &Observation,
    running: &RunningSync,
    waiting: &Waiting,
) -> bool {
    let (Waiting::Health(tasks) | Waiting::Confirmation(tasks)) = waiting else {
        return false;
    };
    let waits_for_hook = tasks.iter().any(|id| running.plan.task(*id).is_hook());
    let by = &running.operation.initiated_by;
    let is_replaced = if held::is_held(application) || !by.username.is_empty() {
        let asked = application.operation.as_ref();
        asked.is_some_and(|asked| *asked != running.operation)
    } else {
        running.revisions != observation.desired.revisions
            && running.sources == observation.desired.sources
    };
    by.automated && !waits_for_hook && is_replaced
}

/// Looks at the objects of the tasks that are under way.
fn look(observation: &Observation, running: &mut RunningSync) {
    for (id, task) in running.plan.clone().iter() {
        if !is_under_way(running.states.get(id)) {
            continue;
        }
        let live = observation.cluster.live.get(&task.key);
        let leaves = is_leaving(task, live.as_ref());
        let progress = if is_another(task, live.as_ref()) {
            Progress::Missing
        } else {
            results::progress(observation, &task.key, live)
        };
        let progress = match progress {
            Progress::Underway(_) if leaves => {
                Progress::Degraded(format!("{} was deleted before its end", task.label()))
            }
            other => other,
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

/// Whether somebody deletes a hook that runs: nothing moves it any further, and only the hub's own
/// finalizer may keep it.
fn is_leaving(task: &sync::Task, live: Option<&Found>) -> bool {
    let Some(Found::Tracked(live)) = live else {
        return false;
    };
    task.is_hook() && task.desired.is_some() && live.is_terminating()
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
        condition: None,
    }
}

fn postpone(hub: &Hub, name: &ObjectName, running: RunningSync, message: String) -> Operated {
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after: DEFERRED,
        announce: false,
        condition: None,
    }
}

fn wait(
    hub: &Hub,
    name: &ObjectName,
    mut running: RunningSync,
    waiting: &Waiting,
    message: String,
) -> Operated {
    let after = match waiting {
        Waiting::WaveDelay { until } => until
            .duration_since(hub.clock.now())
            .try_into()
            .unwrap_or(Duration::ZERO),
        _ => BACKSTOP.min(time_left(hub, &running)),
    };
    // Somebody has to be able to see that an approval is asked for.
    let announce = matches!(waiting, Waiting::Confirmation(_));
    running.awaits_confirmation = announce;
    let state = results::state(&running, OperationPhase::Running, message, None);
    hub.applications.keep_running(name, running);
    Operated::Running {
        state: Box::new(state),
        after,
        announce,
        condition: None,
    }
}

/// How long a sync may still take.
fn time_left(hub: &Hub, running: &RunningSync) -> Duration {
    let limit = hub.fleet.settings().sync_timeout;
    let limit = limit.filter(|limit| !limit.is_zero());
    // It is over when it has taken longer than that.
    let limit = limit.map_or(Duration::MAX, |limit| limit + Duration::from_millis(1));
    let taken = hub.clock.now().duration_since(running.started_at);
    limit.saturating_sub(taken.try_into().unwrap_or_default())
}

/// The end of an attempt: the end of the sync, or the wait for the next attempt.
pub(super) fn conclude(
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
                condition: None,
            }
        }
    }
}

pub(super) fn ended(
    hub: &Hub,
    running: &RunningSync,
    phase: OperationPhase,
    message: String,
) -> Operated {
    let finished = Some(hub.clock.now());
    Operated::Ended(Box::new(results::state(running, phase, message, finished)))
}

/// Notes the objects that an apply left as they were: the server's word that nothing differs.
fn remember_no_ops(hub: &Hub, name: &ObjectName, observation: &Observation, running: &RunningSync) {
    for (id, task) in running.plan.iter() {
        let (Some(desired), Some(before)) = (&task.desired, &task.live) else {
            continue;
        };
        // Of what was refused, or not even tried, the server has not said anything.
        if !running.states.get(id).is_written() {
            continue;
        }
        let Some(Found::Tracked(after)) = observation.cluster.live.get(&task.key) else {
            continue;
        };
        let overrides = &observation.settings.overrides;
        let word = assess::settled(desired, &after, overrides);
        if assess::settled(desired, before, overrides) == word {
            hub.applications.settle(name, task.key.clone(), word);
        }
    }
}

fn count(
    hub: &Hub,
    application: &Application,
    observation: &Observation,
    requested: &Requested<'_>,
) {
    let request = KubernetesRequest {
        code: requested.code,
        verb: requested.verb,
        kind: &requested.task.key.kind,
        resource_namespace: &requested.task.key.namespace,
        dry_run: requested.dry_run,
    };
    hub.metrics
        .applications
        .requested(application, &observation.known.server, &request);
}
