//! Git by gix: bare mirrors, no checkout, no push.
//!
//! Everything here blocks and belongs on the blocking pool; [`crate::source::Sources`] puts it
//! there.

mod changes;
mod mirror;
mod refs;
mod transport;
mod tree;

pub use mirror::CommitInfo;
pub(crate) use mirror::{Mirror, Wanted};
pub(crate) use refs::Meaning;
pub use refs::{RemoteRefs, Sha};
pub use tree::{GitTree, TreeFile};
