//! How ssh is run for one remote: with the key, the known hosts and the words of this registration,
//! and nothing that the machine or its user has set up.
//!
//! All of it lies in a private directory that is removed with the [`Ssh`], or at the next start where
//! the process was killed. What ssh and the far side
//! say goes to a file there and not to the hub's own output, so that an error can tell it; that file
//! is bounded, and so is the time of a conversation.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::mirrors::Lease;
use crate::source::{Credentials, Repository, SourceError};

/// How much of what was said an error tells, in bytes.
pub(super) const TOLD: u64 = 2048;

/// How large the file may become of what is said, in blocks of the shell's `ulimit`, which are half a
/// kilobyte or a whole one. Nothing else is written to files.
const SAID: u32 = 128;

/// What one remote is reached with over ssh.
pub(super) struct Ssh {
    /// What the program gets before it is told whom to connect to.
    options: Vec<String>,
    said: PathBuf,
    /// The file with the process id of the ssh that runs.
    running: PathBuf,
    // Holds the key and known hosts for as long as a connection may be made.
    _folder: tempfile::TempDir,
}

impl Ssh {
    /// Writes down what `repository` is reached with, in a folder of the mirror's.
    pub(super) fn prepare(repository: &Repository, lease: &Lease) -> Result<Self, SourceError> {
        let unusable = |why: String| SourceError::Credentials {
            url: repository.url.clone(),
            why,
        };
        if repository.proxy.is_some() {
            let why = "`proxy` is not taken for ssh, and nothing is asked past it; register the https \
                       URL, or leave it out";
            return Err(unusable(why.to_owned()));
        }
        let refuse =
            |error: std::io::Error| unusable(format!("cannot write a private file: {error}"));
        let folder = lease.connection().map_err(refuse)?;
        let place = |name: &str| folder.path().join(name);
        write_private(&place("known_hosts"), &repository.known_hosts).map_err(refuse)?;
        write_private(&place("said"), "").map_err(refuse)?;
        let key = match &repository.credentials {
            Credentials::SshKey(key) => {
                // OpenSSH refuses a key without a final newline, which editors and YAML often drop.
                let text = format!("{}\n", key.expose().trim_end());
                write_private(&place("key"), &text).map_err(refuse)?;
                Some(place("key"))
            }
            _ => None,
        };
        Ok(Self {
            options: options(
                key.as_deref(),
                &place("known_hosts"),
                repository.tls.insecure,
            ),
            said: place("said"),
            running: place("running"),
            _folder: folder,
        })
    }

    /// Git configuration that has ssh run so: words of our own and files alone, what to connect to
    /// follows as arguments of their own.
    pub(super) fn configuration(&self) -> [String; 2] {
        let file = |path: &Path| quoted(&path.display().to_string());
        // A core would hold the key.
        let mut command = format!(
            "core.sshCommand=ulimit -c 0 && ulimit -f {SAID} && echo $$ >{} && exec ssh 2>{}",
            file(&self.running),
            file(&self.said)
        );
        for option in &self.options {
            // Writing to a text cannot fail.
            let _ = write!(command, " {}", quoted(option));
        }
        [command, "ssh.variant=ssh".to_owned()]
    }

    /// What ends the ssh that runs, now or later.
    pub(super) fn ending(&self) -> Ending {
        Ending(self.running.clone())
    }

    /// The program as it is run for git, without a shell and with nothing of the hub's environment.
    pub(super) fn program(&self) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(&self.options)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C");
        command
    }

    /// What ssh and the far side have said so far; they speak of errors alone.
    pub(super) fn said(&self) -> Option<String> {
        let mut text = Vec::new();
        let file = std::fs::File::open(&self.said).ok()?;
        file.take(TOLD).read_to_end(&mut text).ok()?;
        complaint(&text)
    }
}

/// Ends an ssh that carries a conversation, which is over with that.
pub(super) struct Ending(PathBuf);

impl Ending {
    /// Ends it, if it runs by now.
    pub(super) fn end(&self) {
        let id = std::fs::read_to_string(&self.0).unwrap_or_default();
        if let Some(id) = id.trim().parse().ok().filter(|id| *id > 1) {
            // It may have ended by itself meanwhile.
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// What ssh or the far side say, on one line; `None` if that is nothing.
pub(super) fn complaint(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(|line| line.trim_matches(['@', ' ', '\r']));
    let told: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn options(key: Option<&Path>, known_hosts: &Path, insecure: bool) -> Vec<String> {
    let mut settings = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "LogLevel=ERROR",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
        "GlobalKnownHostsFile=/dev/null",
    ]
    .map(str::to_owned)
    .to_vec();
    if key.is_none() {
        settings.push("PubkeyAuthentication=no".to_owned());
    }
    if insecure {
        settings.push("StrictHostKeyChecking=no".to_owned());
        settings.push("UserKnownHostsFile=/dev/null".to_owned());
    } else {
        settings.push("StrictHostKeyChecking=yes".to_owned());
        settings.push(format!("UserKnownHostsFile={}", known_hosts.display()));
    }
    let mut options = vec!["-F".to_owned(), "/dev/null".to_owned()];
    for setting in settings {
        options.extend(["-o".to_owned(), setting]);
    }
    if let Some(key) = key {
        options.extend(["-i".to_owned(), key.display().to_string()]);
    }
    options
}

/// A word of a shell's command line.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

    use argosy_facts::Secret;

    use super::*;
    use crate::source::git::mirrors::Mirrors;

    const URL: &str = "ssh://git@git.example.com/app.git";

    fn repository() -> Repository {
        Repository {
            credentials: Credentials::SshKey(Secret::new("canary-key")),
            known_hosts: "canary-host".into(),
            ..Repository::public(URL)
        }
    }

    fn leased(folder: &Path) -> Arc<Lease> {
        let mirrors = Mirrors::open(folder.to_owned(), u64::MAX).unwrap();
        Arc::new(mirrors).lease("x.git".to_owned())
    }

    /// GHSA-6w87-g839-9wv7: what starts ssh names files that nobody else can read, and holds nothing
    /// of what is in them or in the registration.
    #[test]
    fn no_secret_and_no_word_of_a_repository_is_in_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let lease = leased(folder.path());
        let ssh = Ssh::prepare(&repository(), &lease).unwrap();
        let words = ssh.configuration().concat();
        for text in ["canary", "git.example.com", "app.git"] {
            assert!(!words.contains(text), "{words}");
        }
        let private = ssh.said.parent().unwrap();
        assert_eq!(private.parent(), Some(folder.path()));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(private), 0o700);
        for name in ["key", "known_hosts", "said"] {
            assert!(words.contains(name), "{words}");
            assert_eq!(mode(&private.join(name)), 0o600);
        }
        let private = private.to_owned();
        drop(ssh);
        assert!(!private.exists());
    }

    #[test]
    fn a_key_that_a_killed_process_left_is_gone_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let ssh = Ssh::prepare(&repository(), &leased(folder.path())).unwrap();
        let private = ssh.said.parent().unwrap().to_owned();
        // Nothing is dropped in a process that is killed.
        std::mem::forget(ssh);
        assert!(private.join("key").is_file());
        drop(leased(folder.path()));
        assert!(!private.exists());
    }

    /// CVE-2026-55797.
    #[test]
    fn a_proxy_is_neither_run_nor_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let proxied = Repository {
            proxy: Some(Secret::new("http://ada:hunter2@proxy.example.com:3128")),
            ..repository()
        };
        let refused = Ssh::prepare(&proxied, &leased(folder.path())).err();
        let text = refused.unwrap().to_string();
        assert!(text.contains(URL) && text.contains("`proxy`"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
