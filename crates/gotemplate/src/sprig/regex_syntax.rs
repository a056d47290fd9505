//! From Go's regular expression syntax to the regex crate's: same language, other spellings and a few other defaults.

use std::iter::Peekable;
use std::str::Chars;

/// The same expression in the regex crate's syntax; the error is what Go calls it.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut t = Translation {
        chars: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 8),
        repeated: Repeat::Nothing,
    };
    while let Some(c) = t.chars.next() {
        t.outside(c)?;
    }
    Ok(t.out)
}

/// Go refuses to repeat anything more often.
const MOST_REPEATED: u32 = 1000;

/// What a repetition sign would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Nothing,
    Atom,
    Repetition,
}

struct Translation<'a> {
    chars: Peekable<Chars<'a>>,
    out: String,
    repeated: Repeat,
}

impl Translation<'_> {
    fn outside(&mut self, c: char) -> Result<(), String> {
        let after = match c {
            '\\' => return self.escape(false),
            '[' => {
                self.class()?;
                Repeat::Atom
            }
            '(' => {
                self.group()?;
                Repeat::Nothing
            }
            '*' | '+' | '?' => return self.repetition(c.encode_utf8(&mut [0; 4])),
            '{' => {
                if let Some(text) = self.counted()? {
                    return self.repetition(&text);
                }
                self.out.push_str("\\{");
                Repeat::Atom
            }
            '|' => {
                self.out.push(c);
                Repeat::Nothing
            }
            '}' | ']' | '#' | '&' | '~' | '-' => {
                self.out.push('\\');
                self.out.push(c);
                Repeat::Atom
            }
            c => {
                self.out.push(c);
                Repeat::Atom
            }
        };
        self.repeated = after;
        Ok(())
    }

    fn repetition(&mut self, sign: &str) -> Result<(), String> {
        match self.repeated {
            Repeat::Nothing => return Err("missing argument to repetition operator".to_owned()),
            Repeat::Repetition => return Err("invalid nested repetition operator".to_owned()),
            Repeat::Atom => {}
        }
        self.out.push_str(sign);
        if self.chars.peek() == Some(&'?') {
            self.chars.next();
            self.out.push('?');
        }
        self.repeated = Repeat::Repetition;
        Ok(())
    }

    /// `{2,3}`, when what follows a brace is one.
    fn counted(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.chars.clone();
        let mut inner = String::new();
        loop {
            match ahead.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => inner.push(c),
                _ => return Ok(None),
            }
        }
        let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
        if least.is_empty() || most.contains(',') {
            return Ok(None);
        }
        let is_too_large = |count: &str| {
            count
                .parse()
                .map_or(!count.is_empty(), |n: u32| n > MOST_REPEATED)
        };
        if is_too_large(least) || is_too_large(most) {
            return Err(format!("invalid repeat count: `{{{inner}}}`"));
        }
        self.chars = ahead;
        Ok(Some(format!("{{{inner}}}")))
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.chars.peek() != Some(&'?') {
            return Ok(());
        }
        self.chars.next();
        self.out.push('?');
        if matches!(self.chars.peek(), Some('P' | '<')) {
            return Ok(());
        }
        // Flags; Go knows fewer than the regex crate.
        for c in self.chars.by_ref() {
            self.out.push(c);
            match c {
                ':' | ')' => return Ok(()),
                'i' | 'm' | 's' | 'U' | '-' => {}
                _ => return Err("invalid or unsupported Perl syntax".to_owned()),
            }
        }
        Err("missing closing )".to_owned())
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.chars.peek() == Some(&'^') {
            self.chars.next();
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.chars.next() else {
                return Err("missing closing ]".to_owned());
            };
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.chars.peek() == Some(&':') => self.named_class(),
                '\\' => self.escape(true)?,
                '[' | ']' | '&' | '~' | '^' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                '-' => {
                    // At either end it is itself, in between it makes a range.
                    let literal = first || self.chars.peek() == Some(&']');
                    self.out.push_str(if literal { "\\-" } else { "-" });
                }
                c => self.out.push(c),
            }
            first = false;
        }
    }

    /// `[:alpha:]`, when it is one.
    fn named_class(&mut self) {
        let rest: String = self.chars.clone().collect();
        match rest.find(":]") {
            Some(end)
                if rest
                    .get(1..end)
                    .is_some_and(|n| n.chars().all(|c| c == '^' || c.is_ascii_lowercase())) =>
            {
                self.out.push('[');
                for _ in 0..end + 2 {
                    self.out.extend(self.chars.next());
                }
            }
            _ => self.out.push_str("\\["),
        }
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(c) = self.chars.next() else {
            return Err("trailing backslash at end of expression".to_owned());
        };
        self.repeated = Repeat::Atom;
        let ascii = match c {
            'd' => "0-9",
            'D' => "^0-9",
            'w' => "0-9A-Za-z_",
            'W' => "^0-9A-Za-z_",
            's' => r"\t\n\f\r ",
            'S' => r"^\t\n\f\r ",
            _ => "",
        };
        if !ascii.is_empty() {
            self.out.push_str(&format!("[{ascii}]"));
            return Ok(());
        }
        match c {
            'b' | 'B' if !in_class => self.out.push_str(&format!("(?-u:\\{c})")),
            'A' | 'z' if !in_class => self.out.push_str(&format!("\\{c}")),
            'Q' if !in_class => self.quoted(),
            'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'x' | 'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
                if matches!(c, 'x' | 'p' | 'P') {
                    self.braced();
                }
            }
            '0'..='7' => self.octal(c)?,
            c if c.is_ascii_punctuation() => self.out.push_str(&regex::escape(&c.to_string())),
            c => return Err(format!("invalid escape sequence: `\\{c}`")),
        }
        Ok(())
    }

    /// What follows `\x` and `\p`: a single sign or a name in braces.
    fn braced(&mut self) {
        if self.chars.peek() != Some(&'{') {
            self.out.extend(self.chars.next());
            return;
        }
        for c in self.chars.by_ref() {
            self.out.push(c);
            if c == '}' {
                break;
            }
        }
    }

    /// `\Q…\E`
    fn quoted(&mut self) {
        while let Some(c) = self.chars.next() {
            if c == '\\' && self.chars.peek() == Some(&'E') {
                self.chars.next();
                return;
            }
            self.out.push_str(&regex::escape(&c.to_string()));
        }
    }

    fn octal(&mut self, first: char) -> Result<(), String> {
        let mut digits = String::from(first);
        while digits.len() < 3 {
            match self.chars.peek() {
                Some(c @ '0'..='7') => digits.push(*c),
                _ => break,
            }
            self.chars.next();
        }
        if first != '0' && digits.len() == 1 {
            return Err(format!("invalid escape sequence: `\\{first}`"));
        }
        let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
        self.out.push_str(&format!("\\x{{{code:X}}}"));
        Ok(())
    }
}
