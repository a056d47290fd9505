//! JSON as Go's encoder writes it and its decoder reads it.

use crate::error::FuncError;
use crate::fmt;
use crate::funcs::FuncMap;
use crate::value::{MAX_NESTING, Value};

use super::args::{any, bounded, fail, text};

pub(super) fn register(m: &mut FuncMap) {
    m.add("fromJson", "string", |a| {
        Ok(parse(text(a, 0)).unwrap_or(Value::Nil))
    });
    m.add("mustFromJson", "string", |a| parse(text(a, 0)));
    m.add("toJson", "any", |a| or_empty(write(any(a, 0), Style::Html)));
    m.add("mustToJson", "any", |a| {
        Ok(write(any(a, 0), Style::Html)?.into())
    });
    m.add("toRawJson", "any", |a| {
        Ok(write(any(a, 0), Style::Raw)?.into())
    });
    m.alias("toRawJson", &["mustToRawJson"]);
    m.add("toPrettyJson", "any", |a| {
        or_empty(write(any(a, 0), Style::Pretty))
    });
    m.add("mustToPrettyJson", "any", |a| {
        Ok(write(any(a, 0), Style::Pretty)?.into())
    });
}

/// What cannot be written becomes an empty text, as in sprig; a bound that was reached stays an error.
fn or_empty(written: Result<String, FuncError>) -> Result<Value, FuncError> {
    match written {
        Err(error) if error.is_limit() => Err(error),
        written => Ok(written.unwrap_or_default().into()),
    }
}

fn parse(text: &str) -> Result<Value, FuncError> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Ok(json.into()),
        Err(error) => fail(error.to_string()),
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Compact, safe within HTML.
    Html,
    /// Compact.
    Raw,
    /// Indented by two blanks, safe within HTML.
    Pretty,
}

fn write(value: &Value, style: Style) -> Result<String, FuncError> {
    let mut writer = Writer {
        out: String::new(),
        style,
        depth: 0,
    };
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), FuncError> {
        bounded(Some(self.out.len()))?;
        match value {
            Value::Absent | Value::Nil => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(_) | Value::Int64(_) | Value::Uint(_) | Value::Byte(_) => {
                self.out.push_str(&fmt::print(value));
            }
            Value::Float(f) => self.float(*f)?,
            Value::Str(s) => self.string(s),
            Value::List(list) => {
                let items = list.as_slice();
                self.block('[', ']', items.len(), |w, i| {
                    w.value(items.get(i).unwrap_or(&Value::Nil))
                })?;
            }
            Value::Map(map) => {
                let entries: Vec<_> = map.entries().into_iter().collect();
                self.block('{', '}', entries.len(), |w, i| {
                    let Some((key, item)) = entries.get(i) else {
                        return Ok(());
                    };
                    w.string(key);
                    w.out
                        .push_str(if w.style == Style::Pretty { ": " } else { ":" });
                    w.value(item)
                })?;
            }
            Value::Opaque(o) => self.value(&Value::from(o.to_json()))?,
            Value::Complex(..) | Value::Func(_) => {
                return fail(format!("json: unsupported type: {}", value.type_name()));
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        open: char,
        close: char,
        count: usize,
        mut item: impl FnMut(&mut Self, usize) -> Result<(), FuncError>,
    ) -> Result<(), FuncError> {
        if self.depth >= MAX_NESTING {
            return Err(FuncError::limit("json: value is nested too deeply"));
        }
        self.out.push(open);
        self.depth += 1;
        for i in 0..count {
            if i > 0 {
                self.out.push(',');
            }
            self.newline();
            item(self, i)?;
        }
        self.depth -= 1;
        if count > 0 {
            self.newline();
        }
        self.out.push(close);
        Ok(())
    }

    fn newline(&mut self) {
        if self.style == Style::Pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }

    fn float(&mut self, f: f64) -> Result<(), FuncError> {
        if !f.is_finite() {
            return fail(format!("json: unsupported value: {}", fmt::shortest(f)));
        }
        if f != 0.0 && (f.abs() < 1e-6 || f.abs() >= 1e21) {
            let text = format!("{f:e}");
            let text = if text.contains("e-") {
                text
            } else {
                text.replace('e', "e+")
            };
            self.out.push_str(&text);
        } else {
            self.out.push_str(&fmt::fixed(f, None));
        }
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '<' | '>' | '&' if self.style == Style::Raw => self.out.push(c),
                '<' | '>' | '&' | '\0'..'\x20' | '\u{2028}' | '\u{2029}' => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}
