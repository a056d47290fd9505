//! What can go wrong between the hub and a provider.
//!
//! The texts stand in conditions: they name the request and never hold a body, a request id, a
//! time or a credential, so that the same failure is the same text each time it happens.

use jiff::Timestamp;

/// A request that has no answer to build on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{request}: {problem}")]
pub struct Error {
    /// Method and address of the request, without its query.
    pub request: String,
    /// What is wrong.
    pub problem: Problem,
}

impl Error {
    /// When it makes sense to ask again, if the provider told.
    pub fn until(&self) -> Option<Timestamp> {
        match self.problem {
            Problem::RateLimited { until } => Some(until),
            _ => None,
        }
    }

    /// Whether the provider says that what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.problem == Problem::NotFound
    }
}

/// What is wrong with a request or its answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The generator's fields do not make a request.
    #[error("{0}")]
    Spec(String),
    /// No answer came.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// 401
    #[error(
        "the credentials are not accepted (401); check the Secret that the generator refers to"
    )]
    Unauthorized,
    /// 403 that is no rate limit.
    #[error("the credentials do not permit it (403); check what the token may read")]
    Forbidden,
    /// 404
    #[error("not found (404); check the names, and whether the token may see them")]
    NotFound,
    /// The provider wants no more requests for now.
    #[error("the rate limit is used up; the hub asks again when the provider allows it")]
    RateLimited {
        /// When the provider takes requests again.
        until: Timestamp,
    },
    /// A refusal with a name, as AWS gives it.
    #[error("refused: {0}")]
    Refused(String),
    /// Any other status.
    #[error("the answer has status {0}")]
    Status(u16),
    /// A page for people, such as a login form or a proxy's error, instead of data.
    #[error(
        "the answer is a web page instead of JSON; check the API's address and the credentials"
    )]
    WebPage,
    /// JSON that is cut off or of another shape.
    #[error("the answer cannot be read: {0}")]
    Malformed(String),
    /// A list that says of itself that something is missing.
    #[error("the list is incomplete: {0}")]
    Partial(String),
    /// A list without an end.
    #[error("the list has more than {0} pages")]
    Endless(usize),
}

/// The result of asking a provider.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure before any request could be made.
pub(crate) fn spec(what: &str, why: impl Into<String>) -> Error {
    Error {
        request: what.to_owned(),
        problem: Problem::Spec(why.into()),
    }
}
