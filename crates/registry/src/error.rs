//! What can go wrong between a URL and what lies behind it.

use http::StatusCode;

/// Why a repository or registry did not give what was asked for. No text holds a credential: URLs
/// are shown without user, password and query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URL is not one that can be asked.
    #[error("cannot use {url:?}: {why}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// There was no answer, or it broke off.
    #[error("cannot reach {url}: {why}")]
    Transport {
        /// What was asked for.
        url: String,
        /// The chain of causes.
        why: String,
    },
    /// The credentials are refused, or there are none.
    #[error("{url}: authentication failed ({why})")]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// What the remote said.
        why: String,
    },
    /// There is no such thing.
    #[error("{url}: not found")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// Any other answer than the expected one.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer's status.
        status: StatusCode,
    },
    /// The answer is larger than allowed.
    #[error("{url} is larger than the allowed {} MB", limit / 1024 / 1024)]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The answer is not of the form that it should have.
    #[error("{url}: {why}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The content is not the one that was promised.
    #[error("{url} has the digest {actual} where {expected} is promised")]
    Digest {
        /// What was asked for.
        url: String,
        /// The promised digest.
        expected: String,
        /// The digest of what came.
        actual: String,
    },
}
