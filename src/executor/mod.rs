//! Carries out what a sync plan says, on one cluster.
//!
//! It performs the tasks it is told to, in parallel as far as it is allowed to, and reports what
//! came of each. It decides nothing: which task, in which order, and what a failure means, is the
//! plan's.

mod request;

pub use request::{ApplyOptions, Failure, Place, Propagation, written_message};
