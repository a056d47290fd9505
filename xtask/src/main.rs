//! Development tasks: generated files, the tools that tests run, and the one test command.

mod bench;
mod codegen;
mod dashboards;
mod dependencies;
mod licence;
mod links;
mod seams;
mod stage;
mod suite;
mod test;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use tools::Tool;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development tasks of Argosy")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the files that are generated from the code.
    Codegen {
        /// Writes nothing and fails when a file is stale.
        #[arg(long)]
        check: bool,
    },
    /// Builds the programs that tests run, once, and prints their paths.
    Tools {
        /// Only these; all that tests need when none is named.
        #[arg(value_enum)]
        tools: Vec<Tool>,
    },
    /// Builds the worker that renders charts and kustomizations, and prints its path: a hub takes the
    /// one that is on its `PATH`.
    Worker,
    /// Measures the hub: `bench sync [--sim] [--applications N] [--clusters N]`, `bench appset [--sets N]`,
    /// `bench compare [--clusters N] [--objects N]`, `bench render [--applications N] [--commits N]`,
    /// `bench metrics [--applications N]`.
    Bench {
        /// How the hub is built: `release` takes minutes, `dist`, which is what is published, far longer.
        #[arg(long, default_value = "release", value_parser = ["release", "dist"])]
        profile: String,
        /// The benchmark and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Checks everything: format, lints, generated files, tests, documentation, dependencies.
    Test {
        /// Only these stages; all when none is named.
        stages: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Codegen { check } => codegen::run(check)?,
        Task::Tools { tools } => tools::print(&tools)?,
        Task::Worker => tools::print(&[Tool::Worker])?,
        Task::Bench { profile, arguments } => bench::run(&profile, &arguments)?,
        Task::Test { stages } => return Ok(test::run(stages)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the workspace's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
