//! Structured merge: which manager owns which field, what an apply changes, and where two managers
//! disagree. Pure functions over values; knows nothing of the store.

mod compare;
mod fields;
mod managers;
mod merge;

pub(crate) use fields::printed;
pub(crate) use managers::{Conflict, Manager, apply, track_update};
