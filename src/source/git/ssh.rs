//! How ssh is run for one remote: with the key, the known hosts and the words of this registration,
//! and nothing that the machine or its user has set up.
//!
//! All of it lies in a private directory that is removed with the [`Ssh`], or at the next start where
//! the process was killed. What ssh and the far side
//! say goes to a file there and not to the hub's own output, so that an error can tell it.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::mirrors::Lease;
use crate::source::{Credentials, Repository, SourceError};

/// How much of what was said an error tells, in bytes.
const TOLD: u64 = 2048;

/// What one remote is reached with over ssh.
pub(super) struct Ssh {
    command: String,
    said: PathBuf,
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
            command: command(
                key.as_deref(),
                &place("known_hosts"),
                &place("said"),
                repository.tls.insecure,
            ),
            said: place("said"),
            _folder: folder,
        })
    }

    /// Git configuration that has ssh run so.
    pub(super) fn configuration(&self) -> [String; 2] {
        let command = format!("core.sshCommand={}", self.command);
        [command, "ssh.variant=ssh".to_owned()]
    }

    /// What ssh and the far side have said so far; they speak of errors alone.
    pub(super) fn said(&self) -> Option<String> {
        let mut text = Vec::new();
        let file = std::fs::File::open(&self.said).ok()?;
        file.take(TOLD).read_to_end(&mut text).ok()?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().map(|line| line.trim_matches(['@', ' ', '\r']));
        let told: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// A command line of our own words and files alone: what to connect to follows as arguments of
/// their own.
fn command(key: Option<&Path>, known_hosts: &Path, said: &Path, insecure: bool) -> String {
    let mut command = format!(
        "exec ssh 2>{} -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
         -o LogLevel=ERROR -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 \
         -o GlobalKnownHostsFile=/dev/null",
        quoted(said)
    );
    // Writing to a text cannot fail.
    let _ = match key {
        Some(key) => write!(command, " -i {}", quoted(key)),
        None => write!(command, " -o PubkeyAuthentication=no"),
    };
    let _ = if insecure {
        write!(
            command,
            " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        )
    } else {
        write!(
            command,
            " -o StrictHostKeyChecking=yes -o UserKnownHostsFile={}",
            quoted(known_hosts)
        )
    };
    command
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
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
