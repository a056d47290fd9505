//! jq path expressions: the expression finds paths, and what it found is deleted here.
//!
//! An expression cannot run for ever: definitions, and the builtins that loop without regard to the
//! size of their input, are refused when it is compiled, and so is what makes more of its input than
//! there was: assignments, folds and products. It sees the object alone, no environment, clock or
//! further input, and cannot end the process.

use std::fmt;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile, data};
use jaq_json::Val;
use serde_json::Value;

type Filter = compile::Filter<jaq_core::Native<data::JustLut<Val>>>;

/// Words that can loop without end, grow without limit, reach outside, or end the process.
const REFUSED: [&str; 21] = [
    "combinations",
    "debug",
    "def",
    "env",
    "error",
    "foreach",
    "halt",
    "halt_error",
    "include",
    "import",
    "infinite",
    "input",
    "inputs",
    "now",
    "range",
    "reduce",
    "repeat",
    "stderr",
    "until",
    "while",
    "$ENV",
];

/// More paths than this is no ignore rule but a mistake.
const MOST_PATHS: usize = 100_000;

/// A compiled expression.
pub(super) struct PathExpression {
    text: String,
    filter: Filter,
}

impl fmt::Debug for PathExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathExpression").field(&self.text).finish()
    }
}

impl PathExpression {
    /// Compiles `expression`; the error says in a few words what is wrong with it.
    pub(super) fn compile(expression: &str) -> Result<Self, String> {
        if let Some(word) = refused(expression) {
            return Err(format!("`{word}` is not allowed in an ignore rule"));
        }
        let program = format!("path({expression})");
        let arena = Arena::default();
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let modules = Loader::new(definitions)
            .load(
                &arena,
                File {
                    path: (),
                    code: program.as_str(),
                },
            )
            .map_err(|_| "it is not valid jq".to_owned())?;
        let functions = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs());
        let filter = Compiler::default()
            .with_funs(functions)
            .compile(modules)
            .map_err(|errors| {
                let names: Vec<&str> = errors
                    .iter()
                    .flat_map(|(_, errors)| errors.iter().map(|(name, _)| *name))
                    .collect();
                format!("undefined: {}", names.join(", "))
            })?;
        Ok(Self {
            text: expression.to_owned(),
            filter,
        })
    }

    /// Deletes what the expression finds; false, and nothing deleted, if it finds nothing or fails.
    pub(super) fn remove_from(&self, state: &mut Value) -> bool {
        let Some(mut paths) = self.paths(state) else {
            return false;
        };
        // Later items and longer ways first, so that no deletion moves what another one names.
        paths.sort_by(|one, other| order(other, one));
        paths.dedup();
        let mut removed = false;
        for path in &paths {
            removed |= delete(state, path);
        }
        removed
    }

    /// The places that the expression finds, as JSON pointers; none where it finds no place.
    pub(super) fn pointers(&self, state: &Value) -> Vec<String> {
        let pointer = |path: &Vec<Value>| {
            path.iter().fold(String::new(), |mut pointer, step| {
                pointer.push('/');
                match step {
                    Value::String(key) => {
                        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    }
                    index => pointer.push_str(&index.to_string()),
                }
                pointer
            })
        };
        self.paths(state)
            .unwrap_or_default()
            .iter()
            .map(pointer)
            .collect()
    }

    fn paths(&self, state: &Value) -> Option<Vec<Vec<Value>>> {
        let text = state.to_string();
        let input = jaq_json::read::parse_single(text.as_bytes()).ok()?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let mut found = Vec::new();
        for output in self.filter.id.run((context, input)).take(MOST_PATHS) {
            let path: Value = serde_json::from_str(&output.ok()?.to_string()).ok()?;
            found.push(path.as_array()?.clone());
        }
        Some(found)
    }
}

/// The first word of the expression, outside its strings and field names, that is refused.
fn refused(expression: &str) -> Option<&str> {
    let mut quoted = false;
    let mut rest = expression;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let word_end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len());
        if c == '\\' && quoted {
            // An interpolation is code; any other escape is two characters of text.
            let code = rest.starts_with("\\(");
            let escaped = if code {
                "\\("
            } else {
                rest.get(..2).unwrap_or(rest)
            };
            if code {
                return Some("\\(");
            }
            rest = &rest[escaped.len()..];
            continue;
        }
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && let Some(operator) = refused_operator(before, rest) {
            return Some(operator);
        }
        if word_end == 0 || quoted {
            before = c;
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let word = &rest[..word_end];
        if before != '.' && REFUSED.contains(&word) {
            return Some(word);
        }
        // `recurse` alone follows the object's own depth; with an argument it need not end.
        if before != '.' && word == "recurse" && rest[word_end..].trim_start().starts_with('(') {
            return Some(word);
        }
        before = 'a';
        rest = &rest[word_end..];
    }
    None
}

/// An assignment or a product at the beginning of `rest`.
fn refused_operator(before: char, rest: &str) -> Option<&str> {
    let is_comparison = rest.starts_with("==") || matches!(before, '=' | '!' | '<' | '>');
    let is_refused = rest.starts_with('*') || rest.starts_with('=') && !is_comparison;
    is_refused.then(|| &rest[..1])
}

fn order(one: &[Value], other: &[Value]) -> std::cmp::Ordering {
    for (one, other) in one.iter().zip(other) {
        let by = match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.to_string().cmp(&other.to_string()),
        };
        if by.is_ne() {
            return by;
        }
    }
    one.len().cmp(&other.len())
}

/// Deletes one path; a way that leads nowhere deletes nothing.
fn delete(state: &mut Value, path: &[Value]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        let was = !state.is_null();
        *state = Value::Null;
        return was;
    };
    match (state, first) {
        (Value::Object(map), Value::String(key)) if rest.is_empty() => map.remove(key).is_some(),
        (Value::Object(map), Value::String(key)) => {
            map.get_mut(key).is_some_and(|next| delete(next, rest))
        }
        (Value::Array(items), Value::Number(at)) => {
            let length = i64::try_from(items.len()).unwrap_or_default();
            let at = at.as_i64().unwrap_or(length);
            let at = if at < 0 { at + length } else { at };
            let Some(at) = usize::try_from(at).ok().filter(|at| *at < items.len()) else {
                return false;
            };
            if rest.is_empty() {
                items.remove(at);
                true
            } else {
                delete(&mut items[at], rest)
            }
        }
        (Value::Array(items), Value::Object(slice)) if rest.is_empty() => {
            let bound = |key: &str, or: usize| {
                slice
                    .get(key)
                    .and_then(Value::as_u64)
                    .and_then(|at| usize::try_from(at).ok())
                    .unwrap_or(or)
                    .min(items.len())
            };
            let (from, until) = (bound("start", 0), bound("end", items.len()));
            from < until && items.drain(from..until).count() > 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expression: &str, before: Value, after: &Value) {
        let mut state = before;
        PathExpression::compile(expression)
            .expect("valid")
            .remove_from(&mut state);
        assert_eq!(&state, after, "{expression}");
    }

    #[test]
    fn deletes_what_the_expression_finds() {
        check(
            ".spec.l[1].v",
            json!({"spec": {"l": [{"v": 1}, {"v": 2}]}}),
            &json!({"spec": {"l": [{"v": 1}, {}]}}),
        );
        check(".l[]", json!({"l": [1, 2]}), &json!({"l": []}));
        check(
            ".a.b, .c",
            json!({"a": {"b": 1}, "c": 1}),
            &json!({"a": {}}),
        );
        check(
            ".l[] | select(.k == \"b\")",
            json!({"l": [{"k": "a"}, {"k": "b"}]}),
            &json!({"l": [{"k": "a"}]}),
        );
        check(".x.y", json!({"a": 1}), &json!({"a": 1}));
        check(".a[]?", json!({}), &json!({}));
    }

    #[test]
    fn what_is_no_path_deletes_nothing() {
        check(
            ".a | with_entries(.)",
            json!({"a": {"b": 1}}),
            &json!({"a": {"b": 1}}),
        );
    }

    #[test]
    fn refuses_what_could_run_for_ever_or_reach_outside() {
        for expression in [
            "def f: f; f",
            "repeat(.)",
            "env.HOME",
            "$ENV.HOME",
            "recurse(.)",
            ".[range(9e9)]",
            "halt",
            ".spec.broken[",
            ".a | select((.. |= [.]) == 1)",
            ".a[(\"x\" * 9e9 | length)]",
            "reduce .l[] as $x (.; .[0])",
        ] {
            assert!(PathExpression::compile(expression).is_err(), "{expression}");
        }
        for expression in [
            ".spec.range[\"while\"]",
            ".l[] | select(.k == \"a=*\" and .n >= 1 and .m!=2)",
        ] {
            assert!(PathExpression::compile(expression).is_ok(), "{expression}");
        }
    }
}
