//! The end of a sync: what a failure runs, what it says, and which hooks go.

use super::message;
use super::plan::{Group, SyncPlan};
use super::state::TaskState;
use super::step::{Outcome, Step, Stepper, Waiting, ids};
use super::task::TaskId;
use crate::object::DeletePolicy;

impl Stepper<'_> {
    pub(super) fn fail(
        &self,
        regular: &[&Group],
        on_failure: &[&Group],
        failed: &[TaskId],
    ) -> Step {
        let hooks: Vec<_> = ids(regular)
            .filter(|id| self.plan.task(*id).is_hook() && self.is_running(*id))
            .collect();
        let untouched: Vec<_> = ids(on_failure)
            .filter(|id| *self.states.get(*id) == TaskState::Pending)
            .filter(|id| {
                on_failure
                    .iter()
                    .any(|group| self.is_open(SyncPlan::node(*id), group))
            })
            .collect();
        let busy: Vec<_> = ids(on_failure)
            .filter(|id| *self.states.get(*id) == TaskState::Started || self.is_running(*id))
            .chain(hooks)
            .collect();
        if !untouched.is_empty() || !busy.is_empty() {
            let awaited = if busy.is_empty() {
                untouched.clone()
            } else {
                busy
            };
            return self.run(untouched, Waiting::Health(awaited));
        }
        // A failure hook begins once the one of an earlier sync is gone.
        let deletion = self.terminating(on_failure);
        if !deletion.is_empty() {
            return self.run(Vec::new(), Waiting::Deletion(deletion));
        }
        let message = self.failure_message(on_failure, failed);
        self.finish(Outcome::Failed, message, DeletePolicy::HookFailed)
    }

    fn failure_message(&self, on_failure: &[&Group], failed: &[TaskId]) -> String {
        let refused = failed
            .iter()
            .any(|id| matches!(self.states.get(*id), TaskState::Rejected(_)));
        let text = if refused {
            "one or more objects failed to apply"
        } else {
            "one or more synchronization tasks completed unsuccessfully"
        };
        let reasons = |ids: &[TaskId]| -> Vec<&str> {
            ids.iter()
                .map(|id| self.states.get(*id).message())
                .collect()
        };
        let mut message = message::failure(text, reasons(failed).into_iter());
        let failed_hooks: Vec<_> = ids(on_failure)
            .filter(|id| self.states.get(*id).is_failure())
            .collect();
        if !failed_hooks.is_empty() {
            let hooks = message::failure(
                "one or more SyncFail hooks failed",
                reasons(&failed_hooks).into_iter(),
            );
            message = format!("{message}\n{hooks}");
        }
        message
    }

    pub(super) fn succeed(&self, message: &str) -> Step {
        self.finish(
            Outcome::Succeeded,
            message.to_owned(),
            DeletePolicy::HookSucceeded,
        )
    }

    fn finish(&self, outcome: Outcome, message: String, policy: DeletePolicy) -> Step {
        let delete = self
            .plan
            .iter()
            .filter(|(id, task)| {
                task.is_hook()
                    && self.states.get(*id).is_tried()
                    && task.policies().contains(&policy)
            })
            .map(|(id, _)| id)
            .collect();
        Step::Finished {
            outcome,
            message,
            release: self.to_release(),
            delete,
        }
    }
}
