//! The fleet's own registrations: cluster Secrets become connections, repository Secrets become
//! credentials, and what the connections do is published for the CLI.
//!
//! A Secret that cannot be read is reported by name and without its content; it concerns nobody
//! else.

mod info;
mod register;

pub use info::{ClusterInfo, INFO_CONFIG_MAP, work};
