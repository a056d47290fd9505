//! Operations: when one begins by itself, when it is tried again, what it leaves in the history,
//! and how an application is taken down.
//!
//! Each decision returns its reason. Nothing here reads a clock or writes anything.

mod automated;
mod deletion;
mod history;
mod pause;
mod retry;
mod rollback;
mod stage;

pub use argosy_crds::codes::{BLOCKED_BY_WINDOW, WAITS, is_held_back};
pub use automated::{
    AutoSync, AutoSyncInput, Blind, SelfHealBackoff, Skip, decide_automated, failed_attempt,
};
pub use deletion::{Cascade, Deletion, Held, HeldByFinalizers, held_by_finalizers, next_deletion};
pub use history::{RollbackError, record, rollback};
pub use pause::{Pause, pause_of};
pub use retry::{RetryPolicy, RetryPolicyError, Verdict, after_attempt, has_timed_out};
pub use rollback::{Pin, automatic};
pub use stage::{DeleteHook, HookStep, Stage, cleanup, next_hooks};

/// The message of an operation that a person ended.
pub const TERMINATED: &str = "Operation terminated";
/// The message of an operation that took too long.
pub const TIMED_OUT: &str = "Operation terminated, triggered by controller sync timeout";
/// How the message of an operation begins that a newer revision has replaced.
pub const SUPERSEDED: &str = "Operation superseded by revision";

/// The message of an operation that asks for nothing.
pub const NOTHING_ASKED: &str = "Invalid operation request: no operation specified";
