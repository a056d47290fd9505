//! Argosy: a multi-cluster GitOps fleet hub that speaks Argo CD's API.
//!
//! This crate is the shell: the only one that talks to clusters, repositories, clocks and people.
//! What decides lives in the pure crates below it. The modules follow the path of a change.

pub mod blocking;
mod child;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod controller;
pub mod disk;
mod disk_cache;
pub mod executor;
pub mod fleet;
pub mod gates;
pub mod http;
pub mod hub;
pub mod installation;
pub mod leader;
pub mod metrics;
pub mod scm;
mod scratch;
pub mod seams;
pub mod server;
pub mod setup;
pub mod signatures;
pub mod source;
pub mod surroundings;

pub mod cli;
pub mod demo;
pub mod diagnostic;
pub mod embedded;
pub mod telemetry;
pub mod traces;
