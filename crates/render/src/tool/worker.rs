//! Workers that link the libraries of Helm and Kustomize and stay: a render costs no start-up.
//!
//! A worker does one job at a time, in a folder that holds nothing but the job's files, with a clean
//! environment, and confines itself to the pool's folder before the first. One that reaches a limit is killed with all that it started, and another takes its
//! place.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    group::Group,
    program::{Job, Limits, Slots, exceeded},
};

/// How many jobs a worker does: Helm's library keeps some ten KiB of each.
const JOBS: u32 = 5_000;

/// How often a busy worker's memory is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// The share of its memory that a worker may still hold when it waits for its next job.
const IDLE_SHARE: u64 = 4;

/// The workers of one program.
pub(super) struct Pool {
    path: PathBuf,
    /// All that workers may read and write.
    folder: tempfile::TempDir,
    /// Folders with programs that they may run.
    programs: Vec<PathBuf>,
    limits: Limits,
    /// How many jobs a worker does.
    jobs: u32,
    slots: Slots,
    idle: Mutex<Vec<Worker>>,
}

#[derive(Serialize)]
struct Question<'a> {
    tool: &'a str,
    arguments: &'a [String],
    folder: &'a Path,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    output: String,
    #[serde(default)]
    error: String,
}

/// Why there is no answer.
enum Silence {
    /// The worker is gone; with a worker of its own the job may succeed.
    Gone,
    /// The job reached a limit.
    Limit(String),
}

impl Pool {
    /// A pool without any worker yet; workers may run what lies in `programs`.
    pub(super) fn new(path: PathBuf, programs: Vec<PathBuf>, slots: &Slots) -> io::Result<Self> {
        Ok(Self {
            path,
            folder: tempfile::Builder::new()
                .prefix("argosy-render-")
                .tempdir()?,
            programs,
            limits: Limits::default(),
            jobs: JOBS,
            slots: slots.clone(),
            idle: Mutex::default(),
        })
    }

    /// The folder in which jobs must lie.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has a worker run `tool` and returns what it prints; the error is what it complains about.
    pub(super) fn run(&self, tool: &str, job: &Job<'_>) -> Result<String, String> {
        self.slots.with(|| self.run_now(tool, job))
    }

    fn run_now(&self, tool: &str, job: &Job<'_>) -> Result<String, String> {
        loop {
            let kept = self.idle().pop();
            let fresh = kept.is_none();
            let mut worker = match kept {
                Some(worker) => worker,
                None => self
                    .start()
                    .map_err(|error| format!("cannot start {}: {error}", self.path.display()))?,
            };
            match worker.ask(tool, job, self.limits) {
                Ok(answer) => {
                    if !job.leaves_traces && worker.jobs < self.jobs && worker.is_small(self.limits)
                    {
                        self.idle().push(worker);
                    }
                    return if answer.error.is_empty() {
                        Ok(answer.output)
                    } else {
                        Err(answer.error.trim().to_owned())
                    };
                }
                // It may have been killed while it waited.
                Err(Silence::Gone) if !fresh => {}
                Err(Silence::Gone) => return Err(format!("the worker ended during {tool}")),
                Err(Silence::Limit(limit)) => return Err(limit),
            }
        }
    }

    fn start(&self) -> io::Result<Worker> {
        let home = tempfile::Builder::new()
            .prefix("home-")
            .tempdir_in(self.folder())?;
        let mut group = Group(
            Command::new(&self.path)
                .arg(self.folder())
                .args(&self.programs)
                .current_dir(home.path())
                .env_clear()
                .env("HOME", home.path())
                .env("TMPDIR", home.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()?,
        );
        let (Some(input), Some(output)) = (group.0.stdin.take(), group.0.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Worker {
            answers: listen(output, self.limits.output),
            input,
            group,
            jobs: 0,
            _home: home,
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        // Pushing and popping leave nothing half-done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running worker.
struct Worker {
    input: ChildStdin,
    answers: mpsc::Receiver<Result<Vec<u8>, String>>,
    group: Group,
    jobs: u32,
    /// Removed after the worker has been killed, because fields are dropped in their order.
    _home: tempfile::TempDir,
}

impl Worker {
    fn ask(&mut self, tool: &str, job: &Job<'_>, limits: Limits) -> Result<Answer, Silence> {
        self.jobs += 1;
        let question = Question {
            tool,
            arguments: job.arguments,
            folder: job.folder,
        };
        let mut line = serde_json::to_vec(&question).map_err(|_| Silence::Gone)?;
        line.push(b'\n');
        self.input.write_all(&line).map_err(|_| Silence::Gone)?;
        self.input.flush().map_err(|_| Silence::Gone)?;
        let started = Instant::now();
        loop {
            match self.answers.recv_timeout(GLANCE) {
                Ok(Ok(line)) => return serde_json::from_slice(&line).map_err(|_| Silence::Gone),
                Ok(Err(limit)) => return Err(Silence::Limit(limit)),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Silence::Gone),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Some(limit) = exceeded(&self.group, started, limits) {
                        return Err(Silence::Limit(limit));
                    }
                }
            }
        }
    }

    fn is_small(&self, limits: Limits) -> bool {
        let small = |bytes| bytes < limits.memory / IDLE_SHARE;
        self.group.memory().is_none_or(small)
    }
}

/// Reads answers in the background until the worker is gone.
fn listen(output: ChildStdout, limit: u64) -> mpsc::Receiver<Result<Vec<u8>, String>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            let read = output.by_ref().take(limit + 1).read_until(b'\n', &mut line);
            let answer = match read {
                Ok(_) if line.ends_with(b"\n") => Ok(line),
                Ok(_) if line.len() as u64 > limit => {
                    Err(format!("printed more than {limit} bytes"))
                }
                // The worker is gone, or its asker.
                _ => return,
            };
            if send.send(answer).is_err() {
                return;
            }
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// A pool of workers that are shell scripts; each job runs `job` with the question in `$line`.
    fn pool(folder: &Path, job: &str, limits: Limits) -> Pool {
        let path = folder.join("worker");
        let script = format!("#!/bin/sh\nwhile read -r line; do\n{job}\ndone\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Pool {
            limits,
            ..Pool::new(path, Vec::new(), &Slots::one_a_core()).unwrap()
        }
    }

    fn run(pool: &Pool, leaves_traces: bool) -> Result<String, String> {
        pool.run(
            "helm",
            &Job {
                arguments: &[],
                folder: Path::new("/"),
                home: Path::new("/"),
                leaves_traces,
            },
        )
    }

    #[test]
    fn a_worker_stays_until_a_job_leaves_traces_or_it_has_done_enough() {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool {
            jobs: 20,
            ..pool(
                folder.path(),
                "echo \"{\\\"output\\\": \\\"$$\\\"}\"",
                Limits::default(),
            )
        };
        let first = run(&pool, false).unwrap();
        assert_eq!(run(&pool, true).unwrap(), first);
        let second = run(&pool, false).unwrap();
        assert_ne!(second, first);
        for _ in 1..pool.jobs {
            assert_eq!(run(&pool, false).unwrap(), second);
        }
        assert_ne!(run(&pool, false).unwrap(), second);
    }

    #[test]
    fn a_worker_that_reaches_a_limit_or_ends_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            time: Duration::from_millis(300),
            output: 1000,
            memory: 64 * 1024 * 1024,
        };
        for (job, text) in [
            ("sleep 600 & sleep 600", "did not end within 300ms"),
            (
                "while :; do printf 0123456789; done",
                "printed more than 1000 bytes",
            ),
            ("exit 3", "the worker ended during helm"),
            ("echo '{\"error\": \"Error: no\"}'", "Error: no"),
        ] {
            // The first job of a folder is the bad one, all others are good.
            let marker = folder.path().join(text);
            let script = format!(
                "if mkdir '{}' 2>/dev/null; then {job}; else echo '{{\"output\": \"good\"}}'; fi",
                marker.display()
            );
            let pool = pool(folder.path(), &script, limits);
            assert_eq!(run(&pool, false).unwrap_err(), text);
            assert_eq!(run(&pool, false).unwrap(), "good");
        }
    }

    #[test]
    fn a_worker_that_died_while_it_waited_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(
            folder.path(),
            "echo '{\"output\": \"good\"}'; exit 0",
            Limits::default(),
        );
        for _ in 0..3 {
            assert_eq!(run(&pool, false).unwrap(), "good");
        }
    }
}
