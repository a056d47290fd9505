//! The controllers: each takes a key, reads the world anew, decides, acts and reports.

pub mod events;
pub mod queue;
