//! The functions of sprig 3.3, less those that read the environment or the network.

use std::fmt;
use std::sync::Arc;

use crate::funcs::FuncMap;

/// What the functions may not find out by themselves.
#[derive(Clone)]
pub struct Seams {
    /// The time now, for `now` and `ago`.
    pub now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    /// The seed of random functions; one seed gives one sequence.
    pub seed: u64,
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Sprig's text function map, without `env`, `expandenv` and `getHostByName`.
pub fn functions(seams: &Seams) -> FuncMap {
    let _ = seams;
    FuncMap::new()
}
