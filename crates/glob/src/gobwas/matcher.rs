//! The specialised matchers a pattern is compiled to.
//!
//! They work on bytes and may cut within a character; a piece of a character counts as one
//! character, U+FFFD, as in Go.

/// Matches a text as a whole, or finds itself in one.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Text {
        bytes: Vec<u8>,
        chars: usize,
    },
    Any(Vec<char>),
    Super,
    Single(Vec<char>),
    List {
        chars: Vec<char>,
        negated: bool,
    },
    Range {
        low: char,
        high: char,
        negated: bool,
    },
    Nothing,
    Min(usize),
    Max(usize),
    Contains {
        needle: Vec<u8>,
        negated: bool,
    },
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    PrefixSuffix(Vec<u8>, Vec<u8>),
    PrefixAny(Vec<u8>, Vec<char>),
    SuffixAny(Vec<u8>, Vec<char>),
    Row {
        len: usize,
        parts: Vec<Self>,
    },
    AnyOf(Vec<Self>),
    EveryOf(Vec<Self>),
    Tree(Box<Tree>),
}

/// A value with what must stand before and behind it; a missing side must be empty.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) value: Matcher,
    pub(super) left: Option<Matcher>,
    pub(super) right: Option<Matcher>,
    /// Characters on the left, on the right and in all, as far as they are fixed.
    pub(super) left_len: Option<usize>,
    pub(super) right_len: Option<usize>,
    pub(super) len: Option<usize>,
}

/// Where a matcher found itself first, and how many bytes it may take there, ascending.
type Hit = Option<(usize, Vec<usize>)>;

const REPLACEMENT: char = '\u{FFFD}';

/// Decodes the first character as Go does: a broken one is U+FFFD of one byte, none is of none.
fn decode(bytes: &[u8]) -> (char, usize) {
    let width = bytes.len().min(4);
    for end in 1..=width {
        if let Ok(text) = std::str::from_utf8(&bytes[..end])
            && let Some(c) = text.chars().next()
        {
            return (c, end);
        }
    }
    (REPLACEMENT, bytes.len().min(1))
}

/// Characters with the offset at which each starts.
fn chars(bytes: &[u8]) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let (c, width) = decode(&bytes[start..]);
        at += width;
        (width > 0).then_some((start, c))
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    (0..(haystack.len() + 1).saturating_sub(needle.len()))
        .find(|&at| haystack[at..].starts_with(needle))
}

fn rfind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    (0..(haystack.len() + 1).saturating_sub(needle.len()))
        .rev()
        .find(|&at| haystack[at..].starts_with(needle))
}

/// Where the first of `wanted`, in their order, stands.
fn find_any(bytes: &[u8], wanted: &[char]) -> Option<usize> {
    wanted
        .iter()
        .find_map(|c| find(bytes, c.encode_utf8(&mut [0; 4]).as_bytes()))
}

/// Every offset at which a character starts, and the end.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    chars(bytes)
        .map(|(at, _)| at)
        .chain([bytes.len()])
        .collect()
}

/// Ends of the characters, counted as whole characters even where one is broken.
fn ends(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    chars(bytes).map(|(at, c)| at + c.len_utf8())
}

/// The one character of a text that has at most one; the replacement for none.
fn sole(bytes: &[u8]) -> Option<char> {
    let (c, width) = decode(bytes);
    (bytes.len() <= width).then_some(c)
}

impl Matcher {
    pub(super) fn text(text: &str) -> Self {
        Self::Text {
            bytes: text.as_bytes().to_vec(),
            chars: text.chars().count(),
        }
    }

    pub(super) fn tree(value: Self, left: Option<Self>, right: Option<Self>) -> Self {
        let side = |matcher: &Option<Self>| matcher.as_ref().map_or(Some(0), Self::len);
        let (left_len, right_len) = (side(&left), side(&right));
        let len = [value.len(), left_len, right_len].into_iter().sum();
        Self::Tree(Box::new(Tree {
            value,
            left,
            right,
            left_len,
            right_len,
            len,
        }))
    }

    /// The number of characters it takes, if that is fixed.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Text { chars, .. } => Some(*chars),
            Self::Single(_) | Self::List { .. } | Self::Range { .. } => Some(1),
            Self::Nothing => Some(0),
            Self::Row { len, .. } => Some(*len),
            Self::Tree(tree) => tree.len,
            Self::AnyOf(alternatives) => {
                let mut len = None;
                for alternative in alternatives {
                    let next = alternative.len();
                    if len.is_none() {
                        len = next;
                    } else if next != len {
                        return None;
                    }
                }
                len
            }
            _ => None,
        }
    }

    fn takes(&self, c: char) -> bool {
        match self {
            Self::Single(separators) => !separators.contains(&c),
            Self::List { chars, negated } => chars.contains(&c) != *negated,
            Self::Range { low, high, negated } => (*low..=*high).contains(&c) != *negated,
            _ => false,
        }
    }

    pub(super) fn matches(&self, s: &[u8]) -> bool {
        match self {
            Self::Text { bytes, .. } => s == bytes,
            Self::Any(separators) => find_any(s, separators).is_none(),
            Self::Super => true,
            Self::Single(_) | Self::List { .. } | Self::Range { .. } => {
                sole(s).is_some_and(|c| self.takes(c))
            }
            Self::Nothing => s.is_empty(),
            Self::Min(min) => chars(s).count() >= *min,
            Self::Max(max) => chars(s).count() <= *max,
            Self::Contains { needle, negated } => find(s, needle).is_some() != *negated,
            Self::Prefix(prefix) => s.starts_with(prefix),
            Self::Suffix(suffix) => s.ends_with(suffix),
            Self::PrefixSuffix(prefix, suffix) => s.starts_with(prefix) && s.ends_with(suffix),
            Self::PrefixAny(prefix, separators) => s
                .strip_prefix(prefix.as_slice())
                .is_some_and(|rest| find_any(rest, separators).is_none()),
            Self::SuffixAny(suffix, separators) => s
                .strip_suffix(suffix.as_slice())
                .is_some_and(|rest| find_any(rest, separators).is_none()),
            Self::Row { len, parts } => chars(s).count() == *len && row_matches(parts, s),
            Self::AnyOf(alternatives) => alternatives.iter().any(|m| m.matches(s)),
            Self::EveryOf(every) => every.iter().all(|m| m.matches(s)),
            Self::Tree(tree) => tree.matches(s),
        }
    }

    /// Finds the first place in `s` from which it could match.
    fn find_in(&self, s: &[u8]) -> Hit {
        match self {
            Self::Text { bytes, .. } => find(s, bytes).map(|at| (at, vec![bytes.len()])),
            Self::Any(separators) => {
                let end = find_any(s, separators).unwrap_or(s.len());
                Some((0, boundaries(&s[..end])))
            }
            Self::Super => Some((0, boundaries(s))),
            Self::Single(_) | Self::List { .. } | Self::Range { .. } => chars(s)
                .find(|(_, c)| self.takes(*c))
                .map(|(at, c)| (at, vec![c.len_utf8()])),
            Self::Nothing => Some((0, vec![0])),
            Self::Min(min) => find_min(s, *min),
            Self::Max(max) => Some((0, [0].into_iter().chain(ends(s).take(*max)).collect())),
            Self::Contains { needle, negated } => find_contains(s, needle, *negated),
            Self::Prefix(prefix) => find_prefix(s, prefix, &[]),
            Self::PrefixAny(prefix, separators) => find_prefix(s, prefix, separators),
            Self::Suffix(suffix) => find(s, suffix).map(|at| (0, vec![at + suffix.len()])),
            Self::SuffixAny(suffix, separators) => {
                let at = find(s, suffix)?;
                let start = chars(&s[..at])
                    .filter(|(_, c)| separators.contains(c))
                    .last()
                    .map_or(0, |(separator, _)| separator + 1);
                Some((start, vec![at + suffix.len() - start]))
            }
            Self::PrefixSuffix(prefix, suffix) => find_prefix_suffix(s, prefix, suffix),
            Self::Row { len, parts } => chars(s)
                .map(|(at, _)| at)
                .take_while(|&at| s.len() - at >= *len)
                .find(|&at| row_matches(parts, &s[at..]))
                .map(|at| (at, vec![*len])),
            Self::AnyOf(alternatives) => find_any_of(s, alternatives),
            Self::EveryOf(every) => find_every_of(s, every),
            Self::Tree(_) => None,
        }
    }
}

/// Cuts `s` into pieces of as many characters as each part takes, the last of a piece's characters
/// by one byte only.
fn row_matches(parts: &[Matcher], s: &[u8]) -> bool {
    let mut at = 0;
    for part in parts {
        let len = part.len().unwrap_or_default();
        let starts: Vec<usize> = chars(&s[at..])
            .map(|(start, _)| start)
            .take(len.max(1))
            .collect();
        let next = starts.last().copied().unwrap_or_default();
        let end = (at + next + 1).min(s.len());
        if starts.len() < len || !part.matches(&s[at..end]) {
            return false;
        }
        at = end;
    }
    true
}

fn find_min(s: &[u8], min: usize) -> Hit {
    if s.len() < min {
        return None;
    }
    let takes: Vec<usize> = ends(s).skip(min.saturating_sub(1)).collect();
    (!takes.is_empty()).then_some((0, takes))
}

fn find_contains(s: &[u8], needle: &[u8], negated: bool) -> Hit {
    let at = find(s, needle);
    if negated {
        return Some((0, boundaries(&s[..at.unwrap_or(s.len())])));
    }
    let from = at? + needle.len();
    let takes = boundaries(&s[from..]).into_iter().map(|n| from + n);
    Some((0, takes.collect()))
}

fn find_prefix(s: &[u8], prefix: &[u8], separators: &[char]) -> Hit {
    let at = find(s, prefix)?;
    let rest = &s[at + prefix.len()..];
    let rest = &rest[..find_any(rest, separators).unwrap_or(rest.len())];
    let takes = [0].into_iter().chain(ends(rest)).map(|n| prefix.len() + n);
    Some((at, takes.collect()))
}

fn find_prefix_suffix(s: &[u8], prefix: &[u8], suffix: &[u8]) -> Hit {
    let at = find(s, prefix)?;
    let mut rest = &s[at..];
    if suffix.is_empty() {
        return Some((at, vec![rest.len()]));
    }
    let mut takes = Vec::new();
    while let Some(end) = rfind(rest, suffix) {
        takes.push(end + suffix.len());
        rest = &rest[..end];
    }
    takes.reverse();
    (!takes.is_empty()).then_some((at, takes))
}

fn find_any_of(s: &[u8], alternatives: &[Matcher]) -> Hit {
    let mut best: Hit = None;
    for (at, takes) in alternatives.iter().filter_map(|m| m.find_in(s)) {
        match &mut best {
            Some((first, seen)) if *first == at => {
                seen.extend(takes);
                seen.sort_unstable();
                seen.dedup();
            }
            Some((first, _)) if *first < at => {}
            _ => best = Some((at, takes)),
        }
    }
    best
}

fn find_every_of(s: &[u8], every: &[Matcher]) -> Hit {
    let (mut index, mut offset) = (0, 0);
    let mut current: Vec<usize> = Vec::new();
    for (number, matcher) in every.iter().enumerate() {
        let (at, takes) = matcher.find_in(&s[index..])?;
        if number == 0 {
            current = takes;
        } else {
            let start = at + offset;
            current = current
                .iter()
                .filter_map(|&n| (n + index).checked_sub(start))
                .filter(|n| takes.contains(n))
                .collect();
            if current.is_empty() {
                return None;
            }
        }
        index = at + offset;
        offset += at;
    }
    Some((index, current))
}

impl Tree {
    fn matches(&self, s: &[u8]) -> bool {
        if self.len.is_some_and(|len| len > s.len()) {
            return false;
        }
        let mut offset = self.left_len.unwrap_or(0);
        let Some(limit) = s.len().checked_sub(self.right_len.unwrap_or(0)) else {
            return false;
        };
        while offset < limit {
            let Some((found, takes)) = self.value.find_in(&s[offset..limit]) else {
                return false;
            };
            let at = offset + found;
            let fits = |side: &Option<Matcher>, s: &[u8]| {
                side.as_ref().map_or(s.is_empty(), |m| m.matches(s))
            };
            if fits(&self.left, &s[..at])
                && takes
                    .iter()
                    .rev()
                    .any(|take| fits(&self.right, s.get(at + take..).unwrap_or_default()))
            {
                return true;
            }
            offset = at + decode(&s[at..]).1.max(1);
        }
        false
    }
}
