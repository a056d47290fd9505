//! What can go wrong, worded as Go words it, so that a user who knows Argo CD's messages finds them here.

/// A template that does not parse.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The template's name.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// A template that failed while it ran.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("template: {name}:{line}:{column}: executing {template:?} at <{context}>: {message}")]
pub struct ExecError {
    /// The name of the text that was parsed.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 0.
    pub column: usize,
    /// The name of the (nested) template that was running.
    pub template: String,
    /// The piece of the template that failed.
    pub context: String,
    /// What is wrong.
    pub message: String,
}

/// A function that refused its arguments.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct FuncError {
    message: String,
    is_limit: bool,
}

impl FuncError {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_limit: false,
        }
    }

    /// A bound was reached; functions that turn errors into empty results must not hide it.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_limit: true,
        }
    }

    pub(crate) fn is_limit(&self) -> bool {
        self.is_limit
    }
}

/// An option that Go's `Template.Option` does not know.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unrecognized option: {0}; use missingkey=default, missingkey=invalid, missingkey=zero or missingkey=error"
)]
pub struct OptionError(pub String);
