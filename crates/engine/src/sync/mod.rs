//! The sync plan: what one sync does to one cluster, and in which order.
//!
//! [`SyncPlan::new`] decides everything beforehand; [`next`] says, from what has happened so far,
//! what to start and what to wait for. The executor only carries out. Nothing here talks to a
//! cluster, and nothing here prunes what was not observed completely.

mod admission;
mod check;
mod collect;
mod depends;
mod finish;
mod input;
mod kinds;
mod link;
mod message;
mod options;
mod order;
mod phase;
mod plan;
mod print;
mod prune;
mod result;
mod state;
mod step;
mod takeover;
mod task;

pub use admission::Webhooks;
pub use check::{Flaw, check};
pub use input::{DestinationNamespace, NamespaceMetadata, PlanInput, Selector, UnknownKinds};
pub use kinds::{KindScope, Kinds, WellKnownKinds};
pub use options::{ApplyMode, Consent, Propagation, SyncOptions};
pub use phase::Phase;
pub use plan::{Group, InvalidTask, Need, Node, PlanError, SyncPlan};
pub use print::offline_groups;
pub use prune::{Excess, PruneLimit, excess};
pub use result::results;
pub use state::{Progress, TaskState, TaskStates};
pub use step::{Outcome, Step, Termination, Waiting, WaveDelay, next, succeeded_hooks, terminate};
pub use takeover::taken_over;
pub use task::{Action, PruneSkip, Task, TaskId};
