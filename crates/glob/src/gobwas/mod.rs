//! gobwas, version 0.2: `*` and `?` stop at the given separators, `**` does not, `{a,b}` are
//! alternatives, classes negate with `!`.
//!
//! Its users rely on what it answers, not on what it means to answer: it compiles a pattern to
//! specialised matchers, and these accept an empty text for `?`, let a prefix overlap a suffix
//! (`a/*/c` matches `a/c`) and count characters where they cut bytes. So the compilation is
//! followed, too; a plainer matcher would answer otherwise.

mod compile;
mod matcher;
mod parse;

use matcher::Matcher;
use thiserror::Error;

/// The pattern cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot compile the glob `{pattern}`: {problem}")]
pub struct BadPattern {
    /// The pattern as given.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob(Matcher);

impl Glob {
    /// Compiles `pattern`; `*` and `?` do not match any of `separators`.
    pub fn compile(pattern: &str, separators: &[char]) -> Result<Self, BadPattern> {
        parse::parse(pattern)
            .map(|node| Self(compile::compile(&node, separators)))
            .map_err(|problem| BadPattern {
                pattern: pattern.to_owned(),
                problem: problem.to_owned(),
            })
    }

    /// Says whether `text` as a whole matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.matches(text.as_bytes())
    }
}

/// Compiles and matches at once; a malformed pattern matches nothing, as in Argo CD.
pub fn matches(pattern: &str, text: &str, separators: &[char]) -> bool {
    Glob::compile(pattern, separators).is_ok_and(|glob| glob.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_bound_the_star() {
        assert!(matches("a*c", "a/c", &[]));
        assert!(!matches("a*c", "a/c", &['/']));
        assert!(matches("a**c", "a/b/c", &['/']));
    }

    #[test]
    fn quirks_that_users_may_rely_on() {
        assert!(matches("?", "", &[]));
        assert!(matches("a/*/c", "a/c", &[]));
        assert!(matches("{a,b", "b", &[]));
    }

    #[test]
    fn a_malformed_pattern_matches_nothing() {
        assert!(Glob::compile("[a", &[]).is_err());
        assert!(!matches("[a", "[a", &[]));
    }
}
