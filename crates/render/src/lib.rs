//! From a source tree to manifests.
//!
//! Rendering is a function of parameters and of what it reads through a [`View`]; the [`Reads`] it
//! leaves behind are what a cache needs to know whether the result still holds. This crate never
//! reaches the network and never opens a file that is not below its tree's root.

mod folder;
mod memory;
mod path;
mod reads;
mod tree;
mod view;

pub use folder::DirectoryTree;
pub use memory::MemoryTree;
pub use path::{PathError, TreePath};
pub use reads::Reads;
pub use tree::{Entry, Kind, ObjectId, Tree, TreeError};
pub use view::{Target, View};
