//! Operations: when one begins by itself, when it is tried again, what it leaves in the history,
//! and how an application is taken down.
//!
//! Each decision returns its reason. Nothing here reads a clock or writes anything.

mod automated;
mod deletion;
mod history;
mod pause;
mod retry;

pub use automated::{AutoSync, AutoSyncInput, SelfHealBackoff, Skip, decide_automated};
pub use deletion::{Deletion, next_deletion};
pub use history::{RollbackError, record, rollback};
pub use pause::{Pause, pause_of};
pub use retry::{RetryPolicy, RetryPolicyError, Verdict, after_attempt, has_timed_out};

/// The message of an operation that a person ended.
pub const TERMINATED: &str = "Operation terminated";
/// The message of an operation that took too long.
pub const TIMED_OUT: &str = "Operation terminated, triggered by controller sync timeout";
/// The message of an operation that waits for a sync window.
pub const BLOCKED_BY_WINDOW: &str = "Sync operation blocked by sync window";
/// The message of an operation that asks for nothing.
pub const NOTHING_ASKED: &str = "Invalid operation request: no operation specified";
