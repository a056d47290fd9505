//! ApplicationSets: what they generate, and what follows from it for the cluster.
//!
//! Everything here is a function over plain data. [`expand`] turns a set and the facts about the
//! world into Applications; it asks for facts it lacks instead of fetching them, and it fails
//! rather than believe an incomplete one. [`plan`] compares what was generated with what exists.
//! This crate never does I/O, never reads a clock, and never makes an empty list out of an error.

mod error;
mod expand;
mod facts;
mod flatten;
mod generator;
mod normalise;
mod params;
mod render;
mod selector;
mod settings;
mod substitute;
mod template;
mod typed;

pub mod approval;
pub mod emptied;
pub mod guard;
pub mod lint;
pub mod offline;
pub mod plan;
pub mod policy;
pub mod preview;
pub mod reads;
pub mod requeue;
pub mod rollout;
pub mod status;
pub mod validate;

pub use error::{Error, Reason};
pub use expand::{Expansion, Step, expand};
pub use facts::{Answer, Cluster, Decisions, Facts, Request, SelectedClusters};
pub use generator::clusters::{select_clusters, servers};
pub use generator::pull_request::PullRequest;
pub use generator::scm_filter::ScmFilters;
pub use generator::scm_provider::{Repository, RepositoryId};
pub use normalise::normalise as normalise_spec;
pub use settings::{Globbing, MAX_PARAMETER_SETS, Settings};
pub use substitute::Substitute;
