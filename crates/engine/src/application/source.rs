//! Whether the sources of an application say where manifests come from.

use argosy_crds::ApplicationSpec;
use argosy_crds::application::{ApplicationSource, SourceHydrator};
use thiserror::Error;

/// What a source lacks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The only source has no repository, or nothing in it.
    #[error("spec.source.repoURL and either spec.source.path or spec.source.chart are required")]
    Incomplete,
    /// One of several sources has no repository, or nothing in it.
    #[error(
        "spec.source.repoURL and either source.path, source.chart, or source.ref are required for source '{0}'"
    )]
    IncompleteAmongMany(String),
    /// A chart without a version.
    #[error("spec.source.targetRevision is required if the manifest source is a helm chart")]
    ChartWithoutRevision,
    /// A hydrator without one of its parts.
    #[error("spec.sourceHydrator.{0} is required")]
    Hydrator(&'static str),
}

/// Checks all sources; the first fault is returned.
pub fn validate_sources(spec: &ApplicationSpec) -> Result<(), SourceError> {
    if let Some(hydrator) = &spec.source_hydrator {
        return validate_hydrator(hydrator);
    }
    let many = spec.has_multiple_sources();
    let sources = spec.sources();
    if sources.is_empty() {
        return Err(SourceError::Incomplete);
    }
    sources.iter().try_for_each(|source| validate(source, many))
}

/// Checks one source.
pub(crate) fn validate(source: &ApplicationSource, many: bool) -> Result<(), SourceError> {
    let nowhere = source.path.is_empty() && source.chart.is_empty();
    if many {
        if source.repo_url.is_empty() || (nowhere && source.ref_name.is_empty()) {
            return Err(SourceError::IncompleteAmongMany(source.repo_url.clone()));
        }
    } else if source.repo_url.is_empty() || nowhere {
        return Err(SourceError::Incomplete);
    }
    if !source.chart.is_empty() && source.target_revision.is_empty() {
        return Err(SourceError::ChartWithoutRevision);
    }
    Ok(())
}

fn validate_hydrator(hydrator: &SourceHydrator) -> Result<(), SourceError> {
    for (value, name) in [
        (&hydrator.dry_source.repo_url, "drySource.repoURL"),
        (
            &hydrator.sync_source.target_branch,
            "syncSource.targetBranch",
        ),
        (&hydrator.sync_source.path, "syncSource.path"),
    ] {
        if value.is_empty() {
            return Err(SourceError::Hydrator(name));
        }
    }
    Ok(())
}
