//! From a source tree to manifests.
//!
//! Rendering is a function of parameters and of what it reads through a [`View`]; the [`Reads`] it
//! leaves behind are what a cache needs to know whether the result still holds. This crate never
//! reaches the network and never opens a file that is not below its tree's root.

mod access;
mod detect;
mod directory;
mod environment;
mod folder;
mod glob;
mod jsonnet;
mod list;
mod manifest;
mod memory;
mod needs;
mod overrides;
mod path;
mod reads;
mod render;
mod tool;
mod tree;
mod view;
mod views;

pub use access::GitAccess;
pub use detect::{Enabled, SourceType, detect};
pub use environment::{BuildFacts, Environment};
pub use folder::DirectoryTree;
pub use memory::MemoryTree;
pub use needs::{Dependency, Fetched, LargeFile, Need};
pub use path::{PathError, TreePath};
pub use reads::Reads;
pub use render::{Render, RenderError, Request, Tool, Tools, render};
pub use tool::{KustomizeVersion, Plugins, PluginsError, check_build_options, kustomize_versions};
pub use tree::{Entry, Kind, ObjectId, Tree, TreeError};
pub use view::{Target, View};
pub use views::{Refs, Views};
