//! doublestar, version 4: `**` between separators crosses them, `{a,b}` are alternatives, classes
//! negate with `!` or `^`.
//!
//! A mistake is reported only where the matcher comes across it: after a mismatch the rest of the
//! pattern is checked, after a match it is not.

use thiserror::Error;

/// The pattern is malformed: an unclosed class or brace, or a trailing backslash.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Says whether `name` as a whole matches `pattern`; both use `/`.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    Matcher::new(pattern, &name, Position::START).run()
}

/// Says whether the pattern is well-formed throughout.
pub fn is_valid(pattern: &str) -> bool {
    validate(&pattern.chars().collect::<Vec<_>>()).is_ok()
}

/// Where the matcher stands and where it may resume after a mismatch.
#[derive(Clone, Copy)]
struct Position {
    pattern: usize,
    name: usize,
    /// After the last `*`: the pattern behind it, and the end of what it has swallowed.
    star: Option<(usize, usize)>,
    /// The same for the last `**/`.
    doublestar: Option<(usize, usize)>,
}

impl Position {
    const START: Self = Self {
        pattern: 0,
        name: 0,
        star: None,
        doublestar: None,
    };
}

struct Matcher<'n> {
    pattern: Vec<char>,
    name: &'n [char],
    at: Position,
    segment_start: bool,
}

/// What one step found.
enum Found {
    /// Go on from here.
    Fits,
    Mismatch,
    Verdict(bool),
}

impl<'n> Matcher<'n> {
    fn new(pattern: Vec<char>, name: &'n [char], at: Position) -> Self {
        // A brace hands over in the middle of a segment, and yet the alternative is taken to start
        // one: `a{**/b,c}` is read as doublestar reads it.
        Self {
            pattern,
            name,
            at,
            segment_start: true,
        }
    }

    fn run(mut self) -> Result<bool, BadPattern> {
        while self.at.name < self.name.len() {
            match self.step()? {
                Found::Fits => continue,
                Found::Verdict(verdict) => return Ok(verdict),
                Found::Mismatch => {}
            }
            if self.resume_star() || self.resume_doublestar() {
                continue;
            }
            validate(&self.pattern[self.at.pattern.min(self.pattern.len())..])?;
            return Ok(false);
        }
        matches_nothing(&self.pattern[self.at.pattern.min(self.pattern.len())..])
    }

    fn step(&mut self) -> Result<Found, BadPattern> {
        let Some(&c) = self.pattern.get(self.at.pattern) else {
            return Ok(Found::Mismatch);
        };
        match c {
            '*' => Ok(self.step_star()),
            '?' => {
                self.segment_start = false;
                if self.name[self.at.name] == '/' {
                    return Ok(Found::Mismatch);
                }
                self.at.pattern += 1;
                self.at.name += 1;
                Ok(Found::Fits)
            }
            '[' => self.step_class(),
            '{' => self.step_alternatives().map(Found::Verdict),
            '\\' => {
                let escaped = *self.pattern.get(self.at.pattern + 1).ok_or(BadPattern)?;
                Ok(self.step_literal(escaped, 2))
            }
            c => Ok(self.step_literal(c, 1)),
        }
    }

    fn step_literal(&mut self, c: char, width: usize) -> Found {
        if self.name[self.at.name] != c {
            return Found::Mismatch;
        }
        self.at.pattern += width;
        self.at.name += 1;
        self.segment_start = c == '/';
        Found::Fits
    }

    fn step_star(&mut self) -> Found {
        self.at.pattern += 1;
        if self.pattern.get(self.at.pattern) == Some(&'*') {
            self.at.pattern += 1;
            if self.segment_start {
                match self.pattern.get(self.at.pattern) {
                    None => return Found::Verdict(true),
                    Some('/') => {
                        self.at.pattern += 1;
                        self.at.doublestar = Some((self.at.pattern, self.at.name));
                        self.at.star = None;
                        return Found::Fits;
                    }
                    Some(_) => {}
                }
            }
        }
        self.segment_start = false;
        self.at.star = Some((self.at.pattern, self.at.name));
        Found::Fits
    }

    fn step_class(&mut self) -> Result<Found, BadPattern> {
        self.segment_start = false;
        self.at.pattern += 1;
        let c = self.name[self.at.name];
        let negated = matches!(self.pattern.get(self.at.pattern), Some('!' | '^'));
        if negated {
            self.at.pattern += 1;
        }
        if matches!(self.pattern.get(self.at.pattern), None | Some(']')) {
            return Err(BadPattern);
        }
        let hit = self.read_class(c)?;
        if hit == negated {
            return if self.at.pattern >= self.pattern.len() {
                Err(BadPattern)
            } else {
                Ok(Found::Mismatch)
            };
        }
        let close = find_unescaped(&self.pattern[self.at.pattern..], ']').ok_or(BadPattern)?;
        self.at.pattern += close + 1;
        self.at.name += 1;
        Ok(Found::Fits)
    }

    /// Reads members until one fits or the class ends; stays behind the member that fits.
    fn read_class(&mut self, c: char) -> Result<bool, BadPattern> {
        let mut low: Option<char> = None;
        while let Some(&member) = self.pattern.get(self.at.pattern) {
            if member == ']' {
                break;
            }
            self.at.pattern += 1;
            let next = self.pattern.get(self.at.pattern).copied();
            if let (Some(from), '-', Some(to)) = (low, member, next.filter(|&c| c != ']')) {
                let to = if to == '\\' {
                    self.at.pattern += 1;
                    *self.pattern.get(self.at.pattern).ok_or(BadPattern)?
                } else {
                    to
                };
                self.at.pattern += 1;
                if (from..=to).contains(&c) {
                    return Ok(true);
                }
                low = None;
                continue;
            }
            let member = if member == '\\' {
                self.at.pattern += 1;
                next.ok_or(BadPattern)?
            } else {
                member
            };
            if member == c {
                return Ok(true);
            }
            low = Some(member);
        }
        Ok(false)
    }

    fn step_alternatives(&mut self) -> Result<bool, BadPattern> {
        let open = self.at.pattern;
        let (alternatives, close) = split_alternatives(&self.pattern[open..])?;
        for alternative in alternatives {
            let mut pattern = self.pattern[..open].to_vec();
            pattern.extend_from_slice(&self.pattern[open..][alternative]);
            pattern.extend_from_slice(&self.pattern[open + close + 1..]);
            if Matcher::new(pattern, self.name, self.at).run()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn resume_star(&mut self) -> bool {
        match self.at.star {
            Some((pattern, name)) if self.name[name] != '/' => {
                self.at.star = Some((pattern, name + 1));
                self.at.pattern = pattern;
                self.at.name = name + 1;
                self.segment_start = false;
                true
            }
            _ => false,
        }
    }

    fn resume_doublestar(&mut self) -> bool {
        let Some((pattern, name)) = self.at.doublestar else {
            return false;
        };
        let Some(separator) = self.name[name..].iter().position(|&c| c == '/') else {
            return false;
        };
        let name = name + separator + 1;
        self.at.doublestar = Some((pattern, name));
        self.at.pattern = pattern;
        self.at.name = name;
        self.segment_start = true;
        true
    }
}

/// Splits `{a,b}` at the start of `pattern` into the ranges of its alternatives and the index of `}`.
fn split_alternatives(
    pattern: &[char],
) -> Result<(Vec<std::ops::Range<usize>>, usize), BadPattern> {
    let mut alternatives = Vec::new();
    let (mut depth, mut start, mut at) = (0, 1, 1);
    while let Some(&c) = pattern.get(at) {
        match c {
            '\\' => at += 1,
            '{' => depth += 1,
            ',' if depth == 0 => {
                alternatives.push(start..at);
                start = at + 1;
            }
            '}' if depth == 0 => {
                alternatives.push(start..at);
                return Ok((alternatives, at));
            }
            '}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    Err(BadPattern)
}

/// Whether the rest of a pattern is content with no more text: `a/**` matches the directory `a`.
fn matches_nothing(pattern: &[char]) -> Result<bool, BadPattern> {
    let text: String = pattern.iter().collect();
    if matches!(text.as_str(), "" | "*" | "**" | "/**" | "**/" | "/**/") {
        return Ok(true);
    }
    if pattern[0] == '{' {
        let (alternatives, close) = split_alternatives(pattern)?;
        for alternative in alternatives {
            let mut rest = pattern[alternative].to_vec();
            rest.extend_from_slice(&pattern[close + 1..]);
            if matches_nothing(&rest)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    validate(pattern)?;
    Ok(false)
}

fn find_unescaped(pattern: &[char], wanted: char) -> Option<usize> {
    let mut at = 0;
    while let Some(&c) = pattern.get(at) {
        if c == wanted {
            return Some(at);
        }
        at += if c == '\\' { 2 } else { 1 };
    }
    None
}

fn validate(pattern: &[char]) -> Result<(), BadPattern> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&c) = pattern.get(at) {
        match c {
            '\\' => {
                at += 1;
                pattern.get(at).ok_or(BadPattern)?;
            }
            '[' => {
                at += 1;
                if matches!(pattern.get(at), Some('^' | '!')) {
                    at += 1;
                }
                if matches!(pattern.get(at), None | Some(']')) {
                    return Err(BadPattern);
                }
                at += find_unescaped(&pattern[at..], ']').ok_or(BadPattern)?;
            }
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1).ok_or(BadPattern)?,
            _ => {}
        }
        at += 1;
    }
    if depth == 0 { Ok(()) } else { Err(BadPattern) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doublestar_crosses_segments_and_star_does_not() {
        assert_eq!(matches("a/**/c.yaml", "a/c.yaml"), Ok(true));
        assert_eq!(matches("a/**/c.yaml", "a/b/b/c.yaml"), Ok(true));
        assert_eq!(matches("a/*/c.yaml", "a/b/b/c.yaml"), Ok(false));
        assert_eq!(matches("a/**", "a"), Ok(true));
    }

    #[test]
    fn a_mistake_counts_where_it_is_met() {
        assert_eq!(matches("a[", "b"), Err(BadPattern));
        assert_eq!(matches("{a,[}", "a"), Ok(true));
        assert!(!is_valid("{a"));
    }
}
