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
    Failed(Failure),
}

/// What failed, and where.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The path below what is being looked at, such as `.spec.source.path`; empty for all of it.
    pub(crate) path: String,
    /// Which parameters were at hand, if it was for some.
    pub(crate) parameters: Option<String>,
    /// What happened.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            parameters: None,
            message: message.into(),
        }
    }

    /// Puts a step before the path.
    pub(crate) fn below(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }

    /// Says for which parameters it failed, unless that is known more closely.
    pub(crate) fn of(mut self, parameters: impl FnOnce() -> String) -> Self {
        self.parameters = self.parameters.or_else(|| Some(parameters()));
        self
    }

    /// The path from `root`, and the parameters.
    pub(crate) fn place(&self, root: &str) -> String {
        match &self.parameters {
            Some(parameters) => format!("{root}{} for parameters {parameters}", self.path),
            None => format!("{root}{}", self.path),
        }
    }
}

impl Stop {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(Failure::new(message))
    }

    /// Puts a failure into the context of what was being done.
    pub(crate) fn within(self, context: &str) -> Self {
        self.change(|mut failure| {
            failure.message = format!("{context}: {}", failure.message);
            failure
        })
    }

    /// Puts a step before the path of a failure.
    pub(crate) fn below(self, step: &str) -> Self {
        self.change(|failure| failure.below(step))
    }

    fn change(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Needs => Self::Needs,
            Self::Failed(failure) => Self::Failed(change(failure)),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
