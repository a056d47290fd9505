//! A hub on a real kube-apiserver, with real kube-apiservers as workload clusters: what the
//! simulation cannot prove. No controllers run there; `controllers` plays those that matter.

// The futures of `corpus` lie deeper in each other than the compiler takes for sane.
#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod big;
mod blind;
mod chart;
mod clusters;
mod controllers;
mod corpus;
mod dependencies;
mod deploy;
mod examples;
mod fleet;
mod hub_process;
mod install;
mod leader;
mod life;
mod required;
mod stories;
