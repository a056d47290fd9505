//! The tasks of a plan, on one cluster, side by side.

use std::sync::Arc;

use argosy_engine::object::{Gvk, ObjectExt as _, names};
use argosy_engine::project::{Permitted, PermittedPlan};
use argosy_engine::sync::{Action, ApplyMode, Propagation, Task, TaskId, TaskStates, taken_over};
use futures::StreamExt as _;
use kube::Client;
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::request::{ApplyOptions, Deleted, Failure, Place, written_message};
use super::too_large::explained;
use super::withhold::without_values;
use crate::clock::Clock;
use crate::cluster::{Cluster, ServedKind};

/// A request that was made, for whoever counts them.
pub struct Requested<'a> {
    /// The verb, as Kubernetes names it.
    pub verb: &'static str,
    /// The task it was for.
    pub task: &'a Task,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The HTTP status; 0 when there was no answer.
    pub code: u16,
}

/// Carries out tasks of one plan on one cluster; the project permits all of them.
pub struct Execution<'a> {
    /// The cluster.
    pub cluster: &'a Arc<Cluster>,
    /// The client with the rights that the application has there.
    pub client: &'a Client,
    /// The plan.
    pub plan: &'a PermittedPlan,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// How many requests may be under way at once.
    pub parallelism: usize,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Is told of every request.
    pub counted: &'a (dyn Fn(&Requested<'_>) + Send + Sync),
}

/// What became of a task.
enum Done {
    Applied(String),
    Pruned {
        terminating: bool,
    },
    Refused(Failure),
    /// The cluster does not serve the kind yet.
    Deferred,
}

impl Execution<'_> {
    /// Carries out `start` and notes what came of each. Returns whether all of them could be
    /// tried: one whose kind is not served yet stays pending.
    pub async fn run(&self, start: &[TaskId], states: &mut TaskStates) -> bool {
        for id in start {
            states.started(*id);
        }
        let mut results = futures::stream::iter(start.to_vec())
            .map(|id| async move { (id, self.perform(self.plan.permitted(id)).await) })
            .buffer_unordered(self.parallelism);
        let mut all_tried = true;
        while let Some((id, done)) = results.next().await {
            let now = self.clock.now();
            match done {
                Done::Applied(message) if self.dry_run => states.succeeded(id, message),
                Done::Applied(message) => states.applied(id, message, now),
                Done::Pruned { terminating } => states.pruned(id, terminating, now),
                Done::Refused(failure) => states.rejected(id, failure.message),
                Done::Deferred => {
                    states.postponed(id);
                    all_tried = false;
                }
            }
        }
        all_tried
    }

    /// Has the cluster try `tasks` without changing anything; returns what it refuses, and why.
    pub async fn rehearse(&self, tasks: &[TaskId]) -> Vec<(TaskId, Failure)> {
        futures::stream::iter(tasks.to_vec())
            .map(|id| async move { Some((id, self.refusal(self.plan.permitted(id)).await?)) })
            .buffered(self.parallelism)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    /// Why the cluster would refuse what a task writes. A kind that is not served yet is no reason, and
    /// with `Force=true` nobody knows, as the object may be created anew.
    async fn refusal(&self, permitted: &Permitted<Task>) -> Option<Failure> {
        let task = permitted.get();
        let (Action::Apply(mode) | Action::Hook { mode, .. }) = &task.action else {
            return None;
        };
        if mode.force {
            return None;
        }
        let place = self.place(task).await.ok().flatten()?;
        let options = ApplyOptions {
            dry_run: true,
            ..options(*mode)
        };
        let written = self.write(&place, task, options).await;
        written.err()
    }

    /// Removes the finalizer from hooks that have ended.
    pub async fn release(&self, hooks: &[TaskId], states: &mut TaskStates) {
        for id in hooks {
            let task = self.plan.task(*id);
            if self.release_one(task).await.is_ok() {
                states.released(*id);
            }
        }
    }

    /// Deletes hooks, as their delete policies say.
    pub async fn delete(&self, hooks: &[TaskId]) {
        for id in hooks {
            let task = self.plan.task(*id);
            if let Some(place) = self.place(task).await.ok().flatten() {
                let deleted = place
                    .delete(&task.key.name, None, Propagation::Foreground, self.dry_run)
                    .await;
                self.count("delete", task, self.dry_run, deleted.as_ref().err());
            }
        }
    }

    /// Carries out a task. Only what the project permits gets here.
    async fn perform(&self, permitted: &Permitted<Task>) -> Done {
        let task = permitted.get();
        let place = match self.place(task).await {
            Ok(Some(place)) => place,
            Ok(None) if task.deferred => return Done::Deferred,
            Ok(None) => return Done::Refused(Failure::unserved(&task.gvk)),
            Err(failure) => return Done::Refused(failure),
        };
        let done = match &task.action {
            Action::Apply(mode) | Action::Hook { mode, .. } => {
                self.apply(&place, task, *mode).await
            }
            Action::DeleteHook(propagation) => self.delete_hook(&place, task, *propagation).await,
            Action::Prune { propagation, .. } => self.prune(&place, task, *propagation).await,
        };
        done.unwrap_or_else(|failure| {
            if failure.is_unreachable() {
                self.cluster.suspect();
            }
            Done::Refused(failure)
        })
    }

    async fn apply(&self, place: &Place, task: &Task, mode: ApplyMode) -> Result<Done, Failure> {
        let options = ApplyOptions {
            dry_run: self.dry_run,
            ..options(mode)
        };
        let is_client_side = task
            .live
            .as_deref()
            .is_some_and(|l| taken_over(l).is_some());
        if mode.migrate && !mode.replace && !self.dry_run && is_client_side {
            self.take_over(place, task).await?;
        }
        let written = self.write(place, task, options).await?;
        if !self.dry_run {
            self.cluster.live.wrote(&written);
        }
        let word = match (mode.replace, self.dry_run) {
            (true, _) => "replaced",
            (false, true) => "serverside-applied (dry run)",
            (false, false) => "serverside-applied",
        };
        Ok(Done::Applied(written_message(&task.key, word)))
    }

    /// Makes the fields that client-side apply set those of server-side apply.
    async fn take_over(&self, place: &Place, task: &Task) -> Result<(), Failure> {
        let Some(live) = place.get(&task.key.name).await? else {
            return Ok(());
        };
        let Some(fields) = taken_over(&live) else {
            return Ok(());
        };
        let patch = json!({"metadata": {
            "managedFields": fields, "resourceVersion": live.resource_version()}});
        let written = place.merge(&task.key.name, &patch).await;
        self.count("patch", task, false, written.as_ref().err());
        written.map(drop)
    }

    async fn write(
        &self,
        place: &Place,
        task: &Task,
        options: ApplyOptions,
    ) -> Result<Value, Failure> {
        let Some(desired) = &task.desired else {
            return Err(Failure::invalid("the task has nothing to apply"));
        };
        let written = place
            .apply(desired, options)
            .await
            .map_err(|failure| explained(without_values(failure, desired), desired));
        self.count("patch", task, options.dry_run, written.as_ref().err());
        written
    }

    /// Deletes what an earlier sync left of a hook; one that was broken off left its finalizer.
    async fn delete_hook(
        &self,
        place: &Place,
        task: &Task,
        propagation: Propagation,
    ) -> Result<Done, Failure> {
        let is_held = task.live.as_deref().is_some_and(|live| {
            live.finalizers()
                .any(|finalizer| finalizer == names::HOOK_FINALIZER)
        });
        if is_held && !self.dry_run {
            self.release_one(task).await?;
        }
        self.prune(place, task, propagation).await
    }

    async fn prune(
        &self,
        place: &Place,
        task: &Task,
        propagation: Propagation,
    ) -> Result<Done, Failure> {
        // The uid makes sure that what was seen is what is deleted, and not what has taken its name.
        let uid = task
            .live
            .as_deref()
            .map(Value::uid)
            .filter(|uid| !uid.is_empty());
        let deleted = place
            .delete(&task.key.name, uid, propagation, self.dry_run)
            .await;
        self.count("delete", task, self.dry_run, deleted.as_ref().err());
        let terminating = match deleted? {
            Deleted::Gone => {
                if !self.dry_run {
                    self.cluster.live.deleted(&task.key);
                }
                false
            }
            Deleted::Terminating => !self.dry_run,
        };
        Ok(Done::Pruned { terminating })
    }

    async fn release_one(&self, task: &Task) -> Result<(), Failure> {
        let Some(place) = self.place(task).await? else {
            return Ok(());
        };
        let Some(live) = place.get(&task.key.name).await? else {
            return Ok(());
        };
        let kept: Vec<_> = live
            .finalizers()
            .filter(|finalizer| *finalizer != names::HOOK_FINALIZER)
            .collect();
        if kept.len() == live.finalizers().count() {
            return Ok(());
        }
        let patch = json!({"metadata": {
            "finalizers": kept, "resourceVersion": live.resource_version()}});
        let released = place.merge(&task.key.name, &patch).await;
        self.count("patch", task, false, released.as_ref().err());
        match released {
            Ok(object) => self.cluster.live.wrote(&object),
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Where the task's object lives; `None` if the cluster does not serve its kind.
    async fn place(&self, task: &Task) -> Result<Option<Place>, Failure> {
        let Some(kind) = self.served(&task.gvk).await? else {
            return Ok(None);
        };
        let namespace = kind.namespaced.then_some(task.key.namespace.as_str());
        Ok(Some(Place::new(self.client, &kind.resource, namespace)))
    }

    async fn served(&self, gvk: &Gvk) -> Result<Option<ServedKind>, Failure> {
        let wanted = [GroupVersionKind::gvk(&gvk.group, &gvk.version, &gvk.kind)];
        let served = self
            .cluster
            .discovery
            .covering(&self.cluster.client, &wanted)
            .await?;
        Ok(served.kind(&gvk.group, &gvk.version, &gvk.kind).cloned())
    }

    fn count(&self, verb: &'static str, task: &Task, dry_run: bool, failure: Option<&Failure>) {
        let code = failure.map_or(200, |failure| failure.code);
        (self.counted)(&Requested {
            verb,
            task,
            dry_run,
            code,
        });
    }
}

fn options(mode: ApplyMode) -> ApplyOptions {
    ApplyOptions {
        dry_run: false,
        validate: mode.validate,
        replace: mode.replace,
        force: mode.force,
    }
}
