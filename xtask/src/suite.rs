//! Runs the tests of the workspace, and the few that failed once more, alone.
//!
//! A story waits for what it asserts, and on a busy machine that can still take longer than it
//! allows. A test that fails among all others and passes alone is told, and does not stop the gate;
//! what fails alone, too, or fails in numbers, does, and so does a program that crashes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::stage::say;

/// So many tests get a second run; more of them are no chance.
const SECOND_RUNS: usize = 2;

/// Runs the tests that `command` begins to run.
pub(crate) fn run(command: impl Fn() -> Command) -> anyhow::Result<()> {
    let first = attempt(&mut command())?;
    if first.is_success {
        return Ok(());
    }
    if first.failed.is_empty() || first.failed.len() > SECOND_RUNS || first.has_crashed() {
        bail!("the tests failed: {}", first.failed.join(", "));
    }
    say(&format!(
        "\n=== once more, alone: {}",
        first.failed.join(", ")
    ));
    let mut alone = command();
    alone.args(["--", "--exact", "--test-threads", "1"]);
    if !attempt(alone.args(&first.failed))?.is_success {
        bail!("these tests fail alone, too: {}", first.failed.join(", "));
    }
    say(&format!(
        "RACES, and has to be mended: {} failed among all tests and passed alone",
        first.failed.join(", ")
    ));
    Ok(())
}

/// What a run of the tests came to.
#[derive(Default)]
struct Attempt {
    is_success: bool,
    /// The names of the tests that failed.
    failed: Vec<String>,
    /// How many programs began to run tests, and how many came to a result.
    begun: usize,
    ended: usize,
}

impl Attempt {
    fn has_crashed(&self) -> bool {
        self.begun != self.ended
    }

    fn read(&mut self, line: &str) {
        if line.starts_with("running ") {
            self.begun += 1;
        } else if line.starts_with("test result: ") {
            self.ended += 1;
        } else if let Some(test) = line
            .strip_prefix("test ")
            .and_then(|line| line.strip_suffix(" ... FAILED"))
        {
            let name = test.strip_suffix(" - should panic").unwrap_or(test);
            self.failed.push(name.to_owned());
        }
    }
}

/// Runs the command and passes on what it prints.
fn attempt(command: &mut Command) -> anyhow::Result<Attempt> {
    let mut child = command
        .current_dir(crate::root())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("the tests have no output")?;
    let mut attempt = Attempt::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        attempt.read(&line);
        // Whoever read may be gone; the tests go on.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    attempt.is_success = child.wait()?.success();
    Ok(attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Attempt {
        let mut attempt = Attempt::default();
        text.lines().for_each(|line| attempt.read(line));
        attempt
    }

    #[test]
    fn failed_tests_are_known_by_name_and_a_crash_is_none_of_them() {
        let one = read(
            "running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed\n",
        );
        assert_eq!(one.failed, ["a::c"]);
        assert!(!one.has_crashed());
        let crash = read("running 2 tests\ntest a::c ... FAILED\n");
        assert!(crash.has_crashed());
    }
}
