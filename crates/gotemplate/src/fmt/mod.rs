//! Go's fmt package over [`Value`]: `Sprint`, `Sprintln`, `Sprintf` and strconv's quoting.

mod float;
mod number;
mod printer;
mod quote;
mod verbs;

use crate::value::Value;

/// No text grows much beyond this; what is longer is cut, and then refused by whoever made it.
pub(crate) const MAX_TEXT: usize = 16 << 20;

pub(crate) use float::{fixed, shortest};
pub(crate) use printer::Printer;
pub(crate) use quote::{is_printable, quote};
pub(crate) use verbs::sprintf;

/// What `%v` gives for one value; no value and nil both print as `<nil>`.
pub(crate) fn print(value: &Value) -> String {
    match value {
        Value::Str(s) => s.to_string(),
        other => {
            let mut p = Printer::default();
            p.value(other, 'v');
            p.out
        }
    }
}

/// Appends what `%v` gives, without a detour for the common types; stops soon after `limit` bytes.
pub(crate) fn print_into(out: &mut String, value: &Value, limit: usize) {
    match value {
        Value::Str(s) => out.push_str(s),
        Value::Absent | Value::Nil => out.push_str("<no value>"),
        other => {
            let mut p = Printer {
                out: std::mem::take(out),
                limit,
                ..Printer::default()
            };
            p.value(other, 'v');
            *out = p.out;
        }
    }
}

/// `fmt.Sprint`: a blank between operands when neither is a string.
pub(crate) fn sprint(args: &[Value]) -> String {
    let mut p = Printer::default();
    let mut after_string = true;
    for (i, arg) in args.iter().enumerate() {
        let is_string = matches!(arg, Value::Str(_));
        if i > 0 && !is_string && !after_string {
            p.out.push(' ');
        }
        p.value(arg, 'v');
        after_string = is_string;
    }
    p.out
}

/// `fmt.Sprintln`: a blank between all operands and a newline at the end.
pub(crate) fn sprintln(args: &[Value]) -> String {
    let mut p = Printer::default();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            p.out.push(' ');
        }
        p.value(arg, 'v');
    }
    p.out.push('\n');
    p.out
}

/// Bytes as text; each byte that is not UTF-8 becomes a replacement character, as Go's JSON encoder writes it.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        for (f, text) in [
            (1e6, "1e+06"),
            (100_000.0, "100000"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0"),
            (1.5, "1.5"),
        ] {
            assert_eq!(print(&Value::Float(f)), text);
        }
    }

    #[test]
    fn operands_are_separated_unless_one_is_a_string() {
        let args = [
            Value::str("a"),
            Value::Int(1),
            Value::Int(2),
            Value::Bool(true),
            Value::str("c"),
        ];
        assert_eq!(sprint(&args), "a1 2 truec");
    }
}
