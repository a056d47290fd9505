//! Reads a gobwas pattern into a tree.
//!
//! What a stricter reader would refuse is accepted here: braces left open, a lone backslash at the end.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
    List {
        chars: Vec<char>,
        negated: bool,
    },
    Range {
        low: char,
        high: char,
        negated: bool,
    },
    /// Parts in sequence.
    Pattern(Vec<Self>),
    /// Alternatives, each a [`Node::Pattern`].
    AnyOf(Vec<Self>),
    /// What remains of an alternative after its common ends were taken out.
    Nothing,
}

pub(super) fn parse(pattern: &str) -> Result<Node, &'static str> {
    let mut reader = Reader {
        chars: pattern.chars().collect(),
        at: 0,
        depth: 0,
    };
    reader.sequence().map(Node::Pattern)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Reads up to what ends the sequence, which is left for the caller.
    fn sequence(&mut self) -> Result<Vec<Node>, &'static str> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                ',' | '}' if self.depth > 0 => break,
                '{' => {
                    self.at += 1;
                    nodes.push(self.alternatives()?);
                }
                '[' => {
                    self.at += 1;
                    nodes.push(self.class()?);
                }
                '?' => {
                    self.at += 1;
                    nodes.push(Node::Single);
                }
                '*' => {
                    self.at += 1;
                    if self.peek() == Some('*') {
                        self.at += 1;
                        nodes.push(Node::Super);
                    } else {
                        nodes.push(Node::Any);
                    }
                }
                _ => {
                    let text = if self.depth > 0 {
                        self.text("?*[{},")
                    } else {
                        self.text("?*[{")
                    };
                    if !text.is_empty() {
                        nodes.push(Node::Text(text));
                    }
                }
            }
        }
        Ok(nodes)
    }

    fn alternatives(&mut self) -> Result<Node, &'static str> {
        self.depth += 1;
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(Node::Pattern(self.sequence()?));
            if self.next() != Some(',') {
                break;
            }
        }
        self.depth -= 1;
        Ok(Node::AnyOf(alternatives))
    }

    fn text(&mut self, breakers: &str) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if breakers.contains(c) {
                break;
            }
            self.at += 1;
            if c != '\\' {
                text.push(c);
            } else if let Some(escaped) = self.next() {
                text.push(escaped);
            }
        }
        text
    }

    fn class(&mut self) -> Result<Node, &'static str> {
        const END: &str = "unexpected end of input";
        const UNCLOSED: &str = "expected close range character";
        let mut first = self.next().ok_or(END)?;
        let negated = first == '!';
        if negated {
            first = self.next().ok_or(END)?;
        }
        if self.peek() == Some('-') {
            self.at += 1;
            let high = self.next().ok_or(END)?;
            if self.next().ok_or(END)? != ']' {
                return Err(UNCLOSED);
            }
            if high < first {
                return Err("the range's end should be greater than its start");
            }
            if first == '\0' || high == '\0' {
                return Err("could not parse range");
            }
            return Ok(Node::Range {
                low: first,
                high,
                negated,
            });
        }
        self.at -= 1;
        let chars: Vec<char> = self.text("]").chars().collect();
        if self.next().ok_or(END)? != ']' {
            return Err(UNCLOSED);
        }
        if chars.is_empty() {
            return Err("could not parse range");
        }
        Ok(Node::List { chars, negated })
    }
}
