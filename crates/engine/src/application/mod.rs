//! What an Application's spec says, checked and resolved: its sources and its destination.
//!
//! Nothing here asks a cluster or a repository; which clusters there are is a parameter.

mod destination;
pub mod refresh;
mod source;

pub use destination::{DestinationError, KnownCluster, KnownClusters, resolve};
pub use source::{SourceError, validate_sources};

/// The name by which an application is known outside its namespace: the bare name in the hub's own
/// namespace, `<namespace>_<name>` elsewhere.
pub fn instance_name(namespace: &str, name: &str, hub_namespace: &str) -> String {
    if namespace.is_empty() || namespace == hub_namespace {
        name.to_owned()
    } else {
        format!("{namespace}_{name}")
    }
}
