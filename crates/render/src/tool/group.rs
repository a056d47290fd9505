//! A process with all that it started.

use std::process::Child;

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The leader of a process group, which is killed as a whole when dropped.
pub(super) struct Group(pub(super) Child);

impl Group {
    /// The memory that the leader holds, where the system tells.
    pub(super) fn memory(&self) -> Option<u64> {
        /// The size of a page on every system that Linux programs of ours run on.
        const PAGE: u64 = 4096;
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.0.id())).ok()?;
        let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(pages * PAGE)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            // Fails where nothing is left to kill.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}
