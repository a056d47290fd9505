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

/// What became of the stages so far.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<(&'static str, bool, Duration)>,
}

impl Stages {
    /// Runs one stage and prints its name, result and time. Returns what the stage returned.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
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
        result.ok()
    }

    /// Prints all stages once more and returns the exit code.
    pub(crate) fn finish(&self) -> ExitCode {
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
