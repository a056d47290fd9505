//! The controllers: each takes a key, reads the world anew, decides, acts and reports.
//!
//! A controller never trusts what an event said, only what it reads when it is its turn. A panic
//! in one reconcile is fenced: it is logged, the key is tried again later, and no other is hurt.

pub mod application;
pub mod application_set;
pub mod cluster;
pub mod events;
pub(crate) mod integrity;
mod push;
pub mod queue;
mod queues;
mod repositories;
pub mod router;
pub(crate) mod submodules;
mod telemetry;
mod worker;

pub use queues::Queues;
pub use worker::{Next, work_off};
