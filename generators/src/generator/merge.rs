//! The merge generator: the first child's parameters, overridden by later ones where the merge keys
//! agree.
//!
//! Parameters of later children that match none of the first's are dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::application_set::generators::MergeGenerator;
use argosy_gotemplate::Value;
use serde_json::{Map, Value as Json};

use super::run_child;
use crate::error::Stop;
use crate::expand::Expander;
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &MergeGenerator) -> Result<Vec<Params>, Stop> {
    if spec.generators.len() < 2 {
        return Err(Stop::failed(
            "found less than two generators, Merge requires two or more",
        ));
    }
    let mut children = children(x, spec)?.into_iter();
    let mut merged = children.next().unwrap_or_default();
    let base_keys = index(&spec.merge_keys, &merged)?;
    for overrides in children {
        let by_key = index(&spec.merge_keys, &overrides)?;
        for (key, &at) in &base_keys {
            if let Some(&over) = by_key.get(key) {
                lay_over(&mut merged[at], &overrides[over], x.engine.is_go());
            }
        }
    }
    Ok(merged)
}

fn children(x: &mut Expander<'_>, spec: &MergeGenerator) -> Result<Vec<Vec<Params>>, Stop> {
    let count = spec.generators.len();
    let mut children = Vec::new();
    let mut lacking = false;
    for (number, child) in spec.generators.iter().enumerate() {
        match run_child(x, child, number) {
            Ok(params) => children.push(params),
            Err(Stop::Needs) => lacking = true,
            Err(failed) => {
                return Err(failed.within(&format!(
                    "error getting param sets from generators: error getting params from generator {} of {count}",
                    number + 1
                )));
            }
        }
    }
    if lacking {
        Err(Stop::Needs)
    } else {
        Ok(children)
    }
}

/// Where each combination of the merge keys' values stands; a missing key counts as null.
fn index(keys: &[String], sets: &[Params]) -> Result<BTreeMap<String, usize>, Stop> {
    const CONTEXT: &str = "error getting param sets by merge key";
    if keys.is_empty() {
        return Err(Stop::failed(format!(
            "{CONTEXT}: no merge keys were specified, Merge requires at least one"
        )));
    }
    let mut index = BTreeMap::new();
    for (at, params) in sets.iter().enumerate() {
        let mut tuple = Map::new();
        for key in keys {
            let value = params.get(key).unwrap_or(&Value::Nil).to_json();
            let value = value.map_err(|error| Stop::failed(format!("{CONTEXT}: {error}")))?;
            tuple.insert(key.clone(), value);
        }
        let tuple = Json::Object(tuple).to_string();
        if index.contains_key(&tuple) {
            return Err(Stop::failed(format!(
                "{CONTEXT}: the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was {tuple}"
            )));
        }
        index.insert(tuple, at);
    }
    Ok(index)
}

fn lay_over(base: &mut Params, over: &Params, is_go: bool) {
    if is_go {
        base.override_with(over);
        return;
    }
    for (key, value) in over.iter() {
        base.set(Arc::clone(key), value.clone());
    }
}
