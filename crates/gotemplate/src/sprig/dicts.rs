//! Maps. `set`, `unset` and the merges change the map they are given, as in sprig.

use crate::containers::{Map, Tree};
use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::meter::Meter;
use crate::value::Value;

use super::args::{Answer, any, fail, map, text};
use super::cast::to_text;
use super::defaults::empty;

pub(super) fn register(m: &mut FuncMap) {
    m.add("dict", "any...", dict);
    m.add("get", "map,string", |a| {
        Ok(map(a, 0)
            .and_then(|m| m.get(text(a, 1)))
            .unwrap_or_else(|| "".into()))
    });
    m.add_metered("set", "map,string,any", set);
    m.add("unset", "map,string", |a| {
        let Some(m) = map(a, 0) else {
            return Ok(Value::map::<&str>([]));
        };
        m.remove(text(a, 1));
        Ok(any(a, 0).clone())
    });
    m.add("hasKey", "map,string", |a| {
        Ok(map(a, 0)
            .is_some_and(|m| m.get(text(a, 1)).is_some())
            .into())
    });
    m.add("pluck", "string,map...", |a| {
        let found = (1..a.len())
            .filter_map(|i| map(a, i))
            .filter_map(|m| m.get(text(a, 0)));
        Ok(Value::list(found.collect()))
    });
    m.add("keys", "map...", |a| {
        let keys = (0..a.len())
            .filter_map(|i| map(a, i))
            .flat_map(|m| m.entries().into_keys());
        Ok(Value::strings(keys))
    });
    m.add("values", "map", |a| {
        Ok(Value::list(entries(a).into_values().collect()))
    });
    m.add("pick", "map,string...", |a| {
        let mut kept = entries(a);
        kept.retain(|key, _| named(a, key));
        Ok(Value::map(kept))
    });
    m.add("omit", "map,string...", |a| {
        let mut kept = entries(a);
        kept.retain(|key, _| !named(a, key));
        Ok(Value::map(kept))
    });
    m.add_metered("merge", "map,map...", |a, meter| merge(a, false, meter));
    m.alias("merge", &["mustMerge"]);
    m.add_metered("mergeOverwrite", "map,map...", |a, meter| {
        merge(a, true, meter)
    });
    m.alias("mergeOverwrite", &["mustMergeOverwrite"]);
    m.add("dig", "any...", dig);
    m.add_metered("deepCopy", "any", |a, meter| match any(a, 0) {
        Value::Nil => fail("reflect: call of reflect.Value.Type on zero Value"),
        value => copy(value, meter),
    });
    m.alias("deepCopy", &["mustDeepCopy"]);
}

fn entries(args: &[Value]) -> Tree {
    map(args, 0).map(Map::entries).unwrap_or_default()
}

/// Whether a key is among the arguments after the first.
fn named(args: &[Value], key: &str) -> bool {
    args.iter().skip(1).any(|v| v.as_str() == Some(key))
}

fn dict(args: &[Value]) -> Answer {
    Ok(Value::map(args.chunks(2).map(|pair| {
        (
            to_text(any(pair, 0)),
            pair.get(1).cloned().unwrap_or_else(|| "".into()),
        )
    })))
}

/// Sets an entry unless the map would come to contain itself.
fn put(target: &Map, key: &str, value: Value, meter: &mut Meter) -> Result<(), FuncError> {
    if target.is_within(&value, meter)? {
        return fail(format!("setting {key:?} would put the map into itself"));
    }
    target.insert(key.into(), value);
    Ok(())
}

fn set(args: &[Value], meter: &mut Meter) -> Answer {
    let Some(target) = map(args, 0) else {
        return fail("assignment to entry in nil map");
    };
    put(target, text(args, 1), any(args, 2).clone(), meter)?;
    Ok(any(args, 0).clone())
}

fn merge(args: &[Value], overwrite: bool, meter: &mut Meter) -> Answer {
    let target = map(args, 0)
        .cloned()
        .unwrap_or_else(|| Map::from_entries(crate::Elem::Any, Tree::new()));
    for i in 1..args.len() {
        if let Some(source) = map(args, i) {
            merge_into(&target, source, overwrite, meter)?;
        }
    }
    Ok(Value::Map(target))
}

/// Fills in what the target lacks or has empty; overwriting takes everything that the source has.
fn merge_into(
    target: &Map,
    source: &Map,
    overwrite: bool,
    meter: &mut Meter,
) -> Result<(), FuncError> {
    if target.same(source) {
        return Ok(());
    }
    for (key, value) in source.entries() {
        meter.charge(1)?;
        let old = target.get(&key);
        if let (Value::Map(from), Some(Value::Map(into))) = (&value, &old) {
            meter.nested(|meter| merge_into(into, from, overwrite, meter))?;
            if !into.is_empty() {
                continue;
            }
        }
        let replace = if value.is_nil() {
            overwrite
        } else {
            overwrite || old.as_ref().is_none_or(empty)
        };
        if replace {
            put(target, &key, value, meter)?;
        }
    }
    Ok(())
}

fn dig(args: &[Value]) -> Answer {
    let [keys @ .., default, start] = args else {
        return fail("dig needs at least three arguments");
    };
    if keys.is_empty() {
        return fail("dig needs at least three arguments");
    }
    let mut at = start.clone();
    for key in keys {
        let Value::Map(current) = &at else {
            let kind = if at.is_nil() { "nil" } else { at.type_name() };
            return fail(format!(
                "interface conversion: interface {{}} is {kind}, not map[string]interface {{}}"
            ));
        };
        if current.elem() != crate::Elem::Any {
            return fail(format!(
                "interface conversion: interface {{}} is {}, not map[string]interface {{}}",
                at.type_name()
            ));
        }
        let Some(key) = key.as_str() else {
            return fail(format!(
                "interface conversion: interface {{}} is {}, not string",
                key.type_name()
            ));
        };
        match current.get(key) {
            Some(next) => at = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(at)
}

fn copy(value: &Value, meter: &mut Meter) -> Answer {
    meter.charge(1)?;
    match value {
        Value::List(list) => meter.nested(|meter| {
            let items = list.iter().map(|v| copy(v, meter));
            let items = items.collect::<Result<_, _>>()?;
            Ok(Value::List(crate::List::new(list.elem(), items)))
        }),
        Value::Map(m) => meter.nested(|meter| {
            let entries = m.entries().into_iter();
            let entries = entries.map(|(k, v)| Ok((k, copy(&v, meter)?)));
            let entries = entries.collect::<Result<_, FuncError>>()?;
            Ok(Value::Map(Map::from_entries(m.elem(), entries)))
        }),
        other => Ok(other.clone()),
    }
}
