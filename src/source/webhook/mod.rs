//! Webhooks: a provider's word that something was pushed, or that a pull request changed.
//!
//! Pure: headers and body in, events out. An event is a hint to look, never a source of truth:
//! nothing of it reaches a desired state.

mod matching;
mod payload;
mod pull_request;
mod verify;

use std::collections::BTreeMap;

pub use matching::{Refresh, Target};
use payload::Provider;
pub use pull_request::PullRequestEvent;
pub use verify::WebhookSecrets;

/// A push to one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushEvent {
    /// Web addresses of the repository.
    pub urls: Vec<String>,
    /// The short name of the branch or tag.
    pub revision: String,
    /// Whether the default branch moved, or may have.
    pub default_branch: bool,
    /// The files that changed; empty if the provider does not tell.
    pub changed_files: Vec<String>,
    /// The commit before, if the provider tells.
    pub before: Option<String>,
    /// The commit after, if the provider tells.
    pub after: Option<String>,
}

/// Why a delivery is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// No header names a known provider.
    #[error("unknown webhook event: no header names a git provider")]
    UnknownProvider,
    /// The provider's event is not one that the hub listens to.
    #[error("{provider} event {event:?} is not listened to; send push events")]
    UnknownEvent {
        /// The provider.
        provider: &'static str,
        /// The event's name.
        event: String,
    },
    /// The body is not what the provider sends.
    #[error("the {provider} payload cannot be read: {why}")]
    Payload {
        /// The provider.
        provider: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The signature or secret is missing or wrong.
    #[error("the {provider} delivery does not carry the configured secret")]
    Unauthorized {
        /// The provider.
        provider: &'static str,
    },
}

impl WebhookError {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownProvider | Self::UnknownEvent { .. } | Self::Payload { .. } => 400,
            Self::Unauthorized { .. } => 401,
        }
    }
}

/// A delivery's headers by lower-case name.
#[derive(Clone, Debug, Default)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// Collects headers; names are compared without regard to case.
    pub fn new<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            headers
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
        )
    }

    /// A header that is there and not empty, by its lower-case name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then_some(value)
    }
}

/// Reads one delivery. `None` is an event that concerns nobody, such as a ping.
///
/// Fails if the provider, its event or its secret is not as configured; without a configured secret
/// every delivery is accepted.
pub fn parse(
    headers: &Headers,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<Option<PushEvent>, WebhookError> {
    let provider = Provider::of(headers).ok_or(WebhookError::UnknownProvider)?;
    if !secrets.accept(provider, headers, body) {
        return Err(WebhookError::Unauthorized {
            provider: provider.name(),
        });
    }
    provider.read(headers, body)
}

/// Reads one delivery that tells of a pull request. Every other one, and one without the secret, is
/// [`parse`]'s, which refuses pull requests as Argo CD's API server does.
pub fn parse_pull_request(
    headers: &Headers,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Option<PullRequestEvent> {
    let provider = Provider::of(headers)?;
    if !secrets.accept(provider, headers, body) {
        return None;
    }
    let body = serde_json::from_slice(body).ok()?;
    pull_request::is_told(provider, headers, &body)
        .then(|| PullRequestEvent::read(provider, &body).unwrap_or_default())
}

#[cfg(test)]
mod tests;
