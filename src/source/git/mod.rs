//! Git by gix: bare mirrors, no checkout, no push.
//!
//! Everything here blocks and belongs where [`crate::blocking`] says; [`crate::source::Sources`] puts
//! it there.

mod access;
pub(crate) mod commit;
mod daemon;
mod failure;
mod large;
mod mirror;
mod mirrors;
mod modules;
mod refs;
mod remote;
mod ssh;
mod talk;
mod transport;
mod tree;

pub(in crate::source) use access::access;
pub use commit::CommitInfo;
pub(in crate::source) use large::beside;
pub(crate) use mirror::damaged;
pub use mirrors::DiskUse;
pub(crate) use mirrors::FOLLOWED;
pub(crate) use modules::Module;
pub(crate) use refs::Meaning;
pub use refs::{RemoteRefs, Sha};
pub use remote::{Objects, Remote, Remotes, Wanted};
pub use tree::{GitTree, TreeFile};
