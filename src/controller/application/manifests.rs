//! What an application consists of, for a person to read.

use std::sync::Arc;

use argosy_engine::secrets;
use serde_json::Value;

use super::differences::{Against, application, observed};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// What an application consists of. Secret values are masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifests {
    /// The objects as a sync would write them, with their tracking marks.
    pub desired: Vec<Value>,
    /// The objects of the application that live, those that git does not have included.
    pub live: Vec<Value>,
    /// What renders the first source.
    pub source_type: String,
    /// The resolved revision of each source.
    pub revisions: Vec<String>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

/// Reads what an application consists of.
///
/// # Errors
/// Why that is not known.
pub async fn manifests(
    hub: &Arc<Hub>,
    name: &ObjectName,
    against: &Against,
) -> Result<Manifests, String> {
    let application = application(hub, name)?;
    let observed = observed(hub, name, &application, against).await?;
    let mut warnings: Vec<_> = observed.desired.warnings().map(str::to_owned).collect();
    warnings.extend(observed.stale.iter().map(|why| {
        format!(
            "these are the manifests that were rendered last, for the newest could not be: {why}"
        )
    }));
    let (mut desired, mut live) = (
        observed.objects.clone(),
        observed.live.seen().cloned().unwrap_or_default(),
    );
    for object in desired.iter_mut().chain(&mut live) {
        secrets::mask(&mut [object], &observed.settings.sensitive_annotations);
    }
    Ok(Manifests {
        desired,
        live,
        source_type: observed
            .desired
            .source_types()
            .next()
            .unwrap_or_default()
            .to_owned(),
        revisions: observed.desired.revisions.clone(),
        warnings,
    })
}
