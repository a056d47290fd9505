//! Printing one value under one verb: the flags, the padding and the walk through lists and maps.

use crate::value::{MAX_NESTING, Value};

use super::MAX_TEXT;
use super::quote::{self, Plain};

/// The flags, width and precision of one verb.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent flags of one letter each"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

/// Writes values into a text.
#[derive(Debug)]
pub(crate) struct Printer {
    pub(crate) out: String,
    pub(super) flags: Flags,
    pub(super) depth: usize,
    /// Nothing is added to a text longer than this: parts that values share can make it endless.
    pub(super) limit: usize,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            out: String::new(),
            flags: Flags::default(),
            depth: 0,
            limit: MAX_TEXT,
        }
    }
}

impl Printer {
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    /// Prints `value` under `verb`, or says that the verb does not fit.
    pub(crate) fn value(&mut self, value: &Value, verb: char) {
        if self.is_full() {
            return;
        }
        match verb {
            'T' if value.is_nil() => return self.pad("<nil>"),
            'T' => return self.string(value.type_name(), 's'),
            'p' => return self.bad_verb(value, verb),
            _ => {}
        }
        match value {
            Value::Absent | Value::Nil => {
                if verb == 'v' {
                    let text = if self.flags.sharp_v && self.depth > 0 {
                        "interface {}(nil)"
                    } else {
                        "<nil>"
                    };
                    if self.depth > 0 {
                        self.out.push_str(text);
                    } else {
                        self.pad(text);
                    }
                } else if self.depth > 0 {
                    self.out.push_str("<nil>");
                } else {
                    self.bad_verb(value, verb);
                }
            }
            Value::Bool(b) => match verb {
                't' | 'v' => self.pad(if *b { "true" } else { "false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(n) | Value::Int64(n) => {
                self.integer(value, n.unsigned_abs(), *n < 0, true, verb);
            }
            Value::Uint(n) => self.integer(value, *n, false, false, verb),
            Value::Byte(n) => self.integer(value, u64::from(*n), false, false, verb),
            Value::Float(f) => self.float(value, *f, verb),
            Value::Complex(re, im) => self.complex(value, *re, *im, verb),
            Value::Str(s) => match verb {
                'v' if self.flags.sharp_v => self.string(s, 'q'),
                'v' => self.string(s, 's'),
                's' | 'x' | 'X' | 'q' => self.string(s, verb),
                _ => self.bad_verb(value, verb),
            },
            Value::List(_) | Value::Map(_) => self.container(value, verb),
            Value::Func(_) => self
                .out
                .push_str(if verb == 'v' { "0xfunc" } else { "%!(func)" }),
            Value::Opaque(o) => match (verb, o.integer()) {
                ('v' | 's' | 'x' | 'X' | 'q', _) => {
                    self.string(&o.text(), if verb == 'v' { 's' } else { verb });
                }
                (_, Some(n)) => self.integer(value, n.unsigned_abs(), n < 0, true, verb),
                _ => self.bad_verb(value, verb),
            },
        }
    }

    fn container(&mut self, value: &Value, verb: char) {
        if self.depth >= MAX_NESTING {
            self.out.push_str("...");
            return;
        }
        self.depth += 1;
        let (open, close, separator) = match (self.flags.sharp_v, value) {
            (true, _) => ("{", "}", ", "),
            (false, Value::Map(_)) => ("map[", "]", " "),
            (false, _) => ("[", "]", " "),
        };
        if self.flags.sharp_v {
            self.out.push_str(value.type_name());
        }
        self.out.push_str(open);
        match value {
            Value::List(l) => {
                for (i, item) in l.iter().enumerate() {
                    if self.is_full() {
                        break;
                    }
                    if i > 0 {
                        self.out.push_str(separator);
                    }
                    self.value(item, verb);
                }
            }
            Value::Map(m) => {
                for (i, (key, item)) in m.entries().iter().enumerate() {
                    if self.is_full() {
                        break;
                    }
                    if i > 0 {
                        self.out.push_str(separator);
                    }
                    self.value(&Value::Str(key.clone()), verb);
                    self.out.push(':');
                    self.value(item, verb);
                }
            }
            _ => {}
        }
        self.out.push_str(close);
        self.depth -= 1;
    }

    /// `%!d(string=x)`
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.out.push_str("%!");
        self.out.push(verb);
        self.out.push('(');
        if value.is_nil() {
            self.out.push_str("<nil>");
        } else {
            self.out.push_str(value.type_name());
            self.out.push('=');
            self.value(value, 'v');
        }
        self.out.push(')');
    }

    /// A string under `s q x X`.
    fn string(&mut self, text: &str, verb: char) {
        match verb {
            'x' => self.hex_bytes(text.as_bytes(), false),
            'X' => self.hex_bytes(text.as_bytes(), true),
            'q' => {
                let text = self.truncated(text).to_owned();
                if self.flags.sharp && quote::can_backquote(&text) {
                    return self.pad(&format!("`{text}`"));
                }
                let plain = if self.flags.plus {
                    Plain::Ascii
                } else {
                    Plain::Printable
                };
                self.pad(&quote::quote_with(&text, plain));
            }
            _ => {
                let text = self.truncated(text).to_owned();
                self.pad(&text);
            }
        }
    }

    /// As many characters as the precision allows.
    fn truncated<'t>(&self, text: &'t str) -> &'t str {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        text.char_indices()
            .nth(precision)
            .map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
    }

    fn hex_bytes(&mut self, bytes: &[u8], upper: bool) {
        let bytes = bytes
            .get(..self.flags.precision.unwrap_or(bytes.len()))
            .unwrap_or(bytes);
        let prefix = if upper { "0X" } else { "0x" };
        let mut text = String::new();
        if self.flags.sharp && !bytes.is_empty() {
            text.push_str(prefix);
        }
        for (i, b) in bytes.iter().enumerate() {
            if i > 0 && self.flags.space {
                text.push(' ');
                if self.flags.sharp {
                    text.push_str(prefix);
                }
            }
            text.push_str(&if upper {
                format!("{b:02X}")
            } else {
                format!("{b:02x}")
            });
        }
        self.pad(&text);
    }

    /// Appends a text, filled up to the width.
    pub(super) fn pad(&mut self, text: &str) {
        let missing = self
            .flags
            .width
            .unwrap_or(0)
            .saturating_sub(text.chars().count());
        if self.flags.minus {
            self.out.push_str(text);
            self.out.extend(std::iter::repeat_n(' ', missing));
        } else {
            let fill = if self.flags.zero { '0' } else { ' ' };
            self.out.extend(std::iter::repeat_n(fill, missing));
            self.out.push_str(text);
        }
    }
}
