//! Prints values as sigs.k8s.io/yaml's Marshal does, line by line and quote by quote, because templates (`toYaml`) rely
//! on it. Never fails, and never prints text that would be read as another value.

mod analysis;
mod order;
mod quoted;

use serde_json::{Map, Number, Value};

use self::{analysis::Analysis, order::sorted};
use crate::{cursor::is_break, number, scalar, timestamp};

/// Columns of one level of indentation.
const INDENT: usize = 2;

/// The longest key, in bytes, that is printed without `?`.
const MAX_KEY: usize = 128;

/// Prints a value as sigs.k8s.io/yaml's Marshal does, ending in a newline: keys in natural order (`a2` before `a10`),
/// lists not indented below their key, text of several lines as a literal block, text that would be read as another kind
/// in quotes.
pub fn to_string(value: &Value) -> String {
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
        indent: None,
        whitespace: true,
        indention: true,
    };
    emitter.node(value, false);
    emitter.indent = None;
    emitter.write_indent();
    emitter.out
}

struct Emitter {
    out: String,
    column: usize,
    /// The column of the innermost collection; none outside.
    indent: Option<usize>,
    /// Whether a space or indicator that acts as one was just written.
    whitespace: bool,
    /// Whether only indentation stands on the line so far; `-` counts.
    indention: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Emitter {
    fn node(&mut self, value: &Value, in_mapping: bool) {
        match value {
            Value::Null => self.plain("null", true),
            Value::Bool(bool) => self.plain(if *bool { "true" } else { "false" }, true),
            Value::Number(number) => self.plain(&number_text(number), true),
            Value::String(text) => self.text(text, false),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Array(items) => self.sequence(items, in_mapping),
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false),
            Value::Object(map) => self.mapping(map),
        }
    }

    /// A sequence right after its key stays in the key's column.
    fn sequence(&mut self, items: &[Value], in_mapping: bool) {
        let outer = self.indent;
        if !in_mapping || self.indention {
            self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
        }
        for item in items {
            self.write_indent();
            self.indicator("-", true, true);
            self.node(item, false);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, map: &Map<String, Value>) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
        for (key, value) in sorted(map) {
            self.write_indent();
            if key.len() <= MAX_KEY && !key.chars().any(is_break) {
                self.text(key, true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.text(key, false);
                self.write_indent();
                self.indicator(":", true, true);
            }
            self.node(value, true);
        }
        self.indent = outer;
    }

    fn text(&mut self, text: &str, key: bool) {
        let style = style(text, key);
        let outer = self.indent;
        self.indent = Some(outer.map_or(INDENT, |indent| indent + INDENT));
        match style {
            Style::Plain => self.plain(text, !key),
            Style::Single => self.single_quoted(text, !key),
            Style::Double => self.double_quoted(text, !key),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|c: char| c == ' ' || is_break(c)) {
            self.indicator("2", false, false);
        }
        let mut ends = text.chars().rev().map(is_break);
        match (ends.next(), ends.next()) {
            (Some(true), Some(false)) => {}
            (Some(true), _) => self.indicator("+", false, false),
            _ => self.indicator("-", false, false),
        }
        self.put('\n');
        self.whitespace = true;
        self.indention = true;
        let mut at_start = true;
        for c in text.chars() {
            if is_break(c) {
                self.put(c);
                self.indention = true;
            } else {
                if at_start {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
            }
            at_start = is_break(c);
        }
    }

    /// Starts a line at the indentation, unless that is where the line already stands.
    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let full = self.column > indent || (self.column == indent && !self.whitespace);
        if !self.indention || full {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, indicator: &str, spaced: bool, is_indention: bool) {
        if spaced && !self.whitespace {
            self.put(' ');
        }
        indicator.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention = self.indention && is_indention;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }
}

fn style(text: &str, key: bool) -> Style {
    let analysis = Analysis::of(text);
    let literal = text.contains('\n');
    match () {
        () if literal && analysis.block_allowed && !key => Style::Literal,
        () if literal || reads_as_other(text, key) => Style::Double,
        () if analysis.plain_allowed => Style::Plain,
        () if analysis.single_allowed => Style::Single,
        () => Style::Double,
    }
}

/// Whether a text without quotes would be no text. Base 60 numbers are text here, but not to other readers of YAML 1.1.
fn reads_as_other(text: &str, key: bool) -> bool {
    scalar::is_other_than_text(text)
        || timestamp::is_timestamp(text)
        || is_base60(text)
        || (key && text == "<<")
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits_or_lines = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    rest.push(last);
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits_or_lines(first)
        && digits_or_lines(fraction)
        && rest.iter().all(|part| match part.as_bytes() {
            [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
            _ => false,
        })
}

fn number_text(number: &Number) -> String {
    if !number.is_f64() {
        return number.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    if float == 0.0 {
        return "0".to_owned();
    }
    match number::json(float) {
        Some(Value::Number(int)) if !int.is_f64() => int.to_string(),
        _ => number::long(float),
    }
}
