//! How much a template may still do.
//!
//! A step is a node, a call, or a portion of data that a function handles, so that a bound on steps is a bound on time
//! and memory without a clock: the same template always ends at the same place.

use crate::error::FuncError;
use crate::value::{MAX_NESTING, Value};

/// How many bytes of text count as a step: what a processor copies in the time that a node takes.
const BYTES_A_STEP: usize = 64;

/// How many elements of a list or map count as a step.
const ITEMS_A_STEP: usize = 16;

/// Counts the steps of one execution, and how deeply it is nested.
#[derive(Debug)]
pub struct Meter {
    left: u64,
    limit: u64,
    depth: usize,
}

impl Meter {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            left: limit,
            limit,
            depth: 0,
        }
    }

    /// Takes steps; an error when there are too few left.
    pub fn charge(&mut self, steps: u64) -> Result<(), FuncError> {
        let Some(left) = self.left.checked_sub(steps) else {
            self.left = 0;
            return Err(FuncError::limit(format!(
                "the template takes more than {} steps; it loops too often or handles too much data",
                self.limit
            )));
        };
        self.left = left;
        Ok(())
    }

    /// Takes the steps for handling a text of this length.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), FuncError> {
        self.charge(u64::try_from(bytes / BYTES_A_STEP).unwrap_or(u64::MAX))
    }

    /// Takes the steps for looking at this many elements.
    pub(crate) fn charge_items(&mut self, items: usize) -> Result<(), FuncError> {
        self.charge(u64::try_from(items / ITEMS_A_STEP).unwrap_or(u64::MAX))
    }

    /// Takes the steps for handling these values, but not what lists and maps hold.
    pub(crate) fn charge_values(&mut self, values: &[Value]) -> Result<(), FuncError> {
        let steps: usize = values.iter().map(weight).sum();
        if steps == 0 {
            return Ok(());
        }
        self.charge(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// Walks into a list or map: values share their parts, so that a small one can be an endless tree.
    pub(crate) fn nested<T>(
        &mut self,
        walk: impl FnOnce(&mut Self) -> Result<T, FuncError>,
    ) -> Result<T, FuncError> {
        if self.depth >= MAX_NESTING {
            return Err(FuncError::limit(format!(
                "the value is nested more than {MAX_NESTING} levels deep"
            )));
        }
        self.depth += 1;
        let result = walk(self);
        self.depth -= 1;
        result
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len() / BYTES_A_STEP,
        Value::List(list) => list.len() / ITEMS_A_STEP,
        Value::Map(map) => map.len() / ITEMS_A_STEP,
        _ => 0,
    }
}
