//! The matrix generator: every combination of its children, later ones seeing earlier parameters.

use std::sync::Arc;

use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::application_set::generators::MatrixGenerator;
use argosy_gotemplate::Value;

use super::interpolate::Interpolated;
use super::{child as step, run_child};
use crate::error::Stop;
use crate::expand::Expander;
use crate::flatten::print;
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &MatrixGenerator) -> Result<Vec<Params>, Stop> {
    let [first, others @ ..] = spec.generators.as_slice() else {
        return Err(too_few());
    };
    if others.is_empty() {
        return Err(too_few());
    }
    let mut cells = run_child(x, first, 0).map_err(|stop| {
        stop.within("error failed to get params for first generator in matrix generator")
    })?;
    for (index, child) in others.iter().enumerate() {
        cells = multiply(x, &cells, child, index + 1)?;
    }
    Ok(cells)
}

fn too_few() -> Stop {
    Stop::failed("found less than two generators, Matrix support only two")
}

fn multiply(
    x: &mut Expander<'_>,
    cells: &[Params],
    child: &ApplicationSetGenerator,
    index: usize,
) -> Result<Vec<Params>, Stop> {
    let context = if index == 1 {
        "failed to get params for second generator in the matrix generator".to_owned()
    } else {
        format!(
            "failed to get params for generator {} in the matrix generator",
            index + 1
        )
    };
    let interpolated = Interpolated::compile(child, &x.engine)?;
    let is_go = x.engine.is_go();
    let mut shared: Option<Vec<Params>> = None;
    let mut lacking = false;
    let mut product = Vec::new();
    for cell in cells {
        let own;
        let params = match &shared {
            Some(params) if !cell.is_empty() => params,
            _ => match run_cell(x, cell, child, &interpolated, index) {
                Ok(params) if interpolated.is_fixed() && !cell.is_empty() => {
                    &*shared.insert(params)
                }
                Ok(params) => {
                    own = params;
                    &own
                }
                Err(Stop::Needs) => {
                    // The others' needs are learnt now, so that they are fetched together.
                    lacking = true;
                    continue;
                }
                Err(failed) => return Err(failed.within(&context)),
            },
        };
        x.check_size(product.len() + params.len())?;
        for later in params {
            product.push(combine(cell, later, is_go)?);
        }
    }
    if lacking {
        Err(Stop::Needs)
    } else {
        Ok(product)
    }
}

fn run_cell(
    x: &mut Expander<'_>,
    cell: &Params,
    child: &ApplicationSetGenerator,
    interpolated: &Interpolated<'_>,
    index: usize,
) -> Result<Vec<Params>, Stop> {
    if cell.is_empty() {
        return run_child(x, child, index);
    }
    let rendered = interpolated
        .render(cell)
        .map_err(|failure| Stop::from(failure.of(|| cell.summary())).below(&step(index)))?;
    run_child(x, &rendered, index)
}

/// Joins the parameters of an earlier and a later child. In Go mode the earlier one wins; in fast
/// mode all become texts, and two texts for one name are an error.
fn combine(earlier: &Params, later: &Params, is_go: bool) -> Result<Params, Stop> {
    if is_go {
        let mut joined = later.clone();
        joined.override_with(earlier);
        return Ok(joined);
    }
    let mut joined: Params = earlier.iter().map(as_text).collect();
    for (key, value) in later.iter().map(as_text) {
        if let (Some(Value::Str(current)), Value::Str(value)) = (joined.get(&key), &value)
            && current != value
        {
            return Err(Stop::failed(format!(
                "failed to combine string maps with merging params for the matrix generator: found duplicate key {key} with different value, a: {current} ,b: {value}"
            )));
        }
        joined.set(key, value);
    }
    Ok(joined)
}

/// An entry whose value is printed.
fn as_text((key, value): (&Arc<str>, &Value)) -> (Arc<str>, Value) {
    let value = match value {
        Value::Str(_) => value.clone(),
        other => print(other).into(),
    };
    (Arc::clone(key), value)
}
