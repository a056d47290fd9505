//! The tokens of a template. Deliberately as tolerant as Go's: what is wrong inside a token, the parser notices.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Char,
    Bool,
    Number,
    CharConstant,
    Complex,
    String,
    RawString,
    Identifier,
    Field,
    Variable,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

/// A token: its kind, its text, where it starts and on which line.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) pos: usize,
    pub(super) line: usize,
}

/// Splits a template into tokens; the last one is the end or an error.
///
/// `keywords` tells whether `break` and `continue` are keywords, which they are unless functions have these names.
pub(super) fn tokens(input: &str, keywords: [bool; 2]) -> Vec<Token> {
    let mut lexer = Lexer {
        input,
        pos: 0,
        start: 0,
        line: 1,
        parens: 0,
        keywords,
        out: Vec::new(),
    };
    lexer.run();
    lexer.out
}

struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    start: usize,
    line: usize,
    parens: usize,
    keywords: [bool; 2],
    out: Vec<Token>,
}

/// Whether the lexer can go on.
type Going = Result<(), ()>;

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn skip(&mut self) {
        let skipped = self.input.get(self.start..self.pos).unwrap_or_default();
        self.line += skipped.matches('\n').count();
        self.start = self.pos;
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.input.get(self.start..self.pos).unwrap_or_default();
        self.out.push(Token {
            kind,
            text: text.to_owned(),
            pos: self.start,
            line: self.line,
        });
        self.skip();
    }

    fn fail(&mut self, message: impl Into<String>) -> Going {
        self.out.push(Token {
            kind: Kind::Error,
            text: message.into(),
            pos: self.start,
            line: self.line,
        });
        Err(())
    }

    fn run(&mut self) {
        loop {
            let Some(open) = self.rest().find("{{") else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.emit(Kind::Text);
                }
                self.emit(Kind::Eof);
                return;
            };
            self.text(open);
            if self.action().is_err() {
                return;
            }
        }
    }

    /// The text before an action, trimmed when the action asks for it.
    fn text(&mut self, length: usize) {
        let end = self.pos + length;
        let text = self.input.get(self.pos..end).unwrap_or_default();
        let after = self.input.get(end + 2..).unwrap_or_default();
        let kept = if trims_left(after) {
            text.trim_end_matches(SPACES).len()
        } else {
            text.len()
        };
        self.pos += kept;
        if kept > 0 {
            self.emit(Kind::Text);
        }
        self.pos = end;
        self.skip();
    }

    fn action(&mut self) -> Going {
        let marker = if trims_left(self.input.get(self.pos + 2..).unwrap_or_default()) {
            2
        } else {
            0
        };
        if self
            .input
            .get(self.pos + 2 + marker..)
            .is_some_and(|s| s.starts_with("/*"))
        {
            self.pos += 2 + marker;
            self.skip();
            return self.comment();
        }
        self.pos += 2;
        self.emit(Kind::LeftDelim);
        self.pos += marker;
        self.skip();
        self.parens = 0;
        while self.inside()? {}
        Ok(())
    }

    fn comment(&mut self) -> Going {
        let Some(end) = self.rest().get(2..).and_then(|s| s.find("*/")) else {
            return self.fail("unclosed comment");
        };
        self.pos += 2 + end + 2;
        let Some(trim) = self.at_right_delim() else {
            return self.fail("comment ends before closing delimiter");
        };
        self.pos += if trim { 4 } else { 2 };
        if trim {
            self.trim_left();
        }
        self.skip();
        Ok(())
    }

    fn trim_left(&mut self) {
        self.pos = self.input.len() - self.rest().trim_start_matches(SPACES).len();
    }

    /// Whether the action ends here; if so, whether it trims what follows.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with(SPACES) && rest.get(1..).is_some_and(|s| s.starts_with("-}}")) {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    fn right_delim(&mut self, trim: bool) {
        if trim {
            self.pos += 2;
            self.skip();
        }
        self.pos += 2;
        self.emit(Kind::RightDelim);
        if trim {
            self.trim_left();
            self.skip();
        }
    }

    /// One token within an action; false at its end.
    fn inside(&mut self) -> Result<bool, ()> {
        if let Some(trim) = self.at_right_delim() {
            if self.parens > 0 {
                self.fail("unclosed left paren")?;
            }
            self.right_delim(trim);
            return Ok(false);
        }
        let Some(c) = self.next() else {
            self.fail("unclosed action")?;
            return Ok(false);
        };
        match c {
            c if SPACES.contains(&c) => return Ok(self.space()),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    self.fail("expected :=")?;
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', "unterminated quoted string", Kind::String)?,
            '\'' => self.quoted('\'', "unterminated character constant", Kind::CharConstant)?,
            '`' => {
                let Some(end) = self.rest().find('`') else {
                    self.fail("unterminated raw quoted string")?;
                    return Ok(false);
                };
                self.pos += end + 1;
                self.emit(Kind::RawString);
            }
            '$' => self.word(Kind::Variable, Kind::Variable)?,
            '.' if !self.peek().is_none_or(|c| c.is_ascii_digit()) => {
                self.word(Kind::Field, Kind::Dot)?;
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()?;
            }
            c if is_alphanumeric(c) => self.identifier()?,
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                if self.parens == 0 {
                    self.fail("unexpected right paren")?;
                }
                self.parens -= 1;
                self.emit(Kind::RightParen);
            }
            c if c.is_ascii_graphic() => self.emit(Kind::Char),
            c => self.fail(format!(
                "unrecognized character in action: U+{:04X}",
                u32::from(c)
            ))?,
        }
        Ok(true)
    }

    /// A run of blanks; the last one may belong to a trimming delimiter. False when the action ended with it.
    fn space(&mut self) -> bool {
        while self.accept(" \t\r\n") {}
        if self.rest().starts_with("-}}") {
            self.pos -= 1;
            if self.pos == self.start {
                self.right_delim(true);
                return false;
            }
        }
        self.emit(Kind::Space);
        true
    }

    fn quoted(&mut self, quote: char, message: &str, kind: Kind) -> Going {
        loop {
            match self.next() {
                Some('\\') => match self.next() {
                    None | Some('\n') => return self.fail(message),
                    Some(_) => {}
                },
                None | Some('\n') => return self.fail(message),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    /// A field or a variable, or the dot or dollar alone.
    fn word(&mut self, kind: Kind, alone: Kind) -> Going {
        if self.at_terminator() {
            self.emit(alone);
            return Ok(());
        }
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind);
        Ok(())
    }

    fn bad_character(&mut self) -> Going {
        let c = self.peek().map_or(0, u32::from);
        self.fail(format!("bad character U+{c:04X}"))
    }

    fn identifier(&mut self) -> Going {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match self.input.get(self.start..self.pos).unwrap_or_default() {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            "block" => Kind::Block,
            "break" if self.keywords[0] => Kind::Break,
            "continue" if self.keywords[1] => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    fn at_terminator(&self) -> bool {
        self.peek()
            .is_none_or(|c| SPACES.contains(&c) || ".,|:)(".contains(c))
            || self.rest().starts_with("}}")
    }

    fn number(&mut self) -> Going {
        let mut kind = Kind::Number;
        let mut good = self.scan_number();
        if good && matches!(self.peek(), Some('+' | '-')) {
            good =
                self.scan_number() && self.input.get(..self.pos).is_some_and(|s| s.ends_with('i'));
            kind = Kind::Complex;
        }
        if !good {
            let text = crate::fmt::quote(self.input.get(self.start..self.pos).unwrap_or_default());
            return self.fail(format!("bad number syntax: {text}"));
        }
        self.emit(kind);
        Ok(())
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn trims_left(after: &str) -> bool {
    after
        .strip_prefix('-')
        .is_some_and(|s| s.starts_with(SPACES))
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
