//! Arithmetic, ranges of integers, and conversions to numbers.

use crate::containers::{Elem, List};
use crate::error::FuncError;
use crate::fmt::print;
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, any, bounded_items, fail, int, text};
use super::cast::{to_float, to_int};
use super::decimal::{self, Op};

pub(super) fn register(m: &mut FuncMap) {
    m.add("atoi", "string", |a| Ok(Value::Int(atoi(text(a, 0)))));
    m.add("int", "any", |a| Ok(Value::Int(to_int(any(a, 0)))));
    m.add("int64", "any", |a| Ok(Value::Int64(to_int(any(a, 0)))));
    m.add("float64", "any", |a| Ok(Value::Float(to_float(any(a, 0)))));
    m.add("toDecimal", "any", |a| {
        Ok(Value::Int64(
            i64::from_str_radix(&print(any(a, 0)), 8).unwrap_or(0),
        ))
    });
    m.add("add1", "any", |a| {
        Ok(Value::Int64(to_int(any(a, 0)).wrapping_add(1)))
    });
    m.add("add", "any...", |a| {
        Ok(Value::Int64(
            a.iter().map(to_int).fold(0, i64::wrapping_add),
        ))
    });
    m.add("sub", "any,any", |a| {
        Ok(Value::Int64(
            to_int(any(a, 0)).wrapping_sub(to_int(any(a, 1))),
        ))
    });
    m.add("div", "any,any", |a| divide(a, i64::wrapping_div));
    m.add("mod", "any,any", |a| divide(a, i64::wrapping_rem));
    m.add("mul", "any,any...", |a| {
        Ok(Value::Int64(
            a.iter().map(to_int).fold(1, i64::wrapping_mul),
        ))
    });
    m.add("max", "any,any...", |a| {
        Ok(Value::Int64(a.iter().map(to_int).max().unwrap_or(0)))
    });
    m.alias("max", &["biggest"]);
    m.add("min", "any,any...", |a| {
        Ok(Value::Int64(a.iter().map(to_int).min().unwrap_or(0)))
    });
    m.add("maxf", "any,any...", |a| {
        Ok(Value::Float(extreme(a, |x, y| x > y)))
    });
    m.add("minf", "any,any...", |a| {
        Ok(Value::Float(extreme(a, |x, y| x < y)))
    });
    m.add("ceil", "any", |a| {
        Ok(Value::Float(to_float(any(a, 0)).ceil()))
    });
    m.add("floor", "any", |a| {
        Ok(Value::Float(to_float(any(a, 0)).floor()))
    });
    m.add("round", "any,int,float...", round);
    m.add("add1f", "any", |a| {
        decimal::fold(to_float(any(a, 0)), &[Value::Int(1)], Op::Add)
    });
    m.add("addf", "any...", |a| decimal::fold(0.0, a, Op::Add));
    m.add("subf", "any,any...", |a| {
        decimal::fold(to_float(any(a, 0)), a.get(1..).unwrap_or_default(), Op::Sub)
    });
    m.add("mulf", "any,any...", |a| {
        decimal::fold(to_float(any(a, 0)), a.get(1..).unwrap_or_default(), Op::Mul)
    });
    m.add("divf", "any,any...", |a| {
        decimal::fold(to_float(any(a, 0)), a.get(1..).unwrap_or_default(), Op::Div)
    });
    m.add("until", "int", |a| {
        let end = int(a, 0);
        Ok(ints(steps(0, end, if end < 0 { -1 } else { 1 })?))
    });
    m.add("untilStep", "int,int,int", |a| {
        Ok(ints(steps(int(a, 0), int(a, 1), int(a, 2))?))
    });
    m.add("seq", "int...", seq);
}

/// Go's `Atoi`, with errors ignored: 0, or the nearest integer when it is out of range.
fn atoi(text: &str) -> i64 {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    match text.parse::<i64>() {
        Ok(n) => n,
        Err(error) => match error.kind() {
            PosOverflow => i64::MAX,
            NegOverflow => i64::MIN,
            _ => 0,
        },
    }
}

fn divide(args: &[Value], op: fn(i64, i64) -> i64) -> Answer {
    match to_int(any(args, 1)) {
        0 => fail("runtime error: integer divide by zero"),
        by => Ok(Value::Int64(op(to_int(any(args, 0)), by))),
    }
}

/// The largest or smallest; NaN wins over everything, as in Go.
fn extreme(args: &[Value], better: fn(f64, f64) -> bool) -> f64 {
    let mut best = to_float(any(args, 0));
    for f in args.iter().skip(1).map(to_float) {
        if f.is_nan() || better(f, best) {
            best = f;
        }
    }
    best
}

fn round(args: &[Value]) -> Answer {
    let threshold = args.get(2).map_or(0.5, to_float);
    let power = 10f64.powi(i32::try_from(int(args, 1)).unwrap_or(i32::MAX));
    let scaled = power * to_float(any(args, 0));
    let rounded = if scaled.fract() >= threshold {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// The integers from `start` up to but without `stop`.
fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    let mut all = Vec::new();
    if (stop < start) != (step < 0) || step == 0 {
        return Ok(all);
    }
    let mut at = start;
    while if step < 0 { at > stop } else { at < stop } {
        bounded_items(all.len() + 1)?;
        all.push(at);
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    Ok(all)
}

fn ints(all: Vec<i64>) -> Value {
    Value::List(List::new(
        Elem::Int,
        all.into_iter().map(Value::Int).collect(),
    ))
}

/// As the shell's `seq`: end; start and end; start, step and end.
fn seq(args: &[Value]) -> Answer {
    let toward = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, step, end) = match args.len() {
        1 => (1, toward(1, int(args, 0)), int(args, 0)),
        2 => (
            int(args, 0),
            toward(int(args, 0), int(args, 1)),
            int(args, 1),
        ),
        3 => (int(args, 0), int(args, 1), int(args, 2)),
        _ => return Ok("".into()),
    };
    if end < start && step > 0 {
        return Ok("".into());
    }
    let all = steps(start, end.saturating_add(toward(start, end)), step)?;
    Ok(all
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
        .into())
}
