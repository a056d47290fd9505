//! Go's `path.Match`: `*` and `?` stay within a segment, classes negate with `^`, no `**`, no braces.
//!
//! It must never accept a malformed pattern, not even for a name that differs before the mistake.

use thiserror::Error;

/// The pattern is malformed: an unclosed or empty class, or a trailing backslash.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Says whether `name` as a whole matches `pattern`.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    Ok(Pattern::parse(pattern)?.matches(name))
}

/// A parsed pattern, for matching many names.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Runs of atoms between stars; the flag says whether a star precedes the run.
    chunks: Vec<(bool, Vec<Atom>)>,
}

#[derive(Clone, Debug)]
enum Atom {
    Char(char),
    /// `?`: anything but the separator.
    Any,
    /// A class; unlike `?` it may match the separator.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Parses `pattern`; the error does not say where, as Go's does not.
    pub fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let mut chunks = vec![(false, Vec::new())];
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            let atom = match c {
                '*' => {
                    match chunks.last_mut() {
                        Some((star, atoms)) if atoms.is_empty() => *star = true,
                        _ => chunks.push((true, Vec::new())),
                    }
                    continue;
                }
                '?' => Atom::Any,
                '[' => parse_class(&mut rest)?,
                '\\' => Atom::Char(rest.next().ok_or(BadPattern)?),
                c => Atom::Char(c),
            };
            if let Some((_, atoms)) = chunks.last_mut() {
                atoms.push(atom);
            }
        }
        Ok(Self { chunks })
    }

    /// Says whether `name` as a whole matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut rest = name;
        for (index, (star, atoms)) in self.chunks.iter().enumerate() {
            let last = index + 1 == self.chunks.len();
            if *star && atoms.is_empty() {
                return !rest.contains('/');
            }
            let Some(after) = find_chunk(*star, atoms, rest, last) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }
}

/// Finds the leftmost place where the chunk matches and returns what follows it. Go never reconsiders
/// a place it has settled on; since a star cannot cross the separator this shows only in classes
/// that match the separator.
fn find_chunk<'n>(star: bool, atoms: &[Atom], name: &'n str, last: bool) -> Option<&'n str> {
    let fits = |at: &'n str| match_atoms(atoms, at).filter(|after| !last || after.is_empty());
    if let Some(after) = fits(name) {
        return Some(after);
    }
    if !star {
        return None;
    }
    for (at, c) in name.char_indices() {
        if c == '/' {
            return None;
        }
        if let Some(after) = fits(&name[at + c.len_utf8()..]) {
            return Some(after);
        }
    }
    None
}

fn match_atoms<'n>(atoms: &[Atom], name: &'n str) -> Option<&'n str> {
    let mut rest = name.chars();
    for atom in atoms {
        let c = rest.next()?;
        let fits = match atom {
            Atom::Char(wanted) => *wanted == c,
            Atom::Any => c != '/',
            Atom::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (low..=high).contains(&&c)) != *negated
            }
        };
        if !fits {
            return None;
        }
    }
    Some(rest.as_str())
}

fn parse_class(rest: &mut std::str::Chars<'_>) -> Result<Atom, BadPattern> {
    let mut text = rest.as_str();
    let negated = text.starts_with('^');
    if negated {
        text = &text[1..];
    }
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty()
            && let Some(after) = text.strip_prefix(']')
        {
            *rest = after.chars();
            return Ok(Atom::Class { negated, ranges });
        }
        let (low, after) = class_char(text)?;
        let (high, after) = match after.strip_prefix('-') {
            Some(after) => class_char(after)?,
            None => (low, after),
        };
        ranges.push((low, high));
        text = after;
    }
}

/// Reads one end of a range; something must follow it.
fn class_char(text: &str) -> Result<(char, &str), BadPattern> {
    let mut chars = text.chars();
    let c = match chars.next() {
        None | Some('-' | ']') => return Err(BadPattern),
        Some('\\') => chars.next().ok_or(BadPattern)?,
        Some(c) => c,
    };
    let after = chars.as_str();
    if after.is_empty() {
        return Err(BadPattern);
    }
    Ok((c, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_segment() {
        assert_eq!(matches("apps/*", "apps/web"), Ok(true));
        assert_eq!(matches("apps/*", "apps/web/base"), Ok(false));
        assert_eq!(matches("apps/**", "apps/web/base"), Ok(false));
    }

    #[test]
    fn a_mistake_counts_wherever_it_stands() {
        assert_eq!(matches("x/[", "a"), Err(BadPattern));
        assert_eq!(matches("a\\", "b"), Err(BadPattern));
        assert_eq!(matches("[b-]", "b"), Err(BadPattern));
    }
}
