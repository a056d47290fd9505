//! Helm repositories, OCI registries and the servers of git's large files, as clients see them.
//!
//! The protocols alone: requests go through a [`tower_service::Service`] that the caller brings, which holds
//! connections, trust, proxies and time limits. Nothing here opens a connection, touches a file or
//! remembers anything between two calls, and every answer has a limit on its size. Credentials are
//! shown to the host that they are meant for and to no other, and are part of no error.

mod archive;
mod credentials;
mod digest;
mod error;
mod exchange;
mod file;
mod helm;
mod index;
mod lfs;
mod oci;

pub use archive::{ArchiveError, Files, Limits, unpack, without_base};
pub use credentials::Credentials;
pub use digest::Digest;
pub use error::Error;
pub use exchange::Transport;
pub use file::file;
pub use helm::{FetchedIndex, HelmRepository};
pub use index::{ChartVersion, Index};
pub use lfs::{Grant, LargeFile, LfsServer, POINTER_LIMIT};
pub use oci::{Descriptor, HELM_CHART_LAYER, Manifest, OciRepository};
