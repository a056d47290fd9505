//! The one error a user sees, whatever went wrong: what, where, why and how to fix it.
//!
//! Every area turns its own errors into a [`Diagnostic`] beside the code that knows them. The same
//! value is printed by the CLI, becomes a condition on an object and an answer of the API. It must
//! never hold a credential.

use std::error::Error;
use std::fmt::{self, Write as _};

/// Who can do something about it; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input or the command line is wrong.
    User,
    /// The configuration of the hub or of this machine is wrong.
    Config,
    /// A cluster, repository or other remote did not do what was asked.
    Remote,
    /// Argosy itself is wrong.
    Internal,
}

/// What went wrong, for a person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    what: String,
    place: Option<String>,
    causes: Vec<String>,
    fix: Option<String>,
    reason: &'static str,
    kind: Kind,
}

impl Diagnostic {
    /// A problem in one line, with a stable CamelCase reason.
    pub fn new(kind: Kind, reason: &'static str, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: None,
            causes: Vec::new(),
            fix: None,
            reason,
            kind,
        }
    }

    /// A mistake of the caller.
    pub fn user(reason: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::User, reason, what)
    }

    /// A mistake in the configuration.
    pub fn config(reason: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::Config, reason, what)
    }

    /// A remote that failed.
    pub fn remote(reason: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::Remote, reason, what)
    }

    /// Says where: a file and line, an object and field, a repository, a cluster.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds an error and all that caused it.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.causes.extend(causes(error));
        self
    }

    /// Says how to fix it.
    #[must_use]
    pub fn fix(mut self, hint: impl Into<String>) -> Self {
        self.fix = Some(hint.into());
        self
    }

    /// The stable CamelCase reason.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Who can do something about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Everything in one line, for a condition's message or a log.
    pub fn one_line(&self) -> String {
        let mut line = self.what.clone();
        if let Some(place) = &self.place {
            let _ = write!(line, " ({place})");
        }
        for cause in &self.causes {
            let _ = write!(line, ": {cause}");
        }
        if let Some(fix) = &self.fix {
            let _ = write!(line, "; {fix}");
        }
        line
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error: {}", self.what)?;
        if let Some(place) = &self.place {
            write!(f, "\nWhere: {place}")?;
        }
        for cause in &self.causes {
            write!(f, "\nCaused by: {cause}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\nHint: {fix}")?;
        }
        Ok(())
    }
}

impl Error for Diagnostic {}

/// An error and all that caused it, in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).join(": ").replace('\n', " ")
}

/// The texts of an error and of its causes; one that says nothing, or that one before it quotes, is
/// left out.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !texts.iter().any(|before| before.contains(&text)) && !text.is_empty() {
            texts.push(text);
        }
        next = cause.source();
    }
    texts
}

/// The name in `known` nearest to `wanted`, if one is near enough to be a slip of the hand.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (similar::TextDiff::from_chars(wanted, name).ratio(), name))
        .filter(|(ratio, _)| *ratio >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_where_why_and_fix() {
        let cause = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let shown = Diagnostic::config("KubeconfigMissing", "cannot read the kubeconfig")
            .at("/home/ada/.kube/config")
            .because(&cause)
            .fix("name one with --kubeconfig")
            .to_string();
        assert_eq!(
            shown,
            "Error: cannot read the kubeconfig\nWhere: /home/ada/.kube/config\n\
             Caused by: no such file\nHint: name one with --kubeconfig"
        );
    }

    #[test]
    fn suggests_a_near_name_only() {
        assert_eq!(
            nearest("stagin", ["dev", "staging", "prod"]),
            Some("staging")
        );
        assert_eq!(nearest("mainframe", ["dev", "staging", "prod"]), None);
    }
}
