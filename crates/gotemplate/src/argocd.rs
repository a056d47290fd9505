//! The functions that Argo CD's ApplicationSet controller offers: sprig's and its own.

use crate::funcs::FuncMap;
use crate::sprig::{self, Seams};

/// All functions of an ApplicationSet's template.
pub fn functions(seams: &Seams) -> FuncMap {
    sprig::functions(seams)
}
