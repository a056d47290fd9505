//! How a mirror reaches its remote: which schemes, with what credentials, trusting whom.
//!
//! Credentials live in memory and, for ssh, in a private directory that is removed with the
//! [`Session`]. Nothing is read from the environment, from a user's git configuration or from a
//! credential helper.

use std::{
    fmt::Write as _,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use gix::protocol::transport::client::blocking_io::http::{self, reqwest as gix_reqwest};

use crate::http::Connection;
use crate::source::{Credentials, Repository, SourceError};

/// Everything needed to open connections to one remote for a short while.
pub(super) struct Session {
    url: gix::Url,
    overrides: Vec<String>,
    http: Option<http::Options>,
    // Holds the key and known hosts for as long as a connection may be made.
    private: Option<tempfile::TempDir>,
}

impl Session {
    /// Prepares for `repository`; `limit` bounds one HTTP request from its first to its last byte.
    pub(super) fn new(repository: &Repository, limit: Duration) -> Result<Self, SourceError> {
        let bad_url = |why: String| SourceError::Url {
            url: repository.url.clone(),
            why,
        };
        let url = gix::url::parse(repository.url.as_str())
            .map_err(|error| bad_url(crate::diagnostic::chain(&error)))?;
        // A host or path that begins with a dash would be an option of the program that gets it.
        if repository.url.starts_with('-') {
            return Err(bad_url("it starts with a dash".into()));
        }
        let mut session = Self {
            url,
            overrides: base_configuration(),
            http: None,
            private: None,
        };
        match session.url.scheme {
            gix::url::Scheme::Http | gix::url::Scheme::Https => {
                session.http = Some(http_options(repository, limit)?);
            }
            gix::url::Scheme::Ssh => session.prepare_ssh(repository)?,
            gix::url::Scheme::File | gix::url::Scheme::Git => {}
            _ => return Err(bad_url("use https, http, ssh, git or file".into())),
        }
        Ok(session)
    }

    /// Git configuration that the mirror is opened with.
    pub(super) fn configuration(&self) -> &[String] {
        &self.overrides
    }

    pub(super) fn url(&self) -> gix::Url {
        self.url.clone()
    }

    /// Options to give a connection before its handshake.
    pub(super) fn http(&self) -> Option<http::Options> {
        self.http.clone()
    }

    fn prepare_ssh(&mut self, repository: &Repository) -> Result<(), SourceError> {
        let refuse = |why: String| SourceError::Credentials {
            url: repository.url.clone(),
            why,
        };
        let io = |error: std::io::Error| refuse(format!("cannot write a private file: {error}"));
        let folder = tempfile::Builder::new()
            .prefix("argosy-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(io)?;
        let known_hosts = folder.path().join("known_hosts");
        write_private(&known_hosts, &repository.known_hosts).map_err(io)?;
        let mut command = "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes \
                           -o IdentityAgent=none -o ConnectTimeout=20"
            .to_owned();
        if let Credentials::SshKey(key) = &repository.credentials {
            let file = folder.path().join("key");
            // OpenSSH refuses a key without a final newline, which editors and YAML often drop.
            write_private(&file, &format!("{}\n", key.expose().trim_end())).map_err(io)?;
            let _ = write!(command, " -i {}", file.display());
        }
        if repository.tls.insecure {
            command.push_str(" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null");
        } else {
            let _ = write!(
                command,
                " -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null \
                 -o UserKnownHostsFile={}",
                known_hosts.display()
            );
        }
        self.overrides.push(format!("core.sshCommand={command}"));
        self.overrides.push("ssh.variant=ssh".into());
        self.private = Some(folder);
        Ok(())
    }
}

/// Configuration that no repository, user or machine can change.
fn base_configuration() -> Vec<String> {
    [
        "protocol.allow=never",
        "protocol.file.allow=always",
        "protocol.git.allow=always",
        "protocol.http.allow=always",
        "protocol.https.allow=always",
        "protocol.ssh.allow=always",
        "protocol.version=2",
        "gc.auto=0",
    ]
    .map(str::to_owned)
    .into()
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

fn http_options(repository: &Repository, limit: Duration) -> Result<http::Options, SourceError> {
    let mut extra_headers = Vec::new();
    match &repository.credentials {
        Credentials::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
            extra_headers.push(format!("Authorization: Basic {pair}"));
        }
        Credentials::Bearer(token) => {
            extra_headers.push(format!("Authorization: Bearer {}", token.expose()));
        }
        Credentials::None | Credentials::SshKey(_) => {}
        Credentials::Unsupported(what) => {
            return Err(SourceError::Credentials {
                url: repository.url.clone(),
                why: format!("{what} is not served; use a user and token, or an ssh key"),
            });
        }
    }
    if extra_headers
        .iter()
        .any(|header| header.contains(['\r', '\n']))
    {
        return Err(SourceError::Credentials {
            url: repository.url.clone(),
            why: "the token holds a line break".into(),
        });
    }
    // Reading the terms once here turns a bad certificate into a clear error before any connection.
    let terms = repository.terms(limit);
    let refuse = |why: String| SourceError::Credentials {
        url: repository.url.clone(),
        why,
    };
    drop(Connection::of(&terms).map_err(refuse)?);
    let backend = gix_reqwest::Options {
        configure_client: Some(Box::new(move |builder| {
            let connection = Connection::of(&terms).map_err(std::io::Error::other);
            let connection = connection.map_err(|error| gix::Error::from_error(error))?;
            Ok(connection.blocking(builder))
        })),
        configure_request: None,
    };
    Ok(http::Options {
        extra_headers,
        backend: Some(Arc::new(Mutex::new(backend))),
        ..http::Options::default()
    })
}
