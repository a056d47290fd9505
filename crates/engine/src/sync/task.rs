//! One task of a sync plan.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::options::{ApplyMode, Propagation};
use super::phase::Phase;
use crate::object::{DeletePolicy, Gvk, ObjectExt, ResourceKey};

/// Names a task within its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(super) usize);

impl TaskId {
    /// Position in [`super::SyncPlan::tasks`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// Why a resource that git no longer has is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneSkip {
    /// The operation does not prune.
    NotRequested,
    /// The resource, or the application, asks not to be pruned.
    Refused,
}

impl PruneSkip {
    /// The text in the operation's results.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotRequested => "ignored (requires pruning)",
            Self::Refused => "ignored (no prune)",
        }
    }
}

/// What a task does to its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Applies a resource.
    Apply(ApplyMode),
    /// Creates a hook and follows it to its end.
    Hook {
        /// How the hook object is written.
        mode: ApplyMode,
        /// When the hook object is deleted.
        policies: Vec<DeletePolicy>,
    },
    /// Deletes what an earlier sync left of a hook, and waits until it is gone.
    DeleteHook(Propagation),
    /// Deletes a resource that git no longer has.
    Prune {
        /// What happens to its dependents.
        propagation: Propagation,
        /// Whether a person has to approve first.
        confirm: bool,
        /// Why it is left alone, if it is.
        skip: Option<PruneSkip>,
        /// The observer's word that the object belongs to the application.
        owned: bool,
    },
}

impl Action {
    /// One word for people and machines: `apply`, `hook`, `delete-hook` or `prune`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Apply(_) => "apply",
            Self::Hook { .. } => "hook",
            Self::DeleteHook(_) => "delete-hook",
            Self::Prune { .. } => "prune",
        }
    }
}

/// One thing to do, to one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The object; the namespace is empty for cluster-scoped kinds.
    pub key: ResourceKey,
    /// Kind with version, as the object is written or, for a prune, as it is live.
    pub gvk: Gvk,
    /// Phase.
    pub phase: Phase,
    /// Wave within the phase.
    pub wave: i64,
    /// What is done.
    pub action: Action,
    /// What is written: absent for prunes and deletions.
    pub desired: Option<Arc<Value>>,
    /// What is there, as last observed.
    pub live: Option<Arc<Value>>,
    /// The cluster does not serve the kind; the task waits until it does.
    pub deferred: bool,
}

impl Task {
    /// The object that says most about the task: the desired one, else the live one.
    pub fn object(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        self.desired
            .as_deref()
            .or(self.live.as_deref())
            .unwrap_or(&NOTHING)
    }

    /// Whether the task runs a hook.
    pub fn is_hook(&self) -> bool {
        matches!(self.action, Action::Hook { .. })
    }

    /// Whether the task prunes.
    pub fn is_prune(&self) -> bool {
        matches!(self.action, Action::Prune { .. })
    }

    /// The delete policies, which only hooks have.
    pub fn policies(&self) -> &[DeletePolicy] {
        match &self.action {
            Action::Hook { policies, .. } => policies,
            Action::Apply(_) | Action::DeleteHook(_) | Action::Prune { .. } => &[],
        }
    }

    /// `group/Kind/name`, as the operation's messages name an object.
    pub fn label(&self) -> String {
        let ResourceKey {
            group, kind, name, ..
        } = &self.key;
        format!("{group}/{kind}/{name}")
    }

    /// `version/Kind/name`, as confirmations name an object.
    pub(super) fn versioned_label(&self) -> String {
        format!(
            "{}/{}/{}",
            self.object().api_version(),
            self.key.kind,
            self.key.name
        )
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.as_str(), self.key)
    }
}
