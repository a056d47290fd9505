//! The decisions of the hub: what is desired against what is live, what to do about it, and why not.
//!
//! Everything here is a synchronous function over plain data; the clock is a parameter. This crate
//! must never perform I/O, read the environment, or hold state between calls.

pub mod actions;
pub mod addresses;
pub mod application;
pub mod compare;
pub mod duration;
pub mod exclusions;
pub mod gate;
pub mod graph;
pub mod health;
pub mod ignore;
pub mod lease;
pub mod lua;
pub mod normalise;
pub mod object;
pub mod operation;
pub mod orphans;
pub mod overrides;
pub mod project;
pub mod repo_url;
pub mod schema;
pub mod secrets;
pub mod status;
pub mod sync;
pub mod tracking;
pub mod why;
pub mod windows;
