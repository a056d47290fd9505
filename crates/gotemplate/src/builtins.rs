//! The functions that text/template itself brings: indexing, comparing, printing, escaping.

use crate::compare;
use crate::containers::Elem;
use crate::error::FuncError;
use crate::escape;
use crate::fmt;
use crate::funcs::Function;
use crate::meter::Meter;
use crate::value::Value;

type Answer = Result<Value, FuncError>;

/// A built-in function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Or,
    Not,
    Call,
    Html,
    Index,
    Slice,
    Js,
    Len,
    Print,
    Printf,
    Println,
    Urlquery,
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
    Ne,
}

impl Builtin {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "and" => Self::And,
            "or" => Self::Or,
            "not" => Self::Not,
            "call" => Self::Call,
            "html" => Self::Html,
            "index" => Self::Index,
            "slice" => Self::Slice,
            "js" => Self::Js,
            "len" => Self::Len,
            "print" => Self::Print,
            "printf" => Self::Printf,
            "println" => Self::Println,
            "urlquery" => Self::Urlquery,
            "eq" => Self::Eq,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "le" => Self::Le,
            "lt" => Self::Lt,
            "ne" => Self::Ne,
            _ => return None,
        })
    }

    /// How many arguments there must be at least, and whether there may be more.
    pub(crate) fn arity(self) -> (usize, bool) {
        match self {
            Self::And
            | Self::Or
            | Self::Call
            | Self::Index
            | Self::Slice
            | Self::Eq
            | Self::Printf => (1, true),
            Self::Not | Self::Len => (1, false),
            Self::Html | Self::Js | Self::Print | Self::Println | Self::Urlquery => (0, true),
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => (2, false),
        }
    }

    /// Runs the function. `and`, `or` and `call` are the executor's business.
    pub(crate) fn run(self, args: &[Value]) -> Answer {
        let first = args.first().unwrap_or(&Value::Absent);
        let second = args.get(1).unwrap_or(&Value::Absent);
        let rest = args.get(1..).unwrap_or_default();
        Ok(match self {
            Self::And | Self::Or | Self::Call => args.last().cloned().unwrap_or(Value::Absent),
            Self::Not => Value::Bool(!first.is_true()),
            Self::Html => Value::str(escape::html(&text_of(args))),
            Self::Js => Value::str(escape::js(&text_of(args))),
            Self::Urlquery => Value::str(escape::query(&text_of(args))),
            Self::Index => index(first, rest)?,
            Self::Slice => slice(first, rest)?,
            Self::Len => len(first)?,
            Self::Print => Value::str(fmt::sprint(args)),
            Self::Println => Value::str(fmt::sprintln(args)),
            Self::Printf => Value::str(fmt::sprintf(first.as_str().unwrap_or_default(), rest)),
            Self::Eq => Value::Bool(compare::any_equal(first, rest)?),
            Self::Ne => Value::Bool(!compare::any_equal(first, rest)?),
            Self::Lt => Value::Bool(compare::less(first, second)?),
            Self::Ge => Value::Bool(!compare::less(first, second)?),
            Self::Le => Value::Bool(compare::less_or_equal(first, second)?),
            Self::Gt => Value::Bool(!compare::less_or_equal(first, second)?),
        })
    }
}

/// What the escaping functions see: one string as it is, anything else printed, nil as templates print it.
fn text_of(args: &[Value]) -> String {
    if let [Value::Str(s)] = args {
        return s.to_string();
    }
    let shown = |v: &Value| {
        if v.is_nil() {
            Value::str("<no value>")
        } else {
            v.clone()
        }
    };
    fmt::sprint(&args.iter().map(shown).collect::<Vec<_>>())
}

fn index(item: &Value, indexes: &[Value]) -> Answer {
    if item.is_nil() {
        return Err(FuncError::new("index of untyped nil"));
    }
    let mut item = item.clone();
    for index in indexes {
        item = index_once(&item, index)?;
    }
    Ok(item)
}

fn index_once(item: &Value, index: &Value) -> Answer {
    match item {
        Value::Absent | Value::Nil => Err(FuncError::new("index of nil pointer")),
        Value::List(list) => {
            let at = position(index, list.len(), false)?;
            Ok(list.as_slice().get(at).cloned().unwrap_or(Value::Nil))
        }
        Value::Str(s) => {
            let at = position(index, s.len(), false)?;
            Ok(s.as_bytes().get(at).map_or(Value::Nil, |b| Value::Byte(*b)))
        }
        Value::Map(map) => match index {
            Value::Str(key) => Ok(map.get(key).unwrap_or(match map.elem() {
                Elem::Str => Value::str(""),
                _ => Value::Nil,
            })),
            Value::Absent | Value::Nil => {
                Err(FuncError::new("value is nil; should be of type string"))
            }
            other => Err(FuncError::new(format!(
                "value has type {}; should be string",
                other.type_name()
            ))),
        },
        other => Err(FuncError::new(format!(
            "can't index item of type {}",
            other.type_name()
        ))),
    }
}

/// An index into something of `len` elements; one past the end only where slicing allows it.
fn position(index: &Value, len: usize, end: bool) -> Result<usize, FuncError> {
    let number = match index {
        Value::Int(n) | Value::Int64(n) => *n,
        Value::Uint(n) => i64::try_from(*n).unwrap_or(i64::MAX),
        Value::Byte(n) => i64::from(*n),
        Value::Absent | Value::Nil => {
            return Err(FuncError::new("cannot index slice/array with nil"));
        }
        Value::Opaque(o) if o.integer().is_some() => o.integer().unwrap_or_default(),
        other => {
            return Err(FuncError::new(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            )));
        }
    };
    match usize::try_from(number) {
        Ok(at) if at < len || end && at == len => Ok(at),
        _ => Err(FuncError::new(format!("index out of range: {number}"))),
    }
}

fn slice(item: &Value, indexes: &[Value]) -> Answer {
    if item.is_nil() {
        return Err(FuncError::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(FuncError::new(format!(
            "too many slice indexes: {}",
            indexes.len()
        )));
    }
    let len = match item {
        Value::Str(_) if indexes.len() == 3 => {
            return Err(FuncError::new("cannot 3-index slice a string"));
        }
        Value::Str(s) => s.len(),
        Value::List(list) => list.len(),
        other => {
            return Err(FuncError::new(format!(
                "can't slice item of type {}",
                other.type_name()
            )));
        }
    };
    let mut at = [0, len, len];
    for (slot, index) in at.iter_mut().zip(indexes) {
        *slot = position(index, len, true)?;
    }
    let [from, to, cap] = at;
    if from > to {
        return Err(FuncError::new(format!(
            "invalid slice index: {from} > {to}"
        )));
    }
    if to > cap {
        return Err(FuncError::new(format!("invalid slice index: {to} > {cap}")));
    }
    Ok(match item {
        Value::Str(s) => Value::str(fmt::lossy(s.as_bytes().get(from..to).unwrap_or_default())),
        Value::List(list) => list.part(from, to).map_or(Value::Nil, Value::List),
        _ => Value::Nil,
    })
}

fn len(item: &Value) -> Answer {
    let len = match item {
        Value::Str(s) => s.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err(FuncError::new("len of nil pointer")),
        Value::Absent => {
            return Err(FuncError::new(
                "reflect: call of reflect.Value.Type on zero Value",
            ));
        }
        other => return Err(FuncError::new(format!("len of type {}", other.type_name()))),
    };
    Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

/// Runs a function value, checking its arguments as `call` does.
pub(crate) fn call(name: &str, callee: &Value, args: &[Value], meter: &mut Meter) -> Answer {
    let function: &Function = match callee {
        Value::Absent | Value::Nil => return Err(FuncError::new("call of nil")),
        Value::Func(function) => function,
        other => {
            return Err(FuncError::new(format!(
                "non-function {name} of type {}",
                other.type_name()
            )));
        }
    };
    let (got, fixed) = (args.len(), function.fixed());
    if got < fixed || got > fixed && !function.is_variadic() {
        let least = if function.is_variadic() {
            "at least "
        } else {
            ""
        };
        return Err(FuncError::new(format!(
            "wrong number of args for {name}: got {got} want {least}{fixed}"
        )));
    }
    for (i, arg) in args.iter().enumerate() {
        let want = function.param(i);
        if !compare::assignable(arg, want) {
            let got = if arg.is_nil() {
                "interface {}"
            } else {
                arg.type_name()
            };
            return Err(FuncError::new(format!(
                "arg {i}: value has type {got}; should be {}",
                want.type_name()
            )));
        }
    }
    meter.charge_values(args)?;
    function.run(args, meter)
}
