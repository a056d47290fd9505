//! A Kubernetes API server in memory: for tests and simulations as a tower service, for `argosy up`
//! and `argosy demo` over HTTPS, optionally kept on disk.
//!
//! It is a model of kube-apiserver 1.34 and is judged against the real one; it never reads the clock
//! (the configuration brings one) and never talks to another server.

mod apply;
mod cluster;
mod faults;
mod http;
mod patch;
mod persist;
mod registry;
mod server;
mod service;
mod store;
mod workloads;

pub use cluster::{Clock, SimCluster, SimConfig, StartError, WorkloadConfig};
pub use faults::{Fault, Faults, Requests, Rule};
pub use server::{RunningServer, ServeError, ServeOptions, SimServer};
pub use service::{Refused, SimBody, SimService};
