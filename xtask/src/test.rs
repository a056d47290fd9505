//! The one test command: every check that a change must pass, cheap ones first.
//!
//! All stages run whatever the others say, so that one run shows everything that is wrong.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::stage::{Stages, succeed};
use crate::tools::{self, Tool};
use crate::{codegen, dependencies, links, seams, suite};

/// Runs the named stages, or all. The exit code fails when one of them did.
pub(crate) fn run(only: Vec<String>) -> ExitCode {
    let mut stages = Stages::new(only);
    stages.run("format", || {
        succeed(&mut cargo(["fmt", "--all", "--check"]))
    });
    stages.run("codegen", || codegen::run(true));
    stages.run("dependencies", dependencies::check);
    stages.run("seams", seams::check);
    stages.run("links", links::check);
    stages.run("tools", || tools().map(drop));
    stages.run("clippy", || {
        let lint = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ];
        succeed(&mut cargo(lint))
    });
    stages.run("test", || test(&tools()?));
    stages.run("doc", || {
        let doc = ["doc", "--no-deps", "--workspace", "--quiet"];
        succeed(cargo(doc).env("RUSTDOCFLAGS", "-D warnings"))
    });
    stages.finish()
}

fn tools() -> anyhow::Result<Vec<(Tool, PathBuf)>> {
    tools::ensure_programs()?;
    Tool::TESTED
        .map(|tool| Ok((tool, tools::ensure(tool)?)))
        .into_iter()
        .collect()
}

/// Where generated inputs begin, so that a change is judged by the same ones as the last. Whoever
/// looks for new ones sets the variable to another number.
const SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "20261121");

/// How many tests run at once for each processor: stories wait more than they compute.
const TESTS_PER_PROCESSOR: usize = 2;

/// Runs all tests, which find the tools in the environment.
fn test(tools: &[(Tool, PathBuf)]) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism()?.get();
    let threads = (TESTS_PER_PROCESSOR * processors).to_string();
    let defaults = [SEED, ("RUST_TEST_THREADS", threads.as_str())];
    suite::run(|| {
        let mut command = cargo(["test", "--workspace", "--no-fail-fast"]);
        let unset = |(name, _): &(&str, &str)| std::env::var_os(name).is_none();
        command.envs(defaults.into_iter().filter(unset));
        command.envs(tools.iter().map(|(tool, path)| (tool.variable(), path)));
        command
    })
}

/// The cargo that runs this program.
fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
