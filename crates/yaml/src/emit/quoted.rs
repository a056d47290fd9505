//! Writes scalars of one style, folding long lines at spaces. Never chooses the style.

use super::{Emitter, analysis::is_printable};
use crate::cursor::is_break;

/// Where a line may be folded at the next space.
const WIDTH: usize = 80;

impl Emitter {
    pub(super) fn plain(&mut self, text: &str, foldable: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let fold = foldable && !spaces && self.column > WIDTH && chars.peek() != Some(&' ');
            if c == ' ' && fold {
                self.write_indent();
            } else {
                self.put(c);
            }
            spaces = c == ' ';
            self.indention = self.indention && spaces;
        }
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, foldable: bool) {
        self.indicator("'", true, false);
        let mut spaces = false;
        let mut breaks = false;
        let mut first = true;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' {
                let inside = !first && chars.peek().is_some_and(|&next| next != ' ');
                if foldable && !spaces && self.column > WIDTH && inside {
                    self.write_indent();
                } else {
                    self.put(c);
                }
            } else if is_break(c) {
                self.put(c);
                self.indention = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.indention = false;
            }
            spaces = c == ' ';
            breaks = is_break(c);
            first = false;
        }
        self.indicator("'", false, false);
    }

    pub(super) fn double_quoted(&mut self, text: &str, foldable: bool) {
        self.indicator("\"", true, false);
        // Kubernetes' printer takes every character after a leading byte-order mark for one.
        let marked = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut first = true;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if marked || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let inside = !first && chars.peek().is_some();
                if foldable && !spaces && self.column > WIDTH && inside {
                    self.write_indent();
                    if chars.peek() == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
            first = false;
        }
        self.indicator("\"", false, false);
    }

    fn escape(&mut self, c: char) {
        let letter = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            '"' | '\\' => c,
            _ => {
                let code = u32::from(c);
                let escaped = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                escaped.chars().for_each(|c| self.put(c));
                return;
            }
        };
        self.put('\\');
        self.put(letter);
    }
}
