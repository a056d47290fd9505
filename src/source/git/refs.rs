//! What a remote says it has, and which commit a revision means there.
//!
//! The order of precedence is Argo CD's: full SHA, highest tag that satisfies a constraint, name of
//! a ref, abbreviated SHA. No I/O.

use std::{collections::BTreeMap, fmt};

use crate::source::constraint::{Constraint, Version};

/// A full, lower-case SHA-1 commit id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha(String);

impl Sha {
    /// Accepts exactly 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self(text.to_ascii_lowercase()))
    }

    /// The id as 40 lower-case digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `length` digits.
    pub fn short(&self, length: usize) -> &str {
        &self.0[..length.min(self.0.len())]
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The refs of a remote at one moment, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteRefs {
    /// Full ref name to the commit it leads to (annotated tags are peeled).
    pub refs: BTreeMap<String, Sha>,
    /// Symbolic refs, such as `HEAD`, to the full name of their target.
    pub symbolic: BTreeMap<String, String>,
}

/// What a revision means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Exactly this commit; `via` is the ref that led there.
    Commit { sha: Sha, via: Option<String> },
    /// Nothing is called so, but it may be the beginning of a commit id.
    Abbreviated(String),
}

impl RemoteRefs {
    /// The full name of the default branch, if the remote tells.
    pub fn default_branch(&self) -> Option<&str> {
        self.symbolic.get("HEAD").map(String::as_str)
    }

    /// The short names of all branches.
    pub fn branches(&self) -> impl Iterator<Item = (&str, &Sha)> {
        self.below("refs/heads/")
    }

    /// The short names of all tags.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &Sha)> {
        self.below("refs/tags/")
    }

    fn below(&self, prefix: &'static str) -> impl Iterator<Item = (&str, &Sha)> {
        self.refs
            .range(prefix.to_owned()..)
            .map_while(move |(name, sha)| Some((name.strip_prefix(prefix)?, sha)))
    }

    /// What `revision` means here, among the tags that start with `tag_prefix` if one is given.
    ///
    /// The error is a hint for the user, empty if there is nothing to say.
    pub(crate) fn meaning(
        &self,
        revision: &str,
        tag_prefix: Option<&str>,
    ) -> Result<Meaning, String> {
        if let Some(sha) = Sha::parse(revision) {
            return Ok(Meaning::Commit { sha, via: None });
        }
        let mut name = if revision.is_empty() {
            "HEAD"
        } else {
            revision
        };
        let mut hint = String::new();
        match self.highest_tag(name, tag_prefix.unwrap_or_default()) {
            Highest::Tag(tag) => name = tag,
            Highest::NoneMatches(tags) => {
                hint = format!(" (no tag of {tags} satisfies the constraint)");
            }
            Highest::NotAConstraint => {}
        }
        if let Some((via, sha)) = self.named(name) {
            return Ok(Meaning::Commit {
                sha: sha.clone(),
                via: Some(via.to_owned()),
            });
        }
        if name.len() >= 7 && name.len() < 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Meaning::Abbreviated(name.to_ascii_lowercase()));
        }
        Err(hint)
    }

    /// Finds a ref by its full or short name, following symbolic ones.
    fn named(&self, name: &str) -> Option<(&str, &Sha)> {
        let target = self.symbolic.get(name).map_or(name, String::as_str);
        ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]
            .iter()
            .find_map(|prefix| self.refs.get_key_value(&format!("{prefix}{target}")))
            .map(|(name, sha)| (name.as_str(), sha))
    }

    fn highest_tag(&self, revision: &str, prefix: &str) -> Highest<'_> {
        // An exact version is the name of a tag, not a constraint.
        if prefix.is_empty() && Version::parse(revision).is_some() {
            return Highest::NotAConstraint;
        }
        let Some(constraint) = Constraint::parse(revision) else {
            return Highest::NotAConstraint;
        };
        let mut tags = 0;
        let highest = self
            .tags()
            .filter_map(|(tag, _)| {
                tags += 1;
                let version = Version::parse(tag.strip_prefix(prefix)?)?;
                constraint
                    .is_satisfied_by(&version)
                    .then_some((version, tag))
            })
            .max_by(|(a, _), (b, _)| a.cmp(b));
        match highest {
            Some((_, tag)) => Highest::Tag(tag),
            None => Highest::NoneMatches(tags),
        }
    }
}

enum Highest<'a> {
    Tag(&'a str),
    NoneMatches(usize),
    NotAConstraint,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs() -> RemoteRefs {
        let sha = |digit: char| Sha::parse(&digit.to_string().repeat(40)).unwrap();
        RemoteRefs {
            refs: [
                ("HEAD", '1'),
                ("refs/heads/main", '1'),
                ("refs/heads/1.x", '2'),
                ("refs/tags/v1.2.0", '3'),
                ("refs/tags/v1.10.0", '4'),
                ("refs/tags/v2.0.0-rc.1", '5'),
                ("refs/tags/not-a-version", '6'),
                ("refs/tags/web-1.0.0", '7'),
                ("refs/tags/web-1.4.0", '8'),
                ("refs/pull/7/head", '9'),
            ]
            .into_iter()
            .map(|(name, digit)| (name.to_owned(), sha(digit)))
            .collect(),
            symbolic: [("HEAD".to_owned(), "refs/heads/main".to_owned())].into(),
        }
    }

    #[track_caller]
    fn check(revision: &str, prefix: Option<&str>, digit: Option<char>) {
        let found = match refs().meaning(revision, prefix) {
            Ok(Meaning::Commit { sha, .. }) => sha.as_str().chars().next(),
            _ => None,
        };
        assert_eq!(found, digit, "{revision}");
    }

    #[test]
    fn revisions_mean_what_they_mean_to_argo_cd() {
        check("", None, Some('1'));
        check("HEAD", None, Some('1'));
        check("main", None, Some('1'));
        check("refs/heads/main", None, Some('1'));
        check("refs/pull/7/head", None, Some('9'));
        check("v1.2.0", None, Some('3'));
        check("not-a-version", None, Some('6'));
        check("nowhere", None, None);
    }

    #[test]
    fn the_highest_tag_that_satisfies_a_constraint_wins_over_a_branch_of_that_name() {
        check("1.x", None, Some('4'));
        check("^1.2", None, Some('4'));
        check(">=2.0.0-0", None, Some('5'));
        check("*", Some("web-"), Some('8'));
        check("1.0.0", Some("web-"), Some('7'));
    }

    #[test]
    fn seven_hex_digits_may_be_a_commit() {
        assert_eq!(
            refs().meaning("ABCDEF1", None),
            Ok(Meaning::Abbreviated("abcdef1".into()))
        );
        assert!(refs().meaning("abcdef", None).is_err());
    }
}
