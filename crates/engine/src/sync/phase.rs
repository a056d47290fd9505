//! The phases of a sync.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::HookType;

/// A phase of a sync, in the order in which phases run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Hooks before the resources.
    PreSync,
    /// The resources, and hooks that run with them.
    Sync,
    /// Hooks after the resources.
    PostSync,
    /// Hooks that run only when the sync failed.
    SyncFail,
}

impl Phase {
    /// The phase in which a hook of this type runs; `Skip` has none.
    pub fn of(hook: HookType) -> Option<Self> {
        match hook {
            HookType::PreSync => Some(Self::PreSync),
            HookType::Sync => Some(Self::Sync),
            HookType::PostSync => Some(Self::PostSync),
            HookType::SyncFail => Some(Self::SyncFail),
            HookType::Skip => None,
        }
    }

    /// The name in `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
