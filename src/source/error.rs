//! What can go wrong between a repository's URL and a tree, as told to users.
//!
//! An error names the repository and the revision, prints its whole chain of causes (the reason
//! for a failed TLS handshake lies two levels down), and never holds a credential.

use std::time::Duration;

use super::{Repository, SecretError};

/// What a queue should do about an error; a property of the error, not of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help until the input changes.
    Never,
    /// Try again with growing delays.
    Backoff,
    /// Try again after this long.
    After(Duration),
}

/// How long to wait before asking again for something that only a person can repair.
const UNTIL_SOMEONE_ACTS: Duration = Duration::from_mins(3);

/// Why a source could not be read. Cheap to clone, because one failed request answers everybody
/// who waited for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The URL is of a form that no transport serves.
    #[error("cannot use {url:?} as a git repository: {why}")]
    Url {
        /// The URL, without credentials.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No ref, tag or commit answers to the revision.
    #[error("unable to resolve '{revision}' to a commit SHA in {url}{hint}")]
    Revision {
        /// The repository.
        url: String,
        /// The revision as it stands in the source.
        revision: String,
        /// What comes close, or why nothing does; starts with its own separator, or is empty.
        hint: String,
    },
    /// The remote refused who we are, or we have nothing to show.
    #[error(
        "{url}: authentication failed ({why}); check the credentials in the repository or \
         repo-creds Secret"
    )]
    Authentication {
        /// The repository.
        url: String,
        /// What the remote said.
        why: String,
    },
    /// Nobody whom we trust vouches for the server.
    #[error("{url}: the server is not trusted ({why}); {fix}")]
    Untrusted {
        /// The repository.
        url: String,
        /// What is wrong with its certificate or key.
        why: String,
        /// Where trust is told.
        fix: &'static str,
    },
    /// The remote says that there is no such repository.
    #[error("{url}: repository not found ({why}); check the URL, or whether it needs credentials")]
    NotFound {
        /// The repository.
        url: String,
        /// What the remote said.
        why: String,
    },
    /// The remote could not be reached, or the conversation broke off.
    #[error("cannot {action} {url}: {why}")]
    Remote {
        /// The repository.
        url: String,
        /// What was being done: `list refs of`, `fetch from`.
        action: &'static str,
        /// The chain of causes.
        why: String,
    },
    /// The remote took longer than allowed.
    #[error("cannot {action} {url}: no answer within {seconds} s")]
    Timeout {
        /// The repository.
        url: String,
        /// What was being done.
        action: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The local mirror is damaged or the disk failed.
    #[error("the local mirror of {url} failed: {why}")]
    Mirror {
        /// The repository.
        url: String,
        /// The chain of causes.
        why: String,
    },
    /// The mirrors on disk hold as much as they may.
    #[error(
        "cannot fetch from {url}: the mirrors of git repositories hold {} MiB of the {} MiB that \
         they may have, and applications follow all of them; give the hub a larger --git-quota and \
         its data directory as much room",
        bytes >> 20,
        quota >> 20
    )]
    Quota {
        /// The repository.
        url: String,
        /// How many bytes the mirrors hold.
        bytes: u64,
        /// How many they may.
        quota: u64,
    },
    /// What came is not what it should be: too large, damaged, or of another form.
    #[error("cannot use {url}: {why}")]
    Content {
        /// The repository.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No version of a chart or artifact answers to the revision.
    #[error("unable to resolve '{revision}' to a version of {package} in {url}{hint}")]
    Version {
        /// The repository.
        url: String,
        /// The chart or artifact.
        package: String,
        /// The revision as it stands in the source.
        revision: String,
        /// What there is instead; starts with its own separator, or is empty.
        hint: String,
    },
    /// A version was published anew with other content.
    #[error(
        "{package} {revision} of {url} was published anew with other content (DigestChanged): it was \
         {known} and is {now}; publish it under a new version, or accept it with a hard refresh"
    )]
    DigestChanged {
        /// The repository.
        url: String,
        /// The chart or artifact.
        package: String,
        /// Its version.
        revision: String,
        /// The digest that is known.
        known: String,
        /// The digest that the repository gives now.
        now: String,
    },
    /// A commit is not signed as the project wants it.
    #[error("{url}: {why}")]
    Integrity {
        /// The repository.
        url: String,
        /// What is wrong with the signature.
        why: String,
    },
    /// The Secret that registers the repository cannot be read.
    #[error("{url} cannot be read: {why}")]
    Registration {
        /// The repository.
        url: String,
        /// The Secret, and what is wrong with it.
        why: SecretError,
    },
    /// A credential or certificate in a Secret cannot be used.
    #[error("the credentials of {url} cannot be used: {why}")]
    Credentials {
        /// The repository.
        url: String,
        /// What is wrong, without the value.
        why: String,
    },
}

impl SourceError {
    /// What failed because nobody vouches for the server, if `why` says so.
    pub(super) fn untrusted(url: &str, why: &str) -> Option<Self> {
        let fix = if why.contains("UnknownIssuer") {
            "add the certificate of its authority to the ConfigMap argocd-tls-certs-cm under the name of its host"
        } else if why.contains("Host key verification failed") {
            "add its key to `ssh_known_hosts` of the ConfigMap argocd-ssh-known-hosts-cm, if it is its own"
        } else {
            return None;
        };
        Some(Self::Untrusted {
            url: url.to_owned(),
            why: why.to_owned(),
            fix,
        })
    }

    /// What failed at a repository that is asked over HTTP.
    pub(super) fn of_registry(repository: &Repository, error: &argosy_registry::Error) -> Self {
        Self::of_registry_text(repository, error, error.to_string())
    }

    /// As [`Self::of_registry`], told by `text`.
    pub(super) fn of_registry_text(
        repository: &Repository,
        error: &argosy_registry::Error,
        text: String,
    ) -> Self {
        use argosy_registry::Error;
        let (url, why) = (repository.url.clone(), repository.redact(text));
        match error {
            Error::Unauthorized { .. } => Self::Authentication { url, why },
            Error::NotFound { .. } => Self::NotFound { url, why },
            Error::Transport { .. } | Error::Status { .. } => Self::untrusted(&url, &why)
                .unwrap_or(Self::Remote {
                    url,
                    action: "read",
                    why,
                }),
            Error::Url { .. }
            | Error::TooLarge { .. }
            | Error::Malformed { .. }
            | Error::Digest { .. } => Self::Content { url, why },
        }
    }

    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Url { .. } | Self::Registration { .. } | Self::Credentials { .. } => Retry::Never,
            Self::Revision { .. }
            | Self::Version { .. }
            | Self::Content { .. }
            | Self::DigestChanged { .. }
            | Self::Untrusted { .. }
            | Self::Integrity { .. }
            | Self::Quota { .. }
            | Self::Authentication { .. }
            | Self::NotFound { .. } => Retry::After(UNTIL_SOMEONE_ACTS),
            Self::Remote { .. } | Self::Timeout { .. } | Self::Mirror { .. } => Retry::Backoff,
        }
    }

    /// A stable word for metric labels and conditions.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Url { .. } => "InvalidRepositoryURL",
            Self::Revision { .. } => "RevisionNotFound",
            Self::Version { .. } => "VersionNotFound",
            Self::Content { .. } => "UnusableContent",
            Self::DigestChanged { .. } => "DigestChanged",
            Self::Authentication { .. } => "AuthenticationFailed",
            Self::Untrusted { .. } => "ServerUntrusted",
            Self::Integrity { .. } => "CommitNotVerified",
            Self::NotFound { .. } => "RepositoryNotFound",
            Self::Remote { .. } => "RepositoryUnreachable",
            Self::Timeout { .. } => "RepositoryTimeout",
            Self::Mirror { .. } => "MirrorFailed",
            Self::Quota { .. } => "MirrorsFull",
            Self::Registration { .. } => "InvalidRegistration",
            Self::Credentials { .. } => "InvalidCredentials",
        }
    }
}
