//! Runs the stages of a check one after the other and says how each went and how long it took.

use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::bail;

/// Tells the person who watches what happens.
pub(crate) fn say(text: &str) {
    // Nobody can be told that telling failed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The stages to run, and what became of them so far.
pub(crate) struct Stages {
    only: Vec<String>,
    done: Vec<(&'static str, bool, Duration)>,
}

impl Stages {
    /// Only stages of these names will run; all when there is none.
    pub(crate) fn new(only: Vec<String>) -> Self {
        Self {
            only,
            done: Vec::new(),
        }
    }

    /// Runs one stage and prints its name, result and time.
    pub(crate) fn run(&mut self, name: &'static str, stage: impl FnOnce() -> anyhow::Result<()>) {
        if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
            return;
        }
        say(&format!("\n=== {name}"));
        let since = Instant::now();
        let result = stage();
        let took = since.elapsed();
        if let Err(error) = &result {
            say(&format!("{error:#}"));
        }
        say(&format!(
            "=== {name}: {} in {:.1} s",
            word(result.is_ok()),
            took.as_secs_f64()
        ));
        self.done.push((name, result.is_ok(), took));
    }

    /// Prints all stages once more and returns the exit code.
    pub(crate) fn finish(&self) -> ExitCode {
        if self.done.is_empty() {
            say(&format!("no stage is called {}", self.only.join(" or ")));
            return ExitCode::FAILURE;
        }
        let total: Duration = self.done.iter().map(|(_, _, took)| *took).sum();
        say("");
        for (name, ok, took) in &self.done {
            say(&format!(
                "{name:<12} {:<6} {:>7.1} s",
                word(*ok),
                took.as_secs_f64()
            ));
        }
        let ok = self.done.iter().all(|(_, ok, _)| *ok);
        say(&format!(
            "{:<12} {:<6} {:>7.1} s",
            "all",
            word(ok),
            total.as_secs_f64()
        ));
        if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "FAILED" }
}

/// Runs a command in the workspace's root and fails when it does.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.current_dir(crate::root()).status()?;
    if !status.success() {
        bail!("{command:?} failed with {status}");
    }
    Ok(())
}
