//! How much a sync may prune without a person's approval.
//!
//! An approval is of exactly what would be pruned, object by object; when that changes it is void.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use super::plan::SyncPlan;
use super::task::{Action, Task};
use crate::object::{ObjectExt, ResourceKey};

/// How many resources a message names.
const NAMED: usize = 10;

/// A limit on what one sync prunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneLimit {
    /// So many resources.
    Count(usize),
    /// So many percent of the application's live resources.
    Percent(usize),
}

impl PruneLimit {
    /// Reads `20` or `20%`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse().ok().map(Self::Percent),
            None => text.trim().parse().ok().map(Self::Count),
        }
    }

    fn allows(self, pruned: usize, live: usize) -> bool {
        match self {
            Self::Count(count) => pruned <= count,
            Self::Percent(percent) => pruned * 100 <= percent * live,
        }
    }
}

/// A sync that would prune more than it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What an approval must name.
    pub hash: String,
    /// What would be pruned.
    pub pruned: Vec<ResourceKey>,
    /// How many live resources the application has.
    pub live: usize,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self
            .pruned
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        write!(
            f,
            "the sync would prune {} of {} resources ({}",
            self.pruned.len(),
            self.live,
            named.join(", ")
        )?;
        if self.pruned.len() > NAMED {
            write!(f, " and {} more", self.pruned.len() - NAMED)?;
        }
        write!(f, "), plan `{}`", self.hash)
    }
}

/// What is too much of a plan, unless a person `approved` exactly that.
pub fn excess(plan: &SyncPlan, limit: PruneLimit, approved: Option<&str>) -> Option<Excess> {
    let prunes: Vec<_> = plan.tasks().iter().filter(|task| prunes(task)).collect();
    let live = plan
        .tasks()
        .iter()
        .filter(|task| task.live.is_some() && matches!(task.action, Action::Apply(_)))
        .count()
        + prunes.len();
    if limit.allows(prunes.len(), live) {
        return None;
    }
    let hash = hash(&prunes);
    (approved != Some(hash.as_str())).then(|| Excess {
        hash,
        pruned: prunes.iter().map(|task| task.key.clone()).collect(),
        live,
    })
}

fn prunes(task: &Task) -> bool {
    matches!(task.action, Action::Prune { skip: None, .. })
}

/// The first 64 bits of a digest over everything that goes.
fn hash(prunes: &[&Task]) -> String {
    let mut digest = Sha256::new();
    for task in prunes {
        let uid = task.live.as_deref().map(ObjectExt::uid).unwrap_or_default();
        for part in [task.key.to_string().as_str(), uid] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
    }
    let mut hash = String::new();
    for byte in digest.finalize().iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}
