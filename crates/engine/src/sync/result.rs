//! The results of a sync as `status.operationState.syncResult.resources` has them, and going on from
//! them after a restart.

use argosy_crds::application::ResourceResult;
use argosy_crds::codes::{OperationPhase, ResultCode, SyncPhase};

use super::phase::Phase;
use super::plan::SyncPlan;
use super::state::{TaskState, TaskStates};
use super::task::{Action, Task, TaskId};

impl From<Phase> for SyncPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::PreSync => Self::PreSync,
            Phase::Sync => Self::Sync,
            Phase::PostSync => Self::PostSync,
            Phase::SyncFail => Self::SyncFail,
        }
    }
}

/// The results of all tasks that something was done about, in the order of the plan.
pub fn results(plan: &SyncPlan, states: &TaskStates) -> Vec<ResourceResult> {
    plan.iter()
        .filter(|(_, task)| !matches!(task.action, Action::DeleteHook(_)))
        .filter_map(|(id, task)| result(task, states.get(id)))
        .collect()
}

fn result(task: &Task, state: &TaskState) -> Option<ResourceResult> {
    let (status, phase) = match state {
        TaskState::Pending | TaskState::Started => return None,
        TaskState::Applied(_) => (ResultCode::Synced, OperationPhase::Running),
        TaskState::Succeeded(_) => (ResultCode::Synced, OperationPhase::Succeeded),
        TaskState::Rejected(_) => (ResultCode::SyncFailed, OperationPhase::Failed),
        TaskState::Failed(_) => (ResultCode::Synced, OperationPhase::Failed),
        TaskState::Pruned { .. } => (ResultCode::Pruned, OperationPhase::Succeeded),
        TaskState::Skipped(_) => (ResultCode::PruneSkipped, OperationPhase::Succeeded),
    };
    let hook_type = if task.is_hook() {
        task.phase.as_str().to_owned()
    } else {
        String::new()
    };
    Some(ResourceResult {
        group: task.key.group.clone(),
        version: task.gvk.version.clone(),
        kind: task.key.kind.clone(),
        namespace: task.key.namespace.clone(),
        name: task.key.name.clone(),
        status: Some(status),
        message: state.message().to_owned(),
        hook_type,
        hook_phase: Some(phase),
        sync_phase: Some(task.phase.into()),
        images: crate::status::images(task.object()),
    })
}

impl TaskStates {
    /// The states that recorded results tell of, for going on with a sync that another process
    /// began. What was done and not recorded is done again, which applying allows.
    pub fn resume(plan: &SyncPlan, recorded: &[ResourceResult]) -> Self {
        let mut states = Self::new(plan);
        for (id, task) in plan.iter() {
            if let Some(result) = recorded.iter().find(|result| is_of(result, task))
                && let Some(state) = recorded_state(result)
            {
                states.set(id, state);
            }
        }
        let tried: Vec<TaskId> = plan
            .iter()
            .filter(|(id, task)| task.is_hook() && states.get(*id).is_tried())
            .map(|(id, _)| id)
            .collect();
        // A hook that ran has had its leftovers deleted before.
        for (id, task) in plan.iter() {
            let ran = tried.iter().any(|hook| {
                plan.task(*hook).key == task.key && plan.task(*hook).phase == task.phase
            });
            if ran && matches!(task.action, Action::DeleteHook(_)) {
                states.set(id, TaskState::Skipped(String::new()));
            }
        }
        states
    }
}

fn is_of(result: &ResourceResult, task: &Task) -> bool {
    !matches!(task.action, Action::DeleteHook(_))
        && result.group == task.key.group
        && result.kind == task.key.kind
        && result.name == task.key.name
        && result.namespace == task.key.namespace
        && result.sync_phase == Some(task.phase.into())
}

fn recorded_state(result: &ResourceResult) -> Option<TaskState> {
    let message = result.message.clone();
    Some(match (result.status?, result.hook_phase) {
        (ResultCode::SyncFailed, _) => TaskState::Rejected(message),
        (ResultCode::Pruned, _) => TaskState::Pruned {
            message,
            terminating: true,
        },
        (ResultCode::PruneSkipped, _) => TaskState::Skipped(message),
        (ResultCode::Synced, Some(OperationPhase::Succeeded)) => TaskState::Succeeded(message),
        (ResultCode::Synced, Some(OperationPhase::Failed | OperationPhase::Error)) => {
            TaskState::Failed(message)
        }
        (ResultCode::Synced, _) => TaskState::Applied(message),
    })
}
