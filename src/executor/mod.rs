//! Carries out what a sync plan says, on one cluster.
//!
//! It performs the tasks it is told to, in parallel as far as it is allowed to, and reports what
//! came of each. It decides nothing: which task, in which order, and what a failure means, is the
//! plan's.

mod request;
mod run;
mod too_large;
mod withhold;

pub use request::{ApplyOptions, Deleted, Failure, Place};
pub use run::{Execution, Requested};
