//! The set that a command names.

use argosy_crds::ApplicationSet;
use kube::Api;

use super::list::all;
use crate::cli::hub_access::{absent, failed};
use crate::diagnostic::Diagnostic;

/// The set of this name; where there is none, the nearest name is told.
pub(super) async fn find(
    api: &Api<ApplicationSet>,
    name: &str,
) -> Result<ApplicationSet, Diagnostic> {
    let found = api.get_opt(name).await;
    let found = found
        .map_err(|error| failed(format!("cannot read the ApplicationSet `{name}`"), &error))?;
    if let Some(set) = found {
        return Ok(set);
    }
    let known: Vec<_> = all(api, None)
        .await?
        .into_iter()
        .filter_map(|set| set.metadata.name)
        .collect();
    Err(absent("AppSet", name, &known))
}
