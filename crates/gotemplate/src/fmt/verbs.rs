//! `fmt.Sprintf`: reading the format.

use crate::value::Value;

use super::printer::{Flags, Printer};

/// Formats `args` as Go does; what does not fit is said within the text.
pub(crate) fn sprintf(format: &str, args: &[Value]) -> String {
    let mut f = Formatting {
        rest: format,
        args,
        next: 0,
        reordered: false,
        good_index: true,
        printer: Printer::default(),
    };
    while let Some(percent) = f.rest.find('%') {
        if f.printer.is_full() {
            break;
        }
        let (text, rest) = f.rest.split_at(percent);
        f.printer.out.push_str(text);
        f.rest = rest.get(1..).unwrap_or_default();
        f.verb();
    }
    f.printer.out.push_str(f.rest);
    f.report_extra();
    f.printer.out
}

struct Formatting<'a> {
    rest: &'a str,
    args: &'a [Value],
    next: usize,
    /// Whether the format has named any argument by its number.
    reordered: bool,
    good_index: bool,
    printer: Printer,
}

/// Go refuses larger widths and precisions.
const TOO_LARGE: i64 = 1_000_000;

impl Formatting<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    fn verb(&mut self) {
        self.printer.flags = Flags::default();
        self.good_index = true;
        let mut after_index = false;
        self.flags();
        after_index = self.index(after_index);
        if self.peek() == Some('*') {
            self.advance();
            match self.star() {
                Some(width) => {
                    if width < 0 {
                        self.printer.flags.minus = true;
                        self.printer.flags.zero = false;
                    }
                    self.printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.printer.out.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            self.printer.flags.width = self.number();
            if after_index && self.printer.flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.peek() == Some('.') {
            self.advance();
            if after_index {
                self.good_index = false;
            }
            after_index = self.index(after_index);
            if self.peek() == Some('*') {
                self.advance();
                match self.star() {
                    Some(precision) if precision >= 0 => {
                        self.printer.flags.precision = usize::try_from(precision).ok();
                    }
                    Some(_) | None => self.printer.out.push_str("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                self.printer.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index(after_index);
        }
        let Some(verb) = self.peek() else {
            self.printer.out.push_str("%!(NOVERB)");
            return;
        };
        self.advance();
        self.apply(verb);
    }

    fn apply(&mut self, verb: char) {
        if verb == '%' {
            self.printer.out.push('%');
            return;
        }
        if !self.good_index {
            self.complain(verb, "(BADINDEX)");
            return;
        }
        let Some(arg) = self.args.get(self.next) else {
            self.complain(verb, "(MISSING)");
            return;
        };
        self.next += 1;
        let flags = &mut self.printer.flags;
        if matches!(verb, 'v' | 'w') {
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        if verb == 'w' {
            // Only errors are wrapped, and only by `Errorf`.
            self.printer.bad_verb(arg, verb);
        } else {
            self.printer.value(arg, verb);
        }
    }

    fn complain(&mut self, verb: char, what: &str) {
        self.printer.out.push_str("%!");
        self.printer.out.push(verb);
        self.printer.out.push_str(what);
    }

    fn flags(&mut self) {
        while let Some(c) = self.peek() {
            let flags = &mut self.printer.flags;
            match c {
                '#' => flags.sharp = true,
                '0' => flags.zero = true,
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                ' ' => flags.space = true,
                _ => break,
            }
            self.advance();
        }
        // Zeros are never put to the right.
        if self.printer.flags.minus {
            self.printer.flags.zero = false;
        }
    }

    /// A decimal number; at one that is far too large Go gives up on the rest of the format.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.len()
            - self
                .rest
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits == 0 {
            return None;
        }
        let (number, rest) = self.rest.split_at(digits);
        let number = number.trim_start_matches('0');
        let too_large =
            number.len() > 8 || number.len() == 8 && number.get(..7).is_some_and(|n| n > "1000000");
        self.rest = if too_large { "" } else { rest };
        if too_large {
            None
        } else {
            Some(number.parse().unwrap_or(0))
        }
    }

    /// `[2]`: the next argument is the second.
    fn index(&mut self, before: bool) -> bool {
        if self.peek() != Some('[') {
            return before;
        }
        self.reordered = true;
        let Some(end) = self.rest.find(']') else {
            self.good_index = false;
            self.advance();
            return true;
        };
        let inner = self.rest.get(1..end).unwrap_or_default();
        let number = if inner.bytes().all(|b| b.is_ascii_digit()) {
            inner.parse::<usize>().ok()
        } else {
            None
        };
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        match number {
            Some(n) if n >= 1 && n <= self.args.len() => {
                self.next = n - 1;
                true
            }
            _ => {
                self.good_index = false;
                true
            }
        }
    }

    /// The argument that a star takes as a number.
    fn star(&mut self) -> Option<i64> {
        let number = match self.args.get(self.next)? {
            Value::Int(n) | Value::Int64(n) => Some(*n),
            Value::Uint(n) => i64::try_from(*n).ok(),
            Value::Byte(n) => Some(i64::from(*n)),
            _ => None,
        };
        self.next += 1;
        number.filter(|n| (-TOO_LARGE..=TOO_LARGE).contains(n))
    }

    fn report_extra(&mut self) {
        if self.reordered || self.next >= self.args.len() {
            return;
        }
        self.printer.flags = Flags::default();
        self.printer.out.push_str("%!(EXTRA ");
        for (i, arg) in self.args.iter().enumerate().skip(self.next) {
            if i > self.next {
                self.printer.out.push_str(", ");
            }
            if arg.is_nil() {
                self.printer.out.push_str("<nil>");
            } else {
                self.printer.out.push_str(arg.type_name());
                self.printer.out.push('=');
                self.printer.value(arg, 'v');
            }
        }
        self.printer.out.push(')');
    }
}
