//! All that a hub reaches the world through, in one place.
//!
//! Its API server is a client, whoever made it. The rest is here: the time, the clusters, the
//! repositories, and the threads that work runs on. Waiting goes through `tokio::time`. A hub whose
//! seams are handed in does nothing that a seed could not repeat.

use std::path::Path;

use crate::blocking::Blocking;
use crate::clock::Clock;
use crate::cluster::Dial;
use crate::diagnostic::Diagnostic;
use crate::source::Remotes;

/// What a hub reaches the world through, its own API server apart.
#[derive(Clone, Debug)]
pub struct Seams {
    /// Tells the time.
    pub clock: Clock,
    /// Makes the clients of workload clusters.
    pub dial: Dial,
    /// Opens repositories.
    pub remotes: Remotes,
    /// Where work runs that blocks.
    pub blocking: Blocking,
}

impl Seams {
    /// This machine and its network; mirrors of repositories are kept below `data`, which is made if
    /// need be.
    pub fn system(data: &Path) -> Result<Self, Diagnostic> {
        let mirrors = data.join("git");
        std::fs::create_dir_all(&mirrors).map_err(|error| {
            Diagnostic::config("DataUnusable", "cannot use the data directory")
                .at(data.display().to_string())
                .because(&error)
                .fix("name a directory that can be written with --data")
        })?;
        Ok(Self {
            clock: Clock::system(),
            dial: Dial::network(),
            remotes: Remotes::mirrored(mirrors),
            blocking: Blocking::Pool,
        })
    }
}
