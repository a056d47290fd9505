//! What tests share: waiting for what a hub does, stories that it lives through, a real control
//! plane (etcd and kube-apiservers in one binary that the test command builds) and the conformance
//! suite, whose answers the simulated API server must give too.
//!
//! Nothing of this is part of the product.

pub mod conformance;

mod control_plane;
mod credentials;
mod difference;
pub mod manifest;
mod process;
pub mod stories;
mod tool;
pub mod wait;
mod work_tree;

pub use control_plane::{ApiServer, Authorization, ControlPlane, Options};
pub use difference::differences;
pub use tool::{Tool, tool};
pub use work_tree::WorkTree;
