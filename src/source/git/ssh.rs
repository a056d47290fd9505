//! How ssh is run for one remote: with the key, the known hosts and the words of this registration,
//! and nothing that the machine or its user has set up.
//!
//! All of it lies in a private directory that is removed with the [`Ssh`]. What ssh and the far side
//! say goes to a file there and not to the hub's own output, so that an error can tell it.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

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
    /// Writes down what `repository` is reached with.
    pub(super) fn prepare(repository: &Repository) -> Result<Self, SourceError> {
        let refuse = |error: std::io::Error| SourceError::Credentials {
            url: repository.url.clone(),
            why: format!("cannot write a private file: {error}"),
        };
        let folder = tempfile::Builder::new()
            .prefix("argosy-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(refuse)?;
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
