//! All processes that come of one render, whatever groups and sessions they have made.
//!
//! They have the render's private folder in the environment that they began with, which nobody else
//! has. Where the system shows no environments, a family has no members, and the process group alone
//! counts.

use std::{fs, path::Path, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How often a family that forks while it is killed is looked at again.
const ROUNDS: usize = 100;

/// The processes whose environment names a folder.
pub(super) struct Family<'a>(pub(super) &'a Path);

impl Family<'_> {
    /// The memory that they hold together.
    pub(super) fn memory(&self) -> u64 {
        /// The size of a page on every system that Linux programs of ours run on.
        const PAGE: u64 = 4096;
        let pages = |id: i32| -> Option<u64> {
            let text = fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
            text.split_whitespace().nth(1)?.parse().ok()
        };
        let members = self.members().into_iter();
        members.filter_map(pages).sum::<u64>() * PAGE
    }

    /// Ends them all.
    pub(super) fn kill(&self) {
        for _ in 0..ROUNDS {
            let members = self.members();
            if members.is_empty() {
                return;
            }
            for id in members {
                // Fails where it has just ended.
                let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn members(&self) -> Vec<i32> {
        let mark = self.0.as_os_str().as_encoded_bytes();
        let is_member = |id: &i32| {
            // Those of other users cannot be read, and those that have ended say nothing.
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|part| part == mark)
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(is_member)
            .collect()
    }
}
