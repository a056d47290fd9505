//! Lists of patterns, as Argo CD's settings hold them: exact texts, globs, or `/regular expressions/`.
//!
//! A malformed entry matches nothing and stops no other entry.

use fancy_regex::Regex;

use crate::gobwas;

/// How the entries of a list are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// An entry is the text itself.
    Exact,
    /// An entry is a glob without separators.
    Glob,
    /// As [`Syntax::Glob`]; in addition an entry between slashes is a regular expression that may match any part.
    Regexp,
}

/// Says whether any entry of `list` matches `item`.
pub fn matches<S: AsRef<str>>(list: &[S], item: &str, syntax: Syntax) -> bool {
    list.iter()
        .any(|entry| entry_matches(entry.as_ref(), item, syntax))
}

fn entry_matches(entry: &str, item: &str, syntax: Syntax) -> bool {
    if syntax == Syntax::Exact {
        return entry == item;
    }
    let expression = entry
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'))
        .filter(|_| syntax == Syntax::Regexp);
    expression.is_some_and(|text| regex_matches(text, item)) || gobwas::matches(entry, item, &[])
}

/// The dialect has look-around and back-references, which namespace lists use (`/^((?!kube).)*$/`);
/// an expression that backtracks beyond its budget matches nothing.
fn regex_matches(expression: &str, item: &str) -> bool {
    Regex::new(expression).is_ok_and(|regex| regex.is_match(item).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_make_a_regular_expression() {
        assert!(matches(&["/a/"], "bab", Syntax::Regexp));
        assert!(!matches(&["/a/"], "bab", Syntax::Glob));
        assert!(!matches(
            &["/^((?!kube).)*$/"],
            "kube-system",
            Syntax::Regexp
        ));
        assert!(matches(&["/^((?!kube).)*$/"], "web", Syntax::Regexp));
    }

    #[test]
    fn a_bad_entry_stops_no_other() {
        assert!(matches(&["/[/", "team-*"], "team-a", Syntax::Regexp));
        assert!(!matches(&["team-*"], "team-a", Syntax::Exact));
    }
}
