//! Operations that another process began: found in the status, and gone on with.
//!
//! What the status records of an operation was done and is not done again. Between the creation of
//! a hook and the record of it there is a moment; hooks carry the mark of their attempt for the sake
//! of it, so that no hook of an operation ever runs twice.

use argosy_crds::Application;
use argosy_crds::application::{OperationState, ResourceResult, SyncOperationResult};
use argosy_crds::codes::{OperationPhase, ResultCode};
use argosy_engine::object::{ObjectExt as _, is_hook};
use argosy_engine::operation::RetryPolicy;
use argosy_engine::sync::{SyncPlan, Task, TaskStates};
use serde_json::Value;

use super::attempt::Attempt;
use super::operate::Retry;

/// The annotation that says to which attempt of an operation a hook belongs.
const ATTEMPT: &str = "argosy.dev/sync-attempt";

/// The operation that the status says is under way, unless another was asked for since.
fn unfinished(application: &Application) -> Option<&OperationState> {
    let state = application.status.as_ref()?.operation_state.as_ref()?;
    let replaced = application
        .operation
        .as_ref()
        .is_some_and(|requested| *requested != state.operation);
    (!state.phase.is_completed() && !replaced).then_some(state)
}

/// The retry that an unfinished operation waits for.
pub(super) fn retry(application: &Application) -> Option<Retry> {
    let state = unfinished(application)?;
    let finished_at = state.finished_at.as_ref()?.0;
    let policy = RetryPolicy::read(state.operation.retry.as_ref()).ok()?;
    Some(Retry {
        operation: state.operation.clone(),
        started_at: state.started_at.as_ref()?.0,
        count: state.retry_count,
        at: finished_at
            .saturating_add(policy.delay(state.retry_count))
            .unwrap_or(finished_at),
    })
}

/// The attempt that was under way when the process ended.
pub(super) fn interrupted(application: &Application) -> Option<Attempt> {
    let state = unfinished(application).filter(|state| state.finished_at.is_none())?;
    let result = state.sync_result.clone();
    let has_begun = state.phase == OperationPhase::Terminating
        || !argosy_engine::operation::is_held_back(&state.message);
    Some(Attempt {
        operation: state.operation.clone(),
        started_at: state.started_at.as_ref()?.0,
        retries: state.retry_count,
        going_on: has_begun.then(|| result.unwrap_or_default()),
    })
}

/// Whether the status has the end of an operation that could not be written: a request of a process
/// that was killed may arrive after the next one has begun the same operation.
pub(super) fn is_recorded(application: &Application, ended: &OperationState) -> bool {
    let state = application.status.as_ref();
    let Some(state) = state.and_then(|status| status.operation_state.as_ref()) else {
        return false;
    };
    let is_over = application.operation.as_ref() != Some(&ended.operation);
    let finished_at = state.finished_at.as_ref().map(|at| at.0.as_second());
    let began = ended.started_at.as_ref().map(|at| at.0.as_second());
    is_over
        && state.phase.is_completed()
        && state.operation == ended.operation
        && finished_at >= began
}

/// How far the plan of an interrupted attempt was carried out.
pub(super) fn states(plan: &SyncPlan, recorded: &SyncOperationResult, stamp: &str) -> TaskStates {
    let mut told = recorded.resources.clone();
    for (_, task) in plan.iter().filter(|(_, task)| task.is_hook()) {
        let began = task
            .live
            .as_ref()
            .is_some_and(|live| live.annotation(ATTEMPT) == Some(stamp));
        // A hook of several phases is one object: it runs in the first that is not recorded.
        if began && !told.iter().any(|result| is_of(result, task)) {
            told.push(begun(task));
        }
    }
    TaskStates::resume(plan, &told)
}

/// Marks a hook as belonging to an attempt.
pub(super) fn marked(object: &Value, stamp: &str) -> Value {
    let mut object = object.clone();
    if is_hook(&object) {
        object["metadata"]["annotations"][ATTEMPT] = Value::String(stamp.to_owned());
    }
    object
}

fn is_of(result: &ResourceResult, task: &Task) -> bool {
    result.group == task.key.group
        && result.kind == task.key.kind
        && result.namespace == task.key.namespace
        && result.name == task.key.name
}

fn begun(task: &Task) -> ResourceResult {
    ResourceResult {
        group: task.key.group.clone(),
        version: task.gvk.version.clone(),
        kind: task.key.kind.clone(),
        namespace: task.key.namespace.clone(),
        name: task.key.name.clone(),
        status: Some(ResultCode::Synced),
        hook_type: task.phase.as_str().to_owned(),
        hook_phase: Some(OperationPhase::Running),
        sync_phase: Some(task.phase.into()),
        ..ResourceResult::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_process_recorded_meanwhile_is_not_recorded_again() {
        let state = |revision: &str, second: u32| {
            json!({"phase": "Succeeded", "startedAt": format!("2026-01-01T00:00:0{second}Z"),
                   "finishedAt": format!("2026-01-01T00:00:0{}Z", second + 1),
                   "operation": {"sync": {"revision": revision}}})
        };
        let application = |asked: Value, recorded: Value| -> Application {
            let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "web"}, "spec": {}, "operation": asked,
                "status": {"operationState": recorded}});
            serde_json::from_value(object).unwrap()
        };
        let ended: OperationState = serde_json::from_value(state("b", 5)).unwrap();
        let told = |asked, recorded| is_recorded(&application(asked, recorded), &ended);
        assert!(told(Value::Null, state("b", 4)), "by a late request");
        assert!(!told(Value::Null, state("b", 2)), "an earlier one");
        assert!(!told(Value::Null, state("a", 5)), "another one");
        let asked = json!({"sync": {"revision": "b"}});
        assert!(!told(asked, state("b", 4)), "it is still asked for");
    }
}
