//! Lists. None changes the list it is given.

use crate::containers::{Elem, List};
use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, any, count, fail, int, items};
use super::cast::to_int;
use super::defaults::empty;

pub(super) fn register(m: &mut FuncMap) {
    m.add("list", "any...", |a| Ok(Value::list(a.to_vec())));
    m.alias("list", &["tuple"]);
    m.add("append", "any,any", |a| {
        let mut all = items(any(a, 0), "push on")?.to_vec();
        all.push(any(a, 1).clone());
        Ok(Value::list(all))
    });
    m.alias("append", &["push", "mustAppend", "mustPush"]);
    m.add("prepend", "any,any", |a| {
        let mut all = vec![any(a, 1).clone()];
        all.extend_from_slice(items(any(a, 0), "prepend on")?);
        Ok(Value::list(all))
    });
    m.alias("prepend", &["mustPrepend"]);
    m.add("first", "any", |a| {
        Ok(items(any(a, 0), "find first on")?
            .first()
            .cloned()
            .unwrap_or(Value::Nil))
    });
    m.alias("first", &["mustFirst"]);
    m.add("last", "any", |a| {
        Ok(items(any(a, 0), "find last on")?
            .last()
            .cloned()
            .unwrap_or(Value::Nil))
    });
    m.alias("last", &["mustLast"]);
    m.add("rest", "any", |a| {
        Ok(Value::list(
            items(any(a, 0), "find rest on")?
                .get(1..)
                .unwrap_or_default()
                .to_vec(),
        ))
    });
    m.alias("rest", &["mustRest"]);
    m.add("initial", "any", |a| {
        let all = items(any(a, 0), "find initial on")?;
        Ok(Value::list(
            all.split_last()
                .map_or_else(Vec::new, |(_, rest)| rest.to_vec()),
        ))
    });
    m.alias("initial", &["mustInitial"]);
    m.add("reverse", "any", |a| {
        Ok(Value::list(
            items(any(a, 0), "find reverse on")?
                .iter()
                .rev()
                .cloned()
                .collect(),
        ))
    });
    m.alias("reverse", &["mustReverse"]);
    m.add("compact", "any", |a| {
        Ok(Value::list(
            items(any(a, 0), "compact on")?
                .iter()
                .filter(|v| !empty(v))
                .cloned()
                .collect(),
        ))
    });
    m.alias("compact", &["mustCompact"]);
    m.add("uniq", "any", uniq);
    m.alias("uniq", &["mustUniq"]);
    m.add("without", "any,any...", without);
    m.alias("without", &["mustWithout"]);
    m.add("has", "any,any", has);
    m.alias("has", &["mustHas"]);
    m.add("slice", "any,any...", slice);
    m.alias("slice", &["mustSlice"]);
    m.add("concat", "any...", concat);
    m.add("chunk", "int,any", chunk);
    m.alias("chunk", &["mustChunk"]);
}

fn within(list: &[Value], value: &Value) -> bool {
    list.iter().any(|v| v.deep_equal(value))
}

fn uniq(args: &[Value]) -> Answer {
    let all = items(any(args, 0), "find uniq on")?;
    comparisons(all.len(), all.len())?;
    let mut kept: Vec<Value> = Vec::new();
    for value in all {
        if !within(&kept, value) {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(kept))
}

/// Refuses work that grows with the product of two lengths.
fn comparisons(a: usize, b: usize) -> Result<(), FuncError> {
    const MOST: usize = 50_000_000;
    if a.saturating_mul(b) > MOST {
        fail(format!("comparing {a} with {b} elements takes too long"))
    } else {
        Ok(())
    }
}

fn without(args: &[Value]) -> Answer {
    let (all, omitted) = (
        items(any(args, 0), "find without on")?,
        args.get(1..).unwrap_or_default(),
    );
    comparisons(all.len(), omitted.len())?;
    Ok(Value::list(
        all.iter()
            .filter(|v| !within(omitted, v))
            .cloned()
            .collect(),
    ))
}

fn has(args: &[Value]) -> Answer {
    let haystack = any(args, 1);
    if haystack.is_nil() {
        return Ok(false.into());
    }
    Ok(within(items(haystack, "find has on")?, any(args, 0)).into())
}

fn slice(args: &[Value]) -> Answer {
    let list = match any(args, 0) {
        Value::List(list) => list,
        other => {
            return fail(format!(
                "list should be type of slice or array but {}",
                other.kind()
            ));
        }
    };
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let from = args.get(1).map_or(0, to_int);
    let to = args
        .get(2)
        .map_or(i64::try_from(list.len()).unwrap_or(i64::MAX), to_int);
    match list.part(count(from)?, count(to)?) {
        Some(part) => Ok(Value::List(part)),
        None => fail("reflect.Value.Slice: slice index out of bounds"),
    }
}

fn concat(args: &[Value]) -> Answer {
    let mut all = Vec::new();
    for list in args {
        all.extend_from_slice(items(list, "concat")?);
    }
    Ok(Value::list(all))
}

fn chunk(args: &[Value]) -> Answer {
    let all = items(any(args, 1), "chunk")?;
    let size = count(int(args, 0))?;
    if size == 0 {
        return fail("chunks must have a size of at least 1");
    }
    let chunks = all
        .chunks(size)
        .map(|part| Value::list(part.to_vec()))
        .collect();
    Ok(Value::List(List::new(Elem::List, chunks)))
}
