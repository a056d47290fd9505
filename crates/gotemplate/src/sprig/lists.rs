//! Lists. None changes the list it is given.

use crate::containers::{Elem, List};
use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::meter::Meter;
use crate::value::Value;

use super::args::{Answer, any, bounded_items, count, fail, int, items};
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
    m.add_metered("uniq", "any", uniq);
    m.alias("uniq", &["mustUniq"]);
    m.add_metered("without", "any,any...", without);
    m.alias("without", &["mustWithout"]);
    m.add_metered("has", "any,any", has);
    m.alias("has", &["mustHas"]);
    m.add("slice", "any,any...", slice);
    m.alias("slice", &["mustSlice"]);
    m.add("concat", "any...", concat);
    m.add("chunk", "int,any", chunk);
    m.alias("chunk", &["mustChunk"]);
}

fn within(list: &[Value], value: &Value, meter: &mut Meter) -> Result<bool, FuncError> {
    for item in list {
        if item.deep_equal(value, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(args: &[Value], meter: &mut Meter) -> Answer {
    let mut kept: Vec<Value> = Vec::new();
    for value in items(any(args, 0), "find uniq on")? {
        if !within(&kept, value, meter)? {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(args: &[Value], meter: &mut Meter) -> Answer {
    let omitted = args.get(1..).unwrap_or_default();
    let mut kept = Vec::new();
    for value in items(any(args, 0), "find without on")? {
        if !within(omitted, value, meter)? {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(args: &[Value], meter: &mut Meter) -> Answer {
    let haystack = any(args, 1);
    if haystack.is_nil() {
        return Ok(false.into());
    }
    Ok(within(items(haystack, "find has on")?, any(args, 0), meter)?.into())
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
        bounded_items(all.len())?;
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
