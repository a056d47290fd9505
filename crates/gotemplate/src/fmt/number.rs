//! Numbers under their verbs.

use crate::value::Value;

use super::float;
use super::printer::Printer;
use super::quote::{self, Plain};

impl Printer {
    /// An integer given by its magnitude and sign.
    pub(super) fn integer(
        &mut self,
        value: &Value,
        magnitude: u64,
        negative: bool,
        signed: bool,
        verb: char,
    ) {
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(magnitude, negative, 16, 'v');
                self.flags.sharp = sharp;
            }
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' => {
                let c = as_char(magnitude, negative);
                self.pad(c.encode_utf8(&mut [0; 4]));
            }
            'q' => {
                let plain = if self.flags.plus {
                    Plain::Ascii
                } else {
                    Plain::Printable
                };
                let code = if negative { u64::MAX } else { magnitude };
                self.pad(&quote::quote_rune(code, plain));
            }
            'U' => {
                let code = if negative {
                    magnitude.wrapping_neg()
                } else {
                    magnitude
                };
                let digits = self.flags.precision.unwrap_or(4).max(4);
                let mut text = format!("U+{code:0digits$X}");
                if self.flags.sharp && code <= 0x10_ffff {
                    let c = as_char(code, false);
                    if quote::is_printable(c) {
                        text.push_str(&format!(" '{c}'"));
                    }
                }
                let zero = std::mem::take(&mut self.flags.zero);
                self.pad(&text);
                self.flags.zero = zero;
            }
            _ => self.bad_verb(value, verb),
        }
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) {
        let flags = self.flags.clone();
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let mut least = 0;
        if let Some(precision) = flags.precision {
            least = precision;
            if precision == 0 && magnitude == 0 {
                self.flags.zero = false;
                self.pad_blank();
                self.flags.zero = flags.zero;
                return;
            }
        } else if flags.zero
            && !flags.minus
            && let Some(width) = flags.width
        {
            least = width.saturating_sub(usize::from(negative || flags.plus || flags.space));
        }
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        let mut text = String::with_capacity(digits.len() + 3);
        if negative {
            text.push('-');
        } else if flags.plus {
            text.push('+');
        } else if flags.space {
            text.push(' ');
        }
        if flags.sharp {
            match base {
                2 => text.push_str("0b"),
                8 if !digits.starts_with('0') => digits.insert(0, '0'),
                16 => text.push_str(if verb == 'X' { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            text.push_str("0o");
        }
        text.push_str(&digits);
        self.flags.zero = false;
        self.pad(&text);
        self.flags.zero = flags.zero;
    }

    fn pad_blank(&mut self) {
        self.out
            .extend(std::iter::repeat_n(' ', self.flags.width.unwrap_or(0)));
    }

    /// A float under its verbs.
    pub(super) fn float(&mut self, value: &Value, f: f64, verb: char) {
        let (shape, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        self.float_as(f, shape, precision);
    }

    fn float_as(&mut self, f: f64, shape: char, precision: Option<usize>) {
        let flags = self.flags.clone();
        let precision = flags.precision.or(precision);
        let mut text = float::format(f, shape, precision);
        let negative = f.is_sign_negative() && !f.is_nan();
        let sign = if negative {
            "-"
        } else if flags.plus {
            "+"
        } else if flags.space {
            " "
        } else {
            ""
        };
        if !f.is_finite() {
            let sign = if f == f64::INFINITY && sign.is_empty() {
                "+"
            } else {
                sign
            };
            self.flags.zero = false;
            // Only plain values show the plus of an infinity.
            self.pad(&format!("{sign}{text}"));
            self.flags.zero = flags.zero;
            return;
        }
        if flags.sharp && shape != 'b' {
            text = keep_point(&text, shape, precision);
        }
        let width = flags.width.unwrap_or(0);
        if flags.zero && !flags.minus && !sign.is_empty() && width > text.len() + 1 {
            let zeros = width - text.len() - 1;
            self.out.push_str(sign);
            self.out.extend(std::iter::repeat_n('0', zeros));
            self.out.push_str(&text);
            return;
        }
        self.pad(&format!("{sign}{text}"));
    }

    pub(super) fn complex(&mut self, value: &Value, re: f64, im: f64, verb: char) {
        let (shape, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'F' | 'e' | 'E' => (verb, Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let plus = self.flags.plus;
        self.out.push('(');
        self.float_as(re, shape, precision);
        self.flags.plus = true;
        self.float_as(im, shape, precision);
        self.out.push_str("i)");
        self.flags.plus = plus;
    }
}

fn as_char(code: u64, negative: bool) -> char {
    if negative {
        return char::REPLACEMENT_CHARACTER;
    }
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `%#g` and the like: the point stays, and so do zeros up to the precision.
fn keep_point(text: &str, shape: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(shape, 'x' | 'X');
    let tail = text
        .find(|c| matches!(c, 'p' | 'P') || !hexadecimal && matches!(c, 'e' | 'E'))
        .unwrap_or(text.len());
    let (number, tail) = text.split_at(tail);
    let mut missing = match shape {
        'g' | 'G' | 'x' => i64::try_from(precision.unwrap_or(6)).unwrap_or(0),
        _ => 0,
    };
    let mut seen = false;
    for c in number.chars().filter(|c| *c != '.') {
        seen |= c != '0';
        missing -= i64::from(seen);
    }
    let mut out = number.to_owned();
    if !number.contains('.') {
        if number == "0" {
            missing -= 1;
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n(
        '0',
        usize::try_from(missing).unwrap_or(0),
    ));
    out + tail
}
