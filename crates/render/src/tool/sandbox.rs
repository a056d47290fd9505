//! What a program can reach: its render's private folder, and programs with what they need to run.
//! Not the hub's token, its data, its environment or another render, and nobody over TCP unless that
//! is wanted, where the kernel has Landlock.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};

/// Files that writing and reading of nothing and of chance need.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Where programs, their libraries and their settings lie, and what they ask of the machine. What
/// `/proc` says of processes is not among it: the environment of the hub is a part of that.
const SYSTEM: [&str; 16] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/etc",
    "/nix",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/sys/devices/system/cpu",
    "/sys/kernel/mm",
];

/// The folders that a program may use.
pub(super) struct Sandbox<'a> {
    /// Where it may read and run programs, besides the system's own folders.
    pub(super) programs: &'a [PathBuf],
    /// Where it may do everything.
    pub(super) own: &'a Path,
    /// Whether it may connect to servers and be one.
    pub(super) network: bool,
}

impl Sandbox<'_> {
    /// Starts a command that stays in here with all that it starts.
    ///
    /// A thread gives up the rights and starts it, because rights are a thread's and are inherited.
    pub(super) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        let start = || {
            self.enter().map_err(io::Error::other)?;
            command.spawn()
        };
        std::thread::scope(|scope| scope.spawn(start).join())
            .unwrap_or_else(|_| Err(io::Error::other("the starting thread panicked")))
    }

    fn enter(&self) -> Result<(), RulesetError> {
        const VERSION: ABI = ABI::V6;
        let (all, read) = (AccessFs::from_all(VERSION), AccessFs::from_read(VERSION));
        let mut rules = Ruleset::default().handle_access(all)?;
        if !self.network {
            rules = rules.handle_access(AccessNet::from_all(VERSION))?;
        }
        rules
            .scope(Scope::from_all(VERSION))?
            .create()?
            .add_rules(path_beneath_rules(SYSTEM, read))?
            .add_rules(path_beneath_rules(self.programs, read))?
            .add_rules(path_beneath_rules(DEVICES, all))?
            .add_rules(path_beneath_rules([self.own], all))?
            .restrict_self()?;
        Ok(())
    }
}
