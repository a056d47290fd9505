//! Workers that link the libraries of Helm and Kustomize and stay: a render costs no start-up.
//!
//! A worker does one job at a time, which brings its files with it, with a clean environment, and
//! confines itself to an empty folder of its own before the first. One that reaches a limit is killed
//! with all that it started, and another takes its place.

mod pipes;

use std::{
    collections::BTreeMap,
    io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    engine::{Done, Job},
    group::Group,
    program::{Limits, Slots},
    selection::place,
};
use pipes::{Pipes, Silence};

/// How many jobs a worker does: the libraries keep a little of each.
const JOBS: u32 = 5_000;

/// The share of its memory that a worker may still hold when it waits for its next job.
const IDLE_SHARE: u64 = 4;

/// Where a worker sees a job's files, in its memory.
const ROOT: &str = "/argosy-render";

/// The workers of one program.
pub(super) struct Pool {
    path: PathBuf,
    /// Folders with programs that they may run.
    programs: Vec<PathBuf>,
    limits: Limits,
    /// How many jobs a worker does.
    jobs: u32,
    slots: Slots,
    idle: Mutex<Vec<Worker>>,
}

/// What a worker reads before the contents of a job's files.
#[derive(Serialize)]
struct Header<'a> {
    tool: &'a str,
    commands: &'a [Vec<String>],
    folder: String,
    files: Vec<File>,
    folders: Vec<String>,
    links: BTreeMap<String, String>,
    wanted: Option<String>,
}

#[derive(Serialize)]
struct File {
    path: String,
    size: usize,
}

/// What a worker writes before the parts of its answer: their lengths.
#[derive(Deserialize)]
struct Lengths {
    output: usize,
    wanted: usize,
    error: usize,
}

/// The longest line with lengths.
const LINE: usize = 1024;

/// What a worker answers.
struct Answer {
    output: String,
    wanted: String,
    error: String,
}

impl Answer {
    /// An answer in what has come of it; `None` if that is not all.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.iter().take(LINE).position(|byte| *byte == b'\n') else {
            return match bytes.len() {
                ..LINE => Ok(None),
                _ => Err(io::ErrorKind::InvalidData.into()),
            };
        };
        let (line, mut rest) = (&bytes[..end], &bytes[end + 1..]);
        let Lengths {
            output,
            wanted,
            error,
        } = serde_json::from_slice(line)?;
        let mut part = |length| {
            let part = rest.split_off(..length)?;
            Some(str::from_utf8(part).map_or_else(
                |_| String::from_utf8_lossy(part).into_owned(),
                str::to_owned,
            ))
        };
        let (output, wanted, error) = (part(output), part(wanted), part(error));
        Ok(output
            .zip(wanted)
            .zip(error)
            .map(|((output, wanted), error)| Self {
                output,
                wanted,
                error,
            }))
    }
}

impl Pool {
    /// A pool without any worker yet; workers may run what lies in `programs`.
    pub(super) fn new(path: PathBuf, programs: Vec<PathBuf>, slots: &Slots) -> Self {
        Self {
            path,
            programs,
            limits: Limits::default(),
            jobs: JOBS,
            slots: slots.clone(),
            idle: Mutex::default(),
        }
    }

    /// Has a worker run the commands of `tool`; the error is what it complains about.
    pub(super) fn run(&self, tool: &str, job: &Job<'_>) -> Result<Done, String> {
        let header = header(tool, job).map_err(|error| error.to_string())?;
        let contents = job.selection.files().map(|(_, content)| content);
        let question: Vec<_> = std::iter::once(header.as_slice()).chain(contents).collect();
        let answer = self.slots.with(|| self.answer(tool, job, &question))?;
        if answer.error.is_empty() {
            return Ok(Done {
                output: answer.output,
                wanted: answer.wanted,
            });
        }
        Err(job
            .selection
            .named(answer.error.trim(), ROOT, job.directory))
    }

    fn answer(&self, tool: &str, job: &Job<'_>, question: &[&[u8]]) -> Result<Answer, String> {
        loop {
            let kept = self.idle().pop();
            let fresh = kept.is_none();
            let mut worker = match kept {
                Some(worker) => worker,
                None => self
                    .start()
                    .map_err(|error| format!("cannot start {}: {error}", self.path.display()))?,
            };
            match worker.ask(question, self.limits) {
                Ok(answer) => {
                    if !job.leaves_traces && worker.jobs < self.jobs && worker.is_small(self.limits)
                    {
                        self.idle().push(worker);
                    }
                    return Ok(answer);
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
            .prefix("argosy-render-")
            .tempdir()?;
        let mut group = Group(
            Command::new(&self.path)
                .arg(home.path())
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
            pipes: Pipes::new(input, output)?,
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

/// The line of JSON that tells a worker of a job and of the contents that follow.
fn header(tool: &str, job: &Job<'_>) -> serde_json::Result<Vec<u8>> {
    let at = |place: String| format!("{ROOT}/{place}");
    let file = |(path, content): (String, &[u8])| File {
        path: at(path),
        size: content.len(),
    };
    let links = job.selection.links();
    let header = Header {
        tool,
        commands: job.commands,
        folder: at(place(job.directory)),
        files: job.selection.files().map(file).collect(),
        folders: job.selection.folders().map(at).collect(),
        links: links.map(|(path, target)| (at(path), at(target))).collect(),
        wanted: job.wanted.map(|path| at(place(path))),
    };
    let mut line = serde_json::to_vec(&header)?;
    line.push(b'\n');
    Ok(line)
}

/// One running worker.
struct Worker {
    pipes: Pipes,
    group: Group,
    jobs: u32,
    /// Removed after the worker has been killed, because fields are dropped in their order.
    _home: tempfile::TempDir,
}

impl Worker {
    fn ask(&mut self, question: &[&[u8]], limits: Limits) -> Result<Answer, Silence> {
        self.jobs += 1;
        self.pipes
            .exchange(question, Answer::read, &self.group, limits)
    }

    fn is_small(&self, limits: Limits) -> bool {
        let small = |bytes| bytes < limits.memory / IDLE_SHARE;
        self.group.memory().is_none_or(small)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

    use super::*;
    use crate::{path::TreePath, tool::selection::Selection};

    /// A pool of workers that are shell scripts; each job runs `job` with the question in `$line`.
    fn pool(folder: &Path, job: &str, limits: Limits) -> Pool {
        let path = folder.join("worker");
        let script = format!("#!/bin/sh\nwhile read -r line; do\n{job}\ndone\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Pool {
            limits,
            ..Pool::new(path, Vec::new(), &Slots::one_a_core())
        }
    }

    /// A command that answers with this text in one of the parts.
    fn says(part: &str, text: &str) -> String {
        let length = |of| if of == part { "${#said}" } else { "0" };
        format!(
            r#"said="{text}"; echo "{{\"output\": {}, \"wanted\": {}, \"error\": {}}}"; printf %s "$said""#,
            length("output"),
            length("wanted"),
            length("error"),
        )
    }

    fn run(pool: &Pool, leaves_traces: bool) -> Result<String, String> {
        let job = Job {
            selection: &Selection::default(),
            directory: &TreePath::root(),
            commands: &[],
            wanted: None,
            leaves_traces,
        };
        pool.run("helm", &job).map(|done| done.output)
    }

    #[test]
    fn a_worker_stays_until_a_job_leaves_traces_or_it_has_done_enough() {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool {
            jobs: 20,
            ..pool(folder.path(), &says("output", "$$"), Limits::default())
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
            (&says("error", "Error: no"), "Error: no"),
        ] {
            // The first job of a folder is the bad one, all others are good.
            let marker = folder.path().join(text);
            let script = format!(
                "if mkdir '{}' 2>/dev/null; then {job}; else {}; fi",
                marker.display(),
                says("output", "good")
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
            &format!("{}; exit 0", says("output", "good")),
            Limits::default(),
        );
        for _ in 0..3 {
            assert_eq!(run(&pool, false).unwrap(), "good");
        }
    }
}
