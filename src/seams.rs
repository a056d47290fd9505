//! All that a hub reaches the world through, in one place.
//!
//! Its API server is a client, whoever made it. The rest is here: the time, the clusters, the
//! repositories, the network, signatures of commits, the disk, the environment, the programs that
//! render, and the threads that work runs on. Waiting goes through `tokio::time`. A hub whose seams are handed in does
//! nothing that a seed could not repeat. `cargo xtask test` checks that no other file of the hub
//! names a way around them.

use std::ffi::OsStr;
use std::path::Path;

use argosy_render::{Plugins, Tools};

use crate::blocking::Blocking;
use crate::clock::Clock;
use crate::cluster::Dial;
use crate::config::HubConfig;
use crate::diagnostic::Diagnostic;
use crate::disk::Disk;
use crate::http::Network;
use crate::scratch::Scratch;
use crate::signatures::Signatures;
use crate::source::Remotes;
use crate::surroundings::Surroundings;

/// What a hub reaches the world through, its own API server apart.
#[derive(Clone, Debug)]
pub struct Seams {
    /// Tells the time.
    pub clock: Clock,
    /// Makes the clients of workload clusters.
    pub dial: Dial,
    /// Opens git repositories.
    pub remotes: Remotes,
    /// Opens connections to repositories of charts, SCM providers and plugins.
    pub network: Network,
    /// Checks signatures of commits.
    pub signatures: Signatures,
    /// Keeps charts and renders.
    pub disk: Disk,
    /// Variables of the environment, and mounted files.
    pub surroundings: Surroundings,
    /// What renders charts and kustomizations, and what plugins render.
    pub tools: Tools,
    /// Where work runs that blocks.
    pub blocking: Blocking,
}

impl Seams {
    /// This machine and its network; what is kept is kept below the configured directory, which is
    /// made if need be.
    pub fn system(config: &HubConfig) -> Result<Self, Diagnostic> {
        let mirrors = config.data.join("git");
        let remotes = Remotes::mirrored(mirrors, config.git_quota).map_err(|error| {
            Diagnostic::config("DataUnusable", "cannot use the data directory")
                .at(config.data.display().to_string())
                .because(&error)
                .fix("name a directory that can be written with --data")
        })?;
        Ok(Self {
            clock: Clock::system(),
            dial: Dial::network(),
            remotes,
            network: Network::system(),
            signatures: Signatures::gpg(),
            disk: Disk::below(&config.data),
            surroundings: Surroundings::system(),
            tools: tools(&config.tool_path, config.plugins.as_deref())?,
            blocking: Blocking::Pool,
        })
    }

    /// As [`Self::system`], with a directory that is removed with the first of both.
    pub(crate) fn for_a_while() -> Result<(Scratch, Self), Diagnostic> {
        let folder = Scratch::new().map_err(|error| {
            Diagnostic::config("DataUnusable", "cannot make a directory for mirrors")
                .because(&error)
        })?;
        let seams = Self::system(&HubConfig::new(folder.path()))?;
        Ok((folder, seams))
    }
}

/// The tools of this machine in the folders of `search`, which has the form of `PATH`, and the plugins
/// that the files of a folder declare.
pub(crate) fn tools(search: &OsStr, plugins: Option<&Path>) -> Result<Tools, Diagnostic> {
    let tools = Tools::on_path(search);
    let Some(folder) = plugins else {
        return Ok(tools);
    };
    let plugins = Plugins::load(folder, search).map_err(|error| {
        Diagnostic::config(
            "PluginsUnusable",
            "cannot use the config management plugins",
        )
        .at(folder.display().to_string())
        .because(&error)
        .fix("correct the file, or take it out of the folder that --plugins names")
    })?;
    Ok(tools.with_plugins(plugins))
}
