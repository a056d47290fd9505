//! Git's pathspecs, as `git ls-files -- PATTERN` reads them in the root of a work tree.
//!
//! A pathspec names a file, a directory with everything below it, or a wildcard pattern whose `*`
//! crosses `/`. Matching is by bytes, as in git: `?` takes one byte.

use thiserror::Error;

/// The pathspec names nothing inside the repository.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Git refuses the empty pathspec.
    #[error("empty string is not a valid pathspec; use . for all files")]
    Empty,
    /// An absolute path, or one that climbs out.
    #[error("the pathspec `{0}` is outside the repository")]
    Outside(String),
    /// Magic that git does not know, or that has no meaning here.
    #[error("unsupported pathspec magic in `{0}`")]
    Magic(String),
}

/// A parsed pathspec.
#[derive(Clone, Debug)]
pub struct Pathspec {
    pattern: Vec<u8>,
    /// Bytes before the first wildcard.
    literal: usize,
    glob: bool,
    fold_case: bool,
    exclude: bool,
}

impl Pathspec {
    /// Parses a pathspec, with git's magic prefixes `:/`, `:!`, `:^` and `:(top,literal,glob,icase,exclude)`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let (magic, rest) = Magic::read(text)?;
        let pattern = normalise(rest).ok_or_else(|| Error::Outside(text.to_owned()))?;
        let is_wild = |c: &u8| b"*?[\\".contains(c);
        let literal = match pattern.iter().position(is_wild) {
            Some(at) if !magic.literal => at,
            _ => pattern.len(),
        };
        Ok(Self {
            pattern,
            literal,
            glob: magic.glob,
            fold_case: magic.fold_case,
            exclude: magic.exclude,
        })
    }

    /// Says whether the file at `path` (relative to the root) is selected.
    pub fn matches(&self, path: &str) -> bool {
        self.selects(path.as_bytes()) != self.exclude
    }

    fn selects(&self, name: &[u8]) -> bool {
        let pattern = self.pattern.as_slice();
        if pattern.is_empty() {
            return true;
        }
        let same = |a: &[u8], b: &[u8]| {
            if self.fold_case {
                a.eq_ignore_ascii_case(b)
            } else {
                a == b
            }
        };
        if name.len() >= pattern.len() && same(&name[..pattern.len()], pattern) {
            let whole = name.len() == pattern.len();
            if whole || pattern.ends_with(b"/") || name[pattern.len()] == b'/' {
                return true;
            }
        }
        if self.literal == pattern.len() {
            return false;
        }
        name.len() >= self.literal
            && same(&name[..self.literal], &pattern[..self.literal])
            && Wild {
                segments: self.glob,
                fold_case: self.fold_case,
            }
            .matches(&pattern[self.literal..], &name[self.literal..], true)
    }
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one word of git's magic, set or not"
)]
struct Magic {
    literal: bool,
    glob: bool,
    fold_case: bool,
    exclude: bool,
}

impl Magic {
    fn read(text: &str) -> Result<(Self, &str), Error> {
        let mut magic = Self::default();
        let Some(rest) = text.strip_prefix(':') else {
            return Ok((magic, text));
        };
        let unsupported = || Error::Magic(text.to_owned());
        if let Some(rest) = rest.strip_prefix('(') {
            let (words, rest) = rest.split_once(')').ok_or_else(unsupported)?;
            for word in words.split(',') {
                match word {
                    "" | "top" => {}
                    "literal" => magic.literal = true,
                    "glob" => magic.glob = true,
                    "icase" => magic.fold_case = true,
                    "exclude" => magic.exclude = true,
                    _ => return Err(unsupported()),
                }
            }
            if magic.literal && magic.glob {
                return Err(unsupported());
            }
            return Ok((magic, rest));
        }
        for (at, c) in rest.char_indices() {
            match c {
                ':' => return Ok((magic, &rest[at + 1..])),
                '/' => {}
                '!' | '^' => magic.exclude = true,
                c if c.is_ascii_punctuation() && !"*?[\\.".contains(c) => return Err(unsupported()),
                _ => return Ok((magic, &rest[at..])),
            }
        }
        Ok((magic, ""))
    }
}

/// Removes `.`, `..` and doubled slashes; a trailing slash stays. `None` if it leaves the root.
fn normalise(path: &str) -> Option<Vec<u8>> {
    if path.starts_with('/') {
        return None;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            segment => segments.push(segment),
        }
    }
    let mut normal = segments.join("/");
    let trails = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if trails && !normal.is_empty() {
        normal.push('/');
    }
    Some(normal.into_bytes())
}

/// Git's wildcard matching.
struct Wild {
    /// `*` and `?` stop at `/`, and `**` is special, as with the magic `glob`.
    segments: bool,
    fold_case: bool,
}

impl Wild {
    /// `start` says whether `pattern` stands at the start of a segment.
    fn matches(&self, pattern: &[u8], text: &[u8], start: bool) -> bool {
        let (mut pattern, mut text, mut start) = (pattern, text, start);
        loop {
            let Some((&p, after)) = pattern.split_first() else {
                return text.is_empty();
            };
            if p == b'*' {
                return self.star(after, text, start);
            }
            let Some((&t, rest)) = text.split_first() else {
                return false;
            };
            pattern = match p {
                b'?' => {
                    if self.segments && t == b'/' {
                        return false;
                    }
                    after
                }
                b'[' => match self.class(after, t) {
                    Some((true, after)) if !(self.segments && t == b'/') => after,
                    _ => return false,
                },
                b'\\' => match after.split_first() {
                    Some((&escaped, after)) if self.fold(escaped) == self.fold(t) => after,
                    _ => return false,
                },
                p if self.fold(p) == self.fold(t) => after,
                _ => return false,
            };
            start = p == b'/';
            text = rest;
        }
    }

    fn star(&self, after: &[u8], text: &[u8], start: bool) -> bool {
        let stars = after.iter().take_while(|&&c| c == b'*').count();
        let rest = &after[stars..];
        let mut crosses = !self.segments;
        if self.segments && stars > 0 && start && matches!(rest.first(), None | Some(b'/')) {
            if let Some((_, below)) = rest.split_first()
                && self.matches(below, text, true)
            {
                return true;
            }
            crosses = true;
        }
        for at in 0..=text.len() {
            if self.matches(rest, &text[at..], false) {
                return true;
            }
            if !crosses && text.get(at) == Some(&b'/') {
                return false;
            }
        }
        false
    }

    fn fold(&self, c: u8) -> u8 {
        if self.fold_case {
            c.to_ascii_lowercase()
        } else {
            c
        }
    }

    /// Reads a class behind its `[`: whether `c` is in it, and what follows; `None` if unclosed.
    fn class<'p>(&self, class: &'p [u8], c: u8) -> Option<(bool, &'p [u8])> {
        let c = self.fold(c);
        let negated = matches!(class.first(), Some(b'!' | b'^'));
        let mut at = usize::from(negated);
        let (mut hit, mut low, mut first) = (false, None, true);
        loop {
            let member = *class.get(at)?;
            if member == b']' && !first {
                return Some((hit != negated, &class[at + 1..]));
            }
            first = false;
            let next = class.get(at + 1).copied();
            if member == b'-' && low.is_some() && next.is_some_and(|n| n != b']') {
                at += 1;
                let mut high = *class.get(at)?;
                if high == b'\\' {
                    at += 1;
                    high = *class.get(at)?;
                }
                let low = low.take().unwrap_or(high);
                let upper = self.fold_case && (low..=high).contains(&c.to_ascii_uppercase());
                hit |= (low..=high).contains(&c) || upper;
            } else if member == b'[' && next == Some(b':') {
                let name = &class[at + 2..];
                let end = name.windows(2).position(|w| w == b":]")?;
                hit |= in_named_class(&name[..end], c, self.fold_case)?;
                at += end + 3;
                low = None;
            } else {
                let mut member = member;
                if member == b'\\' {
                    at += 1;
                    member = *class.get(at)?;
                }
                hit |= self.fold(member) == c;
                low = Some(member);
            }
            at += 1;
        }
    }
}

/// Whether `c` is in `[:name:]`; `None` for a name git does not know, which matches nothing at all.
fn in_named_class(name: &[u8], c: u8, fold_case: bool) -> Option<bool> {
    Some(match name {
        b"alnum" => c.is_ascii_alphanumeric(),
        b"alpha" => c.is_ascii_alphabetic(),
        b"blank" => c == b' ' || c == b'\t',
        b"cntrl" => c.is_ascii_control(),
        b"digit" => c.is_ascii_digit(),
        b"graph" => c.is_ascii_graphic(),
        b"lower" => c.is_ascii_lowercase(),
        b"print" => c.is_ascii_graphic() || c == b' ',
        b"punct" => c.is_ascii_punctuation(),
        b"space" => c.is_ascii_whitespace() || c == 0x0b,
        b"upper" => c.is_ascii_uppercase() || (fold_case && c.is_ascii_lowercase()),
        b"xdigit" => c.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spec: &str, path: &str) -> bool {
        Pathspec::parse(spec).is_ok_and(|spec| spec.matches(path))
    }

    #[test]
    fn a_star_crosses_segments() {
        assert!(check("*.json", "a/b/c.json"));
        assert!(check(
            "clusters/*/config.json",
            "clusters/eu/prod/config.json"
        ));
        assert!(!check(
            ":(glob)clusters/*/config.json",
            "clusters/eu/prod/config.json"
        ));
        assert!(check(":(glob)**/config.json", "config.json"));
        assert!(check(":(glob)a/**/c", "a/c"));
    }

    #[test]
    fn a_directory_selects_what_is_below() {
        assert!(check("apps", "apps/web/x.yaml"));
        assert!(check("./apps//web/", "apps/web/x.yaml"));
        assert!(!check("app", "apps/web/x.yaml"));
        assert!(check(".", "apps/web/x.yaml"));
    }

    #[test]
    fn magic_and_classes() {
        assert!(check(":!apps", "other/x"));
        assert!(!check(":!apps", "apps/x"));
        assert!(check(":(icase)APPS/*", "apps/x"));
        assert!(check("[[:digit:]]-[!a-c]*", "1-x"));
        assert!(check("a[]]", "a]"));
    }

    #[test]
    fn what_leaves_the_repository_is_refused() {
        assert!(Pathspec::parse("../x").is_err());
        assert!(Pathspec::parse("/x").is_err());
        assert!(Pathspec::parse("").is_err());
    }
}
