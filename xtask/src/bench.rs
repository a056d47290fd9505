//! Benchmarks: builds the hub and the driver optimised, and runs the driver. `plan` needs neither:
//! it measures the engine alone.

use std::ffi::OsString;
use std::process::Command;

use crate::stage::succeed;
use crate::tools::{self, Tool};

/// Runs the driver with these arguments, such as `sync --applications 100` or `appset`, or measures
/// planning with `plan`; all that is measured is built with that profile of cargo's.
pub(crate) fn run(profile: &str, arguments: &[String]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    if arguments.first().is_some_and(|first| first == "plan") {
        let example = ["run", "--profile", profile, "--package=argosy-engine"];
        return succeed(
            Command::new(&cargo)
                .args(example)
                .arg("--example=plan_numbers"),
        );
    }
    let build = [
        "build",
        "--profile",
        profile,
        "--package=argosy",
        "--package=argosy-bench",
    ];
    succeed(Command::new(&cargo).args(build))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let programs = crate::root().join(target).join(profile);
    let mut driver = Command::new(programs.join("argosy-bench"));
    let is_simulated = arguments.iter().any(|argument| argument == "--sim");
    if arguments.first().is_some_and(|name| name == "sync") && !is_simulated {
        tools::ensure_programs()?;
        let tool = Tool::ControlPlane;
        driver.env(tool.variable(), tools::ensure(tool)?);
    }
    if arguments.first().is_some_and(|name| name == "render") {
        for tool in [Tool::Worker, Tool::Engines] {
            driver.env(tool.variable(), tools::ensure(tool)?);
        }
    }
    driver.arg("--argosy").arg(programs.join("argosy"));
    succeed(driver.args(arguments))
}
