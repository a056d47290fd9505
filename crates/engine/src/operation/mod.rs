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

pub use automated::{AutoSync, AutoSyncInput, SelfHealBackoff, Skip, decide_automated};
pub use deletion::{Deletion, next_deletion};
pub use history::{RollbackError, record, rollback};
pub use pause::{Pause, pause_of};
pub use retry::{RetryPolicy, RetryPolicyError, Verdict, after_attempt, has_timed_out};
pub use rollback::{Pin, automatic};
pub use stage::{DeleteHook, HookStep, Stage, cleanup, next_hooks};

/// The message of an operation that a person ended.
pub const TERMINATED: &str = "Operation terminated";
/// The message of an operation that took too long.
pub const TIMED_OUT: &str = "Operation terminated, triggered by controller sync timeout";
/// The message of an operation that waits for a sync window.
pub const BLOCKED_BY_WINDOW: &str = "Sync operation blocked by sync window";
/// How the message of an operation begins that waits for other applications or for a person.
pub const WAITS: &str = "Sync operation waits";

/// Whether the message is that of an operation that has not begun, because something holds it back.
pub fn is_held_back(message: &str) -> bool {
    message == BLOCKED_BY_WINDOW || message.starts_with(WAITS)
}

/// How the message of an operation begins that a newer revision has replaced.
pub const SUPERSEDED: &str = "Operation superseded by revision";

/// The message of an operation that asks for nothing.
pub const NOTHING_ASKED: &str = "Invalid operation request: no operation specified";
