//! How a mirror reaches its remote: which schemes, with what credentials, trusting whom.
//!
//! Credentials live in memory and, for ssh, in a private directory that is removed with the
//! [`Session`]. Nothing is read from the environment, from a user's git configuration or from a
//! credential helper.

use std::{
    net::ToSocketAddrs as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use argosy_engine::addresses::Addresses;
use argosy_facts::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use gix::credentials::{helper::Action, protocol::Outcome};
use gix::protocol::transport::client::blocking_io::{
    Transport,
    http::{self, reqwest as gix_reqwest},
};
use gix::remote::Direction;

use super::{
    daemon, large,
    mirrors::Lease,
    ssh::{Ending, Ssh},
    talk::{Counted, Talk},
};
use crate::http::Connection;
use crate::source::{Credentials, Repository, SourceError};

/// What git asks for first, below the URL of a repository.
const ASKED: &str = "/info/refs?service=git-upload-pack";

/// When a server gets to see the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// With each request: some servers hide what is not public behind other answers than 401. Such
    /// requests follow no redirect.
    AtOnce,
    /// When the server asks for them, which must be the one that the URL names.
    WhenAsked,
}

/// Everything needed to open connections to one remote for a short while.
pub(super) struct Session {
    url: gix::Url,
    addresses: Addresses,
    /// How long one HTTP request, or a conversation in another protocol, may take.
    limit: Duration,
    overrides: Vec<String>,
    http: Option<http::Options>,
    shown: Shown,
    /// What may be answered to a server that asks.
    account: Option<gix::sec::identity::Account>,
    ssh: Option<Ssh>,
}

impl Session {
    /// Prepares for `repository`, whose mirror is leased; `limit` bounds one HTTP request, or a
    /// conversation in git's own protocol, from its first to its last byte.
    pub(super) fn new(
        repository: &Repository,
        lease: &Lease,
        limit: Duration,
        shown: Shown,
    ) -> Result<Self, SourceError> {
        let bad_url = |why: String| SourceError::Url {
            url: repository.url.clone(),
            why,
        };
        let url = gix::url::parse(repository.url.as_str())
            .map_err(|error| bad_url(crate::diagnostic::chain(&error)))?;
        check_address(&repository.url, &url).map_err(|why| bad_url(why.to_owned()))?;
        if let Credentials::Unsupported(what) = &repository.credentials {
            return Err(SourceError::Credentials {
                url: repository.url.clone(),
                why: format!("{what} is not served; use a user and token, or an ssh key"),
            });
        }
        let mut session = Self {
            url,
            addresses: repository.addresses.clone(),
            limit,
            overrides: base_configuration(),
            http: None,
            shown,
            account: None,
            ssh: None,
        };
        match session.url.scheme {
            gix::url::Scheme::Http | gix::url::Scheme::Https => {
                session.http = Some(http_options(repository, limit, shown)?);
                session.account =
                    account(repository).filter(|_| session.url.scheme == gix::url::Scheme::Https);
            }
            gix::url::Scheme::Ssh => {
                check_host(repository, session.url.host())?;
                let ssh = Ssh::prepare(repository, lease)?;
                session.overrides.extend(ssh.configuration());
                session.ssh = Some(ssh);
            }
            gix::url::Scheme::Git | gix::url::Scheme::File => {}
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

    /// Whether there is something to answer a server that asks.
    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// What is this repository's URL now, if its server redirects to another of its own: git's library
    /// follows no redirect with a token.
    pub(super) fn moved(&self, repository: &Repository) -> Option<String> {
        let Credentials::Bearer(token) = &repository.credentials else {
            return None;
        };
        if self.url.scheme != gix::url::Scheme::Https {
            return None;
        }
        let asked = format!("{}{ASKED}", repository.url.trim_end_matches('/'));
        let connection = Connection::of(&repository.terms(self.limit)).ok()?;
        let authorization = format!("Bearer {}", token.expose());
        let found = connection.lands_at(&asked, &authorization).ok()?;
        let is_at_home =
            url::Url::parse(&asked).is_ok_and(|asked| asked.origin() == found.origin());
        let found = found.as_str().strip_suffix(ASKED)?;
        (is_at_home && found != repository.url).then(|| found.to_owned())
    }

    /// Connects to the remote and tells the connection, before its handshake, who we are and whom to
    /// trust. What the server says counts as `talk`, but over ssh.
    pub(super) fn connect<'remote, 'repo>(
        &self,
        remote: &'remote gix::Remote<'repo>,
        talk: &Talk,
    ) -> gix::Result<gix::remote::Connection<'remote, 'static, 'repo, Box<dyn Transport + Send>>>
    {
        let mut connection = match self.transport(remote, talk)? {
            Some(transport) => remote.to_connection_with_transport(transport),
            None => remote.connect(Direction::Fetch)?,
        };
        let host = self.url.clone();
        let account = self.account.clone();
        let account = account.filter(|_| self.shown == Shown::WhenAsked);
        connection.set_credentials(move |action| Ok(answer(action, account.as_ref(), &host)));
        if let Some(options) = &self.http {
            connection.set_transport_options(Box::new(options.clone()));
        }
        Ok(connection)
    }

    /// What carries the conversation; `None` where git's library has what is needed.
    fn transport(
        &self,
        remote: &gix::Remote<'_>,
        talk: &Talk,
    ) -> gix::Result<Option<Box<dyn Transport + Send>>> {
        let (url, version) = remote.sanitized_url_and_version(Direction::Fetch)?;
        Ok(match url.scheme {
            gix::url::Scheme::Git => {
                let daemon = daemon::connect(&url, &self.addresses, self.limit, talk);
                let daemon = daemon.map_err(|error| gix::Error::from_error(error))?;
                Some(Box::new(daemon))
            }
            gix::url::Scheme::Http | gix::url::Scheme::Https => {
                let http = Counted::new(talk);
                Some(Box::new(http::Transport::new_http(
                    http, url, version, false,
                )))
            }
            _ => None,
        })
    }

    /// Where the remote says that its large files are; `None` if it is not reached over ssh.
    pub(super) fn large_files(&self) -> Option<Result<Secret, large::Failure>> {
        let ssh = self.ssh.as_ref()?;
        Some(large::ask(ssh, &self.url, self.limit))
    }

    /// What ends the program that carries the conversation, if one does.
    pub(super) fn ending(&self) -> Option<Ending> {
        Some(self.ssh.as_ref()?.ending())
    }

    /// What the program that carried the conversation has said of errors.
    pub(super) fn said(&self) -> Option<String> {
        self.ssh.as_ref()?.said()
    }
}

/// Refuses what a program that gets it would take for an option, and what would begin a line or a
/// header of its own in a conversation.
fn check_address(text: &str, url: &gix::Url) -> Result<(), &'static str> {
    let is_escaped = |escape: &[u8]| escape[0] == b'%' && matches!(escape[1], b'0' | b'1');
    if text.chars().any(char::is_control) || text.as_bytes().windows(2).any(is_escaped) {
        return Err("it holds a line break or another control character");
    }
    let scheme = text.split(':').next().unwrap_or_default().trim();
    if ["javascript", "data", "vbscript"]
        .iter()
        .any(|one| scheme.eq_ignore_ascii_case(one))
    {
        return Err("it is a script, and no address");
    }
    let is_option = |part: Option<&str>| part.is_some_and(|part| part.starts_with('-'));
    if text.starts_with('-') || is_option(url.host()) || is_option(url.user()) {
        return Err("it, its host or its user starts with a dash");
    }
    Ok(())
}

/// Refuses a host with an address that no source may have, where ssh connects, which resolves the name
/// once more by itself: a name whose addresses change between the two is not caught.
fn check_host(repository: &Repository, host: Option<&str>) -> Result<(), SourceError> {
    let unreachable = |why: String| SourceError::Remote {
        url: repository.url.clone(),
        action: "reach",
        why,
    };
    let host = host.unwrap_or_default().trim_matches(['[', ']']);
    let found = (host, 0).to_socket_addrs();
    let found = found.map_err(|error| unreachable(format!("cannot resolve {host}: {error}")))?;
    for address in found {
        let checked = repository.addresses.check(address.ip());
        checked.map_err(|refused| unreachable(refused.to_string()))?;
    }
    Ok(())
}

/// Answers a server that asks who we are, if it is the one that we came to.
fn answer(
    action: Action,
    account: Option<&gix::sec::identity::Account>,
    host: &gix::Url,
) -> Option<Outcome> {
    let Action::Get(context) = action else {
        return None;
    };
    let asks = gix::url::parse(context.url.as_ref()?).ok()?;
    let is_the_same = asks.scheme == host.scheme
        && asks.host() == host.host()
        && asks.port_or_default() == host.port_or_default();
    let identity = account.filter(|_| is_the_same)?.clone();
    Some(Outcome {
        identity,
        next: context.into(),
    })
}

/// User and password as git's library takes them.
fn account(repository: &Repository) -> Option<gix::sec::identity::Account> {
    let Credentials::Basic { username, password } = &repository.credentials else {
        return None;
    };
    Some(gix::sec::identity::Account {
        username: username.clone(),
        password: password.expose().to_owned(),
        oauth_refresh_token: None,
    })
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

fn http_options(
    repository: &Repository,
    limit: Duration,
    shown: Shown,
) -> Result<http::Options, SourceError> {
    let mut extra_headers = Vec::new();
    match &repository.credentials {
        Credentials::Basic { .. } if shown == Shown::WhenAsked => {}
        Credentials::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
            extra_headers.push(format!("Authorization: Basic {pair}"));
        }
        Credentials::Bearer(token) => {
            extra_headers.push(format!("Authorization: Bearer {}", token.expose()));
        }
        // An App has become a token by now.
        Credentials::None
        | Credentials::SshKey(_)
        | Credentials::GitHubApp(_)
        | Credentials::Unsupported(_)
        | Credentials::Unreadable(_) => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let url = gix::url::parse(text).map_err(|error| error.to_string())?;
        check_address(text, &url).map_err(str::to_owned)
    }

    /// CVE-2020-5260, CVE-2025-21613, CVE-2025-47933, CVE-2026-113708, RUSTSEC-2023-0064,
    /// CVE-2024-32884 and their like.
    #[test]
    fn addresses_that_would_be_options_or_lines_are_refused() {
        for bad in [
            "https://git.example.com/a%0ahost=other",
            "https://git.example.com/a\nhost=other",
            "https://git.example.com/a\0b",
            "ssh://-oProxyCommand=x/y",
            "ssh://-x@host/y",
            "-upload-pack=x",
            "-host:path",
            "javascript:alert(1)",
            "JavaScript://git.example.com/%61lert(1)",
            "data:text/html,x",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in [
            "https://git.example.com/a%20b-c",
            "git@host:org/repo.git",
            "ssh://git@host:22/-/repo",
            "file:///srv/a-b",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }
}
