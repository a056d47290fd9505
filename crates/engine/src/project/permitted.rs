//! The proof that a project permits something.

use std::ops::Deref;

use thiserror::Error;

use super::rules::Rules;
use crate::application::KnownCluster;
use crate::object::ResourceKey;
use crate::sync::{KindScope, Kinds, SyncPlan, Task, TaskId};

/// Something that a project permits. Only [`Rules`] makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Permitted<T>(T);

impl<T> Permitted<T> {
    /// What is permitted.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives up the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Why something is not permitted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// The kind is not.
    #[error("resource {group}:{kind} is not permitted in project {project}")]
    Kind {
        /// API group.
        group: String,
        /// Kind.
        kind: String,
        /// Project.
        project: String,
    },
    /// The namespace is not.
    #[error("namespace {namespace} is not permitted in project '{project}'")]
    Namespace {
        /// Namespace.
        namespace: String,
        /// Project.
        project: String,
    },
}

/// Where things are to happen.
#[derive(Clone, Copy)]
pub struct Placement<'a> {
    /// The cluster.
    pub cluster: &'a KnownCluster,
    /// Its discovery.
    pub kinds: &'a dyn Kinds,
}

/// A plan each task of which the project permits. Carrying out a task takes the task from here.
#[derive(Clone, Debug)]
pub struct PermittedPlan {
    plan: SyncPlan,
    tasks: Vec<Permitted<Task>>,
}

impl PermittedPlan {
    /// A task, with the proof that it is permitted.
    pub fn permitted(&self, id: TaskId) -> &Permitted<Task> {
        &self.tasks[id.index()]
    }
}

impl Deref for PermittedPlan {
    type Target = SyncPlan;

    fn deref(&self) -> &SyncPlan {
        &self.plan
    }
}

impl Rules<'_> {
    /// Permits a whole plan, hooks of every phase and prunes included, or says of each task that is
    /// not permitted why.
    pub fn permit_plan(
        self,
        plan: SyncPlan,
        placement: Placement<'_>,
    ) -> Result<PermittedPlan, Vec<(TaskId, Denied)>> {
        let denied = self.denials(&plan, placement);
        if !denied.is_empty() {
            return Err(denied);
        }
        let tasks = plan.tasks().iter().cloned().map(Permitted).collect();
        Ok(PermittedPlan { plan, tasks })
    }

    /// What of a plan is not permitted, and why. What was permitted when a sync began need not be
    /// when it goes on.
    pub fn denials(self, plan: &SyncPlan, placement: Placement<'_>) -> Vec<(TaskId, Denied)> {
        let denied = plan.iter().filter_map(|(id, task)| {
            // A kind that is not served yet gives no scope; its namespace tells what is meant.
            let namespaced = match placement.kinds.scope(&task.gvk) {
                KindScope::Namespaced => true,
                KindScope::Cluster => false,
                KindScope::Unknown(_) => !task.key.namespace.is_empty(),
            };
            let reason = self.deny(&task.key, namespaced, placement.cluster)?;
            Some((id, reason))
        });
        denied.collect()
    }

    /// Permits to touch one resource, as for a deletion or a hook of it.
    pub fn permit(
        self,
        key: ResourceKey,
        namespaced: bool,
        cluster: &KnownCluster,
    ) -> Result<Permitted<ResourceKey>, Denied> {
        match self.deny(&key, namespaced, cluster) {
            None => Ok(Permitted(key)),
            Some(reason) => Err(reason),
        }
    }

    fn deny(self, key: &ResourceKey, namespaced: bool, cluster: &KnownCluster) -> Option<Denied> {
        if !self.permits_kind(&key.group_kind(), &key.name, namespaced) {
            return Some(Denied::Kind {
                group: key.group.clone(),
                kind: key.kind.clone(),
                project: self.name().to_owned(),
            });
        }
        if namespaced && !self.permits_destination(cluster, &key.namespace) {
            return Some(Denied::Namespace {
                namespace: key.namespace.clone(),
                project: self.name().to_owned(),
            });
        }
        None
    }
}
