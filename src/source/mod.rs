//! Where desired state comes from: git repositories, charts, their credentials, and the webhooks
//! that announce a change.
//!
//! [`Sources`] and, for what is not in git, [`Charts`] are the doors for controllers. It answers from the remote's own word or not at all: a
//! repository that cannot be reached is an error, never an empty answer. Nothing here writes to a
//! repository, and no credential appears in an error, a log line or a file that outlives its use.

mod app;
mod charts;
mod constraint;
mod counters;
mod error;
mod git;
mod large;
mod repository;
mod sources;
pub mod webhook;

pub use crate::http::Tls;
pub use charts::{Chart, Charts, Package};
pub use constraint::{Constraint, Version, choose};
pub use counters::{Counters, RequestCount};
pub use error::{Retry, SourceError};
pub use git::{
    CommitInfo, DiskUse, GitTree, Objects, Remote, RemoteRefs, Remotes, Sha, TreeFile, Wanted,
};
pub(crate) use git::{FOLLOWED, Module};
pub(crate) use large::LargeFiles;
pub use repository::{
    Credentials, Repositories, Repository, RepositoryKind, SecretError, TrustedHosts, shown_url,
};
pub(crate) use repository::{Unreadable, decoded};
pub(crate) use sources::hex;
pub use sources::{Limits, Resolved, Sources};
