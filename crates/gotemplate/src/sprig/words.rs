//! Words and their case.

use crate::funcs::FuncMap;

use super::args::text;

pub(super) fn register(m: &mut FuncMap) {
    m.add("upper", "string", |a| {
        Ok(text(a, 0).chars().map(upper).collect::<String>().into())
    });
    m.add("lower", "string", |a| {
        Ok(text(a, 0).chars().map(lower).collect::<String>().into())
    });
    m.add("title", "string", |a| Ok(title(text(a, 0)).into()));
    m.add("untitle", "string", |a| Ok(untitle(text(a, 0)).into()));
    m.add("swapcase", "string", |a| Ok(swap_case(text(a, 0)).into()));
    m.add("initials", "string", |a| Ok(initials(text(a, 0)).into()));
    m.add(
        "camelcase",
        "string",
        |a| Ok(pascal_case(text(a, 0)).into()),
    );
    m.add("snakecase", "string", |a| {
        Ok(separated(text(a, 0), '_').into())
    });
    m.add("kebabcase", "string", |a| {
        Ok(separated(text(a, 0), '-').into())
    });
}

/// The upper case of one character; those that would become several stay.
fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        // The dotted capital I is the only one that grows; Go makes it a plain i.
        (Some(first), Some(_)) => first,
        _ => c,
    }
}

/// Go's `strings.Title`: whatever is no letter, digit or underscore separates ASCII words.
fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let starts = if previous.is_ascii() {
                !(previous.is_ascii_alphanumeric() || previous == '_')
            } else {
                !previous.is_alphanumeric() && previous.is_whitespace()
            };
            previous = c;
            if starts { upper(c) } else { c }
        })
        .collect()
}

fn untitle(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let first = start;
            start = c.is_whitespace();
            if first && !start { lower(c) } else { c }
        })
        .collect()
}

fn swap_case(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            if c.is_uppercase() {
                after_space = false;
                lower(c)
            } else if c.is_lowercase() {
                after_space = false;
                upper(c)
            } else {
                after_space = c.is_whitespace();
                c
            }
        })
        .collect()
}

/// The first byte of each word, taken for a character as goutils does.
fn initials(text: &str) -> String {
    let mut gap = true;
    let mut out = String::new();
    for c in text.bytes().map(char::from) {
        if c.is_whitespace() {
            gap = true;
        } else if gap {
            out.push(c);
            gap = false;
        }
    }
    out
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// `some_words here` becomes `SomeWordsHere`; connectors at either end stay.
fn pascal_case(text: &str) -> String {
    let start = text.find(|c| !is_connector(c)).unwrap_or(text.len());
    let (lead, rest) = text.split_at(start);
    let mut out = lead.to_owned();
    let mut chars = rest.chars();
    let Some(first) = chars.next() else {
        // xstrings repeats the last of nothing but connectors.
        out.extend(lead.chars().next_back());
        return out;
    };
    let mut word_is_upper = first.is_uppercase();
    let mut last = upper(first);
    for c in chars {
        let before = last;
        last = c;
        if is_connector(c) && is_connector(before) {
            out.push(before);
            continue;
        }
        if is_connector(before) {
            word_is_upper = c.is_uppercase();
            last = upper(c);
            continue;
        }
        if word_is_upper {
            if c.is_uppercase() {
                last = lower(c);
            } else {
                word_is_upper = false;
            }
        }
        out.push(before);
    }
    out.push(last);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

/// Letters of any case but those that are upper case by themselves start with one.
fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c);
    }
    matches!(u32::from(c), 0xa1 | 0xa7 | 0xab | 0xb6 | 0xb7 | 0xbb | 0xbf | 0x2010..=0x2027 | 0x2030..=0x205e | 0x3001..=0x3003 | 0x3008..=0x3011)
}

/// The first word of a text, its kind, and what follows.
fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else {
        return (Word::None, "", "");
    };
    let run = |from: usize, belongs: &dyn Fn(char) -> bool| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
    };
    let one = first.len_utf8();
    let lower_run = |from: usize| run(from, &|c| is_letter(c) && !c.is_uppercase());
    let (kind, end) = if is_connector(first) {
        (Word::Connector, run(0, &is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(0, &is_punctuation))
    } else if first.is_uppercase() {
        (
            Word::Upper,
            upper_word(text, one, run(0, &char::is_uppercase), lower_run(one)),
        )
    } else if is_letter(first) {
        (Word::Letters, lower_run(0))
    } else if first.is_numeric() {
        (Word::Number, run(0, &char::is_numeric))
    } else {
        let other =
            |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
        (Word::Other, run(0, &other))
    };
    let (word, rest) = text.split_at(end);
    (kind, word, rest)
}

/// Where a word that starts with a capital ends: `HTTPStatus` is `HTTP` and `Status`.
fn upper_word(text: &str, one: usize, capitals: usize, lowers: usize) -> usize {
    if capitals == one {
        return lowers;
    }
    let head = text.get(..capitals).unwrap_or_default();
    let next_is_letter = text
        .get(capitals..)
        .and_then(|s| s.chars().next())
        .is_some_and(is_letter);
    match head.char_indices().next_back() {
        Some((last, _)) if next_is_letter => last,
        _ => capitals,
    }
}

/// `SomeWordsHere` becomes `some_words_here`.
fn separated(text: &str, connector: char) -> String {
    let mut out = Separated {
        out: String::new(),
        connector,
    };
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            out.word(kind, word);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Word::Number => (kind, word, rest) = out.letters_and_numbers(kind, word, rest),
            Word::Connector => out.word(before, last),
            Word::Punctuation => {}
            _ if kind != Word::Number => out.separate_unless(kind),
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind == Word::Letters {
                    out.out.push(connector);
                    out.word(Word::Number, number);
                    (kind, word, rest) = out.letters_and_numbers(kind, word, rest);
                } else {
                    out.word(Word::Number, number);
                    out.separate_unless(kind);
                }
            }
        }
    }
    out.word(kind, word);
    out.out
}

struct Separated {
    out: String,
    connector: char,
}

impl Separated {
    fn separate_unless(&mut self, next: Word) {
        if !matches!(next, Word::Connector | Word::Punctuation) {
            self.out.push(self.connector);
        }
    }

    /// Letters and numbers after a number belong to it.
    fn letters_and_numbers<'t>(
        &mut self,
        kind: Word,
        word: &'t str,
        rest: &'t str,
    ) -> (Word, &'t str, &'t str) {
        let (mut kind, mut word, mut rest) = (kind, word, rest);
        while matches!(kind, Word::Letters | Word::Number) {
            self.word(kind, word);
            (kind, word, rest) = next_word(rest);
        }
        if !matches!(kind, Word::None | Word::Connector | Word::Punctuation) {
            self.out.push(self.connector);
        }
        (kind, word, rest)
    }

    fn word(&mut self, kind: Word, word: &str) {
        if !matches!(kind, Word::Upper | Word::Connector) {
            self.out.push_str(word);
            return;
        }
        let connector = self.connector;
        self.out.extend(
            word.chars()
                .map(|c| if is_connector(c) { connector } else { lower(c) }),
        );
    }
}
