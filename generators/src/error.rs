//! Why a set could not be expanded.

use std::fmt;

/// The reason under which the failure appears in the set's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A generator failed.
    Generate,
    /// A template failed.
    Render,
}

impl Reason {
    /// The reason as the condition spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "ApplicationGenerationFromParamsError",
            Self::Render => "RenderTemplateParamsError",
        }
    }
}

/// A set that could not be expanded; nothing may be deleted because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The reason of the condition.
    pub reason: Reason,
    /// The set, as `namespace/name`.
    pub set: String,
    /// Where in the set, such as `spec.generators[0].git`.
    pub place: String,
    /// What happened, in the words that users of Argo CD know.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason: _,
            set,
            place,
            message,
        } = self;
        write!(f, "{message} (ApplicationSet {set}, {place})")
    }
}

impl std::error::Error for Error {}

/// What keeps a generator from answering.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Facts are missing; they have been noted.
    Needs,
    /// It failed.
    Failed(String),
}

impl Stop {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Puts a failure into the context of what was being done.
    pub(crate) fn within(self, context: &str) -> Self {
        match self {
            Self::Needs => Self::Needs,
            Self::Failed(message) => Self::Failed(format!("{context}: {message}")),
        }
    }
}
