//! Running a program with nothing but its input.
//!
//! It gets a clean environment, a private folder, no input, no network, and limits on time, memory and
//! what it prints. It runs in a process group of its own, which is killed as a whole when a limit is
//! reached and when the program has ended, so that nothing it started is left behind.

use std::{
    collections::BTreeSet,
    io::Read,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use super::{family::Family, group::Group, sandbox::Sandbox, workspace::Workspace};
use crate::path::TreePath;

/// How much of what a program complains about is passed on.
const COMPLAINT_LIMIT: u64 = 64 * 1024;

/// How often a running program is looked at: a render takes tens of milliseconds.
const GLANCE: Duration = Duration::from_millis(2);

/// How often the memory of all that it started is summed up, which takes a look at every process.
const COUNT: Duration = Duration::from_millis(100);

/// How long the pipes of a killed program may stay open: the kernel closes them at once.
const FAREWELL: Duration = Duration::from_secs(10);

/// What one run of a program may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long it may run.
    pub(super) time: Duration,
    /// How many bytes it may print.
    pub(super) output: u64,
    /// How many bytes of memory it may hold.
    pub(super) memory: u64,
}

impl Default for Limits {
    /// Argo CD's 90 seconds, and more memory and output than any chart of a sane size needs.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(90),
            output: 64 * 1024 * 1024,
            memory: 2 * 1024 * 1024 * 1024,
        }
    }
}

/// A program and its limits.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// Folders with programs that it may run, and its own.
    pub(super) programs: Vec<PathBuf>,
    pub(super) limits: Limits,
    pub(super) slots: Slots,
}

/// How many programs may run at once. They are busy while they run, so that more than the machine
/// has cores would only need more memory.
#[derive(Clone, Debug)]
pub(super) struct Slots(Arc<(Mutex<usize>, Condvar)>);

impl Slots {
    /// As many as the machine has cores.
    pub(super) fn one_a_core() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new((Mutex::new(cores), Condvar::new())))
    }

    /// Waits for a slot and runs `work` in it.
    pub(super) fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        let (free, changed) = &*self.0;
        let mut left = free.lock().unwrap_or_else(PoisonError::into_inner);
        while *left == 0 {
            left = changed.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= 1;
        drop(left);
        let result = work();
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        changed.notify_one();
        result
    }
}

impl Program {
    /// A program that may run what lies in `programs`.
    pub(super) fn new(path: PathBuf, programs: &[PathBuf], slots: &Slots) -> Self {
        // Where it is found may be a link to where it is.
        let places = [path.canonicalize().ok(), Some(path.clone())];
        let folders = places.iter().flatten().filter_map(|place| place.parent());
        let folders: BTreeSet<_> = folders.map(Path::to_owned).collect();
        Self {
            path,
            programs: folders
                .into_iter()
                .chain(programs.iter().cloned())
                .collect(),
            limits: Limits::default(),
            slots: slots.clone(),
        }
    }

    /// Runs the program in a directory of the workspace and returns what it prints; the error is
    /// what it complains about.
    pub(super) fn run(
        &self,
        arguments: &[String],
        workspace: &Workspace,
        directory: &TreePath,
    ) -> Result<String, String> {
        self.slots
            .with(|| self.run_now(arguments, workspace, directory))
    }

    fn run_now(
        &self,
        arguments: &[String],
        workspace: &Workspace,
        directory: &TreePath,
    ) -> Result<String, String> {
        let mut command = bare(&self.path, &workspace.at(directory), &workspace.home());
        command.args(arguments);
        let sandbox = Sandbox {
            programs: &self.programs,
            own: workspace.folder(),
            network: false,
        };
        let child = sandbox.spawn(command);
        let child =
            child.map_err(|error| format!("cannot start {}: {error}", self.path.display()))?;
        let ended = finish(Group(child), self.limits, None)?;
        if ended.status.success() {
            Ok(ended.output)
        } else {
            Err(ended.complaints)
        }
    }
}

/// A command with nothing but its folders: no variables, no input, a process group of its own.
pub(super) fn bare(path: &Path, folder: &Path, home: &Path) -> Command {
    let mut command = Command::new(path);
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", home)
        .env("TMPDIR", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// What a program left that ended by itself.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) complaints: String,
}

/// Waits for a program within limits; the error is the limit that it reached. `family` is all that
/// it started, where that may be more than its process group.
pub(super) fn finish(
    mut group: Group,
    limits: Limits,
    family: Option<&Family<'_>>,
) -> Result<Ended, String> {
    // One byte more than allowed tells that there is more.
    let output = collect(group.0.stdout.take(), limits.output + 1);
    let complaints = collect(group.0.stderr.take(), COMPLAINT_LIMIT);
    let status = wait(&mut group, limits, family);
    // What the program started may hold the pipes open.
    drop(group);
    if let Some(family) = family {
        family.kill();
    }
    let held = |_| "left a process behind that holds its output open".to_owned();
    let output = output.recv_timeout(FAREWELL).map_err(held)?;
    if output.len() as u64 > limits.output {
        return Err(format!("printed more than {} bytes", limits.output));
    }
    let complaints = complaints.recv_timeout(FAREWELL).map_err(held)?;
    Ok(Ended {
        status: status?,
        output: String::from_utf8_lossy(&output).into_owned(),
        complaints: String::from_utf8_lossy(&complaints).trim().to_owned(),
    })
}

/// How the program ended; the error is the limit that it reached.
fn wait(
    group: &mut Group,
    limits: Limits,
    family: Option<&Family<'_>>,
) -> Result<ExitStatus, String> {
    let started = Instant::now();
    let mut counted = started;
    loop {
        let ended = group.0.try_wait().map_err(|error| error.to_string())?;
        if let Some(status) = ended {
            return Ok(status);
        }
        if let Some(limit) = exceeded(group, started, limits) {
            return Err(limit);
        }
        if let Some(family) = family
            && counted.elapsed() >= COUNT
        {
            if family.memory() > limits.memory {
                return Err(too_much_memory(limits));
            }
            counted = Instant::now();
        }
        std::thread::sleep(GLANCE);
    }
}

fn too_much_memory(limits: Limits) -> String {
    format!("needed more than {} bytes of memory", limits.memory)
}

/// The limit that a process has reached, if it has.
pub(super) fn exceeded(group: &Group, started: Instant, limits: Limits) -> Option<String> {
    if started.elapsed() >= limits.time {
        Some(format!("did not end within {:?}", limits.time))
    } else if group.memory().is_some_and(|bytes| bytes > limits.memory) {
        Some(too_much_memory(limits))
    } else {
        None
    }
}

/// Reads a pipe in the background up to `limit`, so that a full pipe never blocks the program.
fn collect(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.by_ref().take(limit).read_to_end(&mut bytes);
            if limit == COMPLAINT_LIMIT {
                let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            }
        }
        let _ = send.send(bytes);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a line of shell as if it were a tool.
    fn run(line: &str, limits: Limits) -> Result<String, String> {
        let workspace = Workspace::new().map_err(|error| error.to_string())?;
        let program = Program {
            limits,
            ..Program::new("/bin/sh".into(), &[], &Slots::one_a_core())
        };
        let arguments = ["-c".to_owned(), line.to_owned()];
        program.run(&arguments, &workspace, &TreePath::root())
    }

    #[test]
    fn output_is_returned_and_complaints_are_the_error() {
        assert_eq!(
            run("echo yes; echo no >&2", Limits::default()).unwrap(),
            "yes\n"
        );
        let error = run("echo yes; echo no >&2; exit 3", Limits::default());
        assert_eq!(error.unwrap_err(), "no");
    }

    #[test]
    fn the_environment_is_clean() {
        let printed = run("/usr/bin/env", Limits::default()).unwrap();
        let names: Vec<_> = printed
            .lines()
            .filter_map(|line| line.split('=').next())
            .collect();
        assert!(names.contains(&"HOME"), "{names:?}");
        assert!(
            names
                .iter()
                .all(|name| ["HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)),
            "{names:?}"
        );
    }

    #[test]
    fn a_program_reaches_its_own_folder_and_nothing_else() {
        let another = tempfile::NamedTempFile::new().unwrap();
        let line = format!("echo x > f; cat f; cat {}", another.path().display());
        let error = run(&line, Limits::default()).unwrap_err();
        assert!(error.contains("Permission denied"), "{error}");
        assert_eq!(run("echo x > f; cat f", Limits::default()).unwrap(), "x\n");
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let line = format!("/bin/bash -c 'echo x > /dev/tcp/127.0.0.1/{port}'");
        let error = run(&line, Limits::default()).unwrap_err();
        assert!(error.contains("Permission denied"), "{error}");
        server.set_nonblocking(true).unwrap();
        assert!(server.accept().is_err(), "the program connected");
    }

    #[test]
    fn a_program_may_be_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, found) = (folder.path().join("real"), folder.path().join("found"));
        std::fs::create_dir_all(&real).unwrap();
        std::fs::create_dir_all(&found).unwrap();
        std::fs::copy("/bin/sh", real.join("sh")).unwrap();
        std::os::unix::fs::symlink(real.join("sh"), found.join("sh")).unwrap();
        let program = Program::new(found.join("sh"), &[], &Slots::one_a_core());
        let arguments = ["-c".to_owned(), "echo yes".to_owned()];
        let workspace = Workspace::new().unwrap();
        let printed = program.run(&arguments, &workspace, &TreePath::root());
        assert_eq!(printed.unwrap(), "yes\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_with_all_it_started() {
        let limits = Limits {
            time: Duration::from_millis(300),
            ..Limits::default()
        };
        let started = Instant::now();
        let error = run("/bin/sleep 600 & /bin/sleep 600", limits).unwrap_err();
        assert!(error.contains("did not end within 300ms"), "{error}");
        assert!(started.elapsed() < Duration::from_mins(1));
    }

    #[test]
    fn what_stays_behind_holds_nothing_up() {
        let started = Instant::now();
        assert_eq!(
            run("/bin/sleep 600 & echo done", Limits::default()).unwrap(),
            "done\n"
        );
        assert!(started.elapsed() < Duration::from_mins(1));
    }

    #[test]
    fn output_is_limited() {
        let limits = Limits {
            output: 1000,
            ..Limits::default()
        };
        let error = run("while :; do echo 0123456789; done", limits).unwrap_err();
        assert_eq!(error, "printed more than 1000 bytes");
        assert_eq!(run("printf %1000s x", limits).unwrap().len(), 1000);
    }

    #[test]
    fn memory_is_limited() {
        let limits = Limits {
            memory: 64 * 1024 * 1024,
            ..Limits::default()
        };
        let error = run("x=0123456789; while :; do x=$x$x; done", limits).unwrap_err();
        assert!(error.contains("bytes of memory"), "{error}");
    }
}
