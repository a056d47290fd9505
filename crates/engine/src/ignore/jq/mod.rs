//! jq path expressions: the expression finds paths, and what it found is deleted here.
//!
//! An expression cannot run for ever, nor take up the memory of all: each step is paid for out of a
//! budget, and who uses it up is an error of its own. Definitions, and the builtins that loop without
//! regard to the size of their input, are refused when it is compiled, so that nobody waits for that;
//! and so is what is no business of an ignore rule: assignments, folds and products. It sees the
//! object alone, no environment, clock or further input, and cannot end the process.

mod budget;
mod natives;
mod programs;
mod value;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, DataT, Vars};
use serde_json::Value;

use self::value::Paid;

type Lut = jaq_core::compile::Lut<jaq_core::Native<Evaluation>>;
type Filter = jaq_core::compile::Filter<jaq_core::Native<Evaluation>>;

/// How an expression is evaluated: on values that are paid for, and each step of it, too.
struct Evaluation;

impl DataT for Evaluation {
    type V<'a> = Paid;
    type Data<'a> = Steps<'a>;
}

/// The compiled program; the interpreter looks into it at each step.
#[derive(Clone)]
struct Steps<'a>(&'a Lut);

impl<'a> HasLut<'a, Evaluation> for Steps<'a> {
    fn lut(&self) -> &'a Lut {
        budget::pay(1);
        self.0
    }
}

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

/// The steps that an expression may take on one object: some tenths of a second.
const STEPS: u64 = 1_000_000;

/// More paths than this is no ignore rule but a mistake.
const MOST_PATHS: usize = 100_000;

/// The longest expression, in bytes, and the deepest nesting of its parentheses. The interpreter reads
/// and runs it by recursion, for which the stack of a worker is too small.
const LONGEST: usize = 2048;
const DEEPEST: usize = 32;
const STACK: usize = 64 << 20;

/// A compiled expression.
pub(super) struct PathExpression {
    text: String,
    filter: Arc<Filter>,
    /// The steps that it may take on one object.
    steps: u64,
    /// Whether it has used up its budget on an object; it is not tried on another.
    is_spent: AtomicBool,
}

impl fmt::Debug for PathExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathExpression").field(&self.text).finish()
    }
}

impl PathExpression {
    /// Compiles `expression`; the error says in a few words what is wrong with it.
    pub(super) fn compile(expression: &str) -> Result<Self, String> {
        if expression.len() > LONGEST || depth(expression) > DEEPEST {
            return Err(format!(
                "it is longer than {LONGEST} bytes, or nests deeper than {DEEPEST} levels"
            ));
        }
        if let Some(word) = refused(expression) {
            return Err(format!("`{word}` is not allowed in an ignore rule"));
        }
        Ok(Self {
            text: expression.to_owned(),
            filter: programs::compiled(expression)?,
            steps: STEPS,
            is_spent: AtomicBool::new(false),
        })
    }

    /// Deletes what the expression finds, and tells whether there was anything. Where its evaluation
    /// ends with an error, nothing is.
    ///
    /// # Errors
    /// It takes too long, now or on an object before.
    pub(super) fn remove_from(&self, state: &mut Value) -> Result<bool, String> {
        let mut paths = self.paths(state)?;
        // Later items and longer ways first, so that no deletion moves what another one names.
        paths.sort_by(|one, other| order(other, one));
        paths.dedup();
        let mut removed = false;
        for path in &paths {
            removed |= delete(state, path);
        }
        Ok(removed)
    }

    /// The places that the expression finds, as JSON pointers; none where it finds no place.
    ///
    /// # Errors
    /// It takes too long.
    pub(super) fn pointers(&self, state: &Value) -> Result<Vec<String>, String> {
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
        Ok(self.paths(state)?.iter().map(pointer).collect())
    }

    fn paths(&self, state: &Value) -> Result<Vec<Vec<Value>>, String> {
        let found = if self.is_spent.load(Relaxed) {
            None
        } else {
            stacker::grow(STACK, || {
                budget::within(self.steps, || self.evaluate(state))
            })
        };
        found.ok_or_else(|| {
            self.is_spent.store(true, Relaxed);
            format!(
                "it did not end within {} steps, or finds too many places",
                self.steps
            )
        })
    }

    /// The paths that it finds; none if it fails.
    fn evaluate(&self, state: &Value) -> Vec<Vec<Value>> {
        let text = state.to_string();
        let Ok(input) = jaq_json::read::parse_single(text.as_bytes()) else {
            return Vec::new();
        };
        let context = Ctx::<Evaluation>::new(Steps(&self.filter.lut), Vars::new([]));
        let mut found = Vec::new();
        for output in self.filter.id.run((context, Paid(input))) {
            if found.len() == MOST_PATHS {
                budget::pay(usize::MAX);
            }
            let path = output.ok().map(|path| path.to_string());
            match path.and_then(|path| serde_json::from_str(&path).ok()) {
                Some(path) => found.push(path),
                None => return Vec::new(),
            }
        }
        found
    }
}

/// The program that finds the paths of an expression.
fn filter(expression: &str) -> Result<Filter, String> {
    let program = format!("path({expression})");
    let arena = Arena::default();
    let definitions = jaq_core::defs()
        .chain(natives::definitions())
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
    Compiler::default()
        .with_funs(natives::functions())
        .compile(modules)
        .map_err(|errors| {
            let names: Vec<&str> = errors
                .iter()
                .flat_map(|(_, errors)| errors.iter().map(|(name, _)| *name))
                .collect();
            format!("undefined: {}", names.join(", "))
        })
}

/// How deep the expression's parentheses, brackets and braces nest at most.
fn depth(expression: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for c in expression.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
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
            .remove_from(&mut state)
            .expect("within the budget");
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
    fn what_takes_too_long_ends_with_an_error_and_deletes_nothing() {
        let twice = |times: usize| vec!["(.,.)"; times].join("|");
        let shared = |times: usize| vec!["[.,.]"; times].join("|");
        let doubled = |times: usize| vec!["(.+.)"; times].join("|");
        for expression in [
            [".."; 200].join("|"),
            twice(60),
            format!(".a|select([{}]|length > 0)", twice(60)),
            format!(".a|select({}|[..]|length > 0)", shared(60)),
            format!(".a|select({}|tojson|length > 0)", shared(60)),
            format!(".a|select({} == {})", shared(60), shared(60)),
            format!(".a|select([{{({}|tostring): 1}}]|length > 0)", shared(60)),
            format!(".a|select(\"text\"|{}|length > 0)", doubled(60)),
            format!(".a|select({}|contains({}))", shared(60), shared(60)),
            ".a|select(\"text\" | test(\"(a{1000}){1000}\"))".to_owned(),
        ] {
            let mut state = json!({"a": [{"b": {"c": [1, 2, 3]}}, {"d": [[], [{}]]}]});
            let before = state.clone();
            let mut compiled = PathExpression::compile(&expression).expect(&expression);
            compiled.steps = 50_000;
            let answer = compiled.remove_from(&mut state);
            assert!(answer.is_err(), "{expression}: {answer:?}");
            assert_eq!(state, before);
            let began = std::time::Instant::now();
            assert!(compiled.remove_from(&mut state).is_err());
            assert!(began.elapsed().as_millis() < 100, "it is not tried again");
        }
    }

    #[test]
    fn what_is_long_or_deep_is_refused_and_does_not_overflow_the_stack() {
        for part in [
            "(",
            "[",
            "{a:",
            "-",
            "if ",
            "try ",
            ".|",
            ".,",
            ".a|",
            "not|",
            ".+",
            ". and ",
            ".//",
            "..?",
            ".[0]",
            "first(",
            "if . then . elif ",
            "label $a|",
            ". as $x|",
            "\"",
            "(.)|",
            "[.]|",
            "(.,.)|",
        ] {
            for end in ["", "."] {
                let text = part.repeat(LONGEST / part.len() - 1) + end;
                if let Ok(mut expression) = PathExpression::compile(&text) {
                    expression.steps = 50_000;
                    let _ = expression.remove_from(&mut json!({"a": {"a": [1]}}));
                }
            }
        }
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
