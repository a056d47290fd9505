//! What git says an application consists of.

use std::sync::Arc;

use argosy_crds::{Application, ApplicationSource};
use argosy_render::{BuildFacts, Environment};
use serde_json::Value;

use super::renders::Wanted;
use super::rules::instance_name;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::{Repository, Retry, Sha, SourceError};

/// The manifests of all sources at their revisions, without tracking marks.
#[derive(Debug)]
pub(super) struct Desired {
    /// The sources that were rendered.
    pub(super) sources: Vec<ApplicationSource>,
    /// The resolved revision of each source.
    pub(super) revisions: Vec<String>,
    /// What rendered each source.
    pub(super) source_types: Vec<String>,
    /// The objects of all sources, in their order.
    pub(super) manifests: Vec<Value>,
    /// What was left out, and why.
    pub(super) warnings: Vec<String>,
}

/// Why there are no manifests.
#[derive(Debug)]
pub(super) struct Failure {
    /// The text for the condition.
    pub(super) message: String,
    /// Whether and when to try again.
    pub(super) retry: Retry,
}

/// Resolves and renders `sources`; `pinned` revisions, where not empty, instead of their own.
pub(super) async fn desired(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
    pinned: &[String],
) -> Result<Desired, Failure> {
    let mut desired = Desired {
        sources: sources.to_vec(),
        revisions: Vec::new(),
        source_types: Vec::new(),
        manifests: Vec::new(),
        warnings: Vec::new(),
    };
    for (at, source) in sources.iter().enumerate() {
        let pinned = pinned.get(at).map_or("", String::as_str);
        one_source(hub, name, application, (source, pinned), &mut desired).await?;
    }
    Ok(desired)
}

async fn one_source(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    (source, pinned): (&ApplicationSource, &str),
    desired: &mut Desired,
) -> Result<(), Failure> {
    let project = application.spec.project_or_default();
    let repository = hub.repositories().find(&source.repo_url, project);
    let revision = if pinned.is_empty() {
        &source.target_revision
    } else {
        pinned
    };
    let sha = resolve(hub, &repository, source, revision).await?;
    desired.revisions.push(sha.to_string());
    if !source.ref_name.is_empty() && source.path.is_empty() {
        return Ok(());
    }
    let tree = hub.sources.tree(&repository, &sha).await?;
    let app_name = instance_name(name, &hub.config.namespace);
    let environment = Environment::standard(&BuildFacts {
        app_name: &app_name,
        namespace: &application.spec.destination.namespace,
        project,
        revision: sha.as_str(),
        repo_url: &source.repo_url,
        path: &source.path,
        target_revision: &source.target_revision,
    });
    // Rendering reads blobs from disk and may take its time; it must not hold up other tasks.
    let (owned, hub) = (source.clone(), Arc::clone(hub));
    let rendered = tokio::task::spawn_blocking(move || {
        hub.applications.renders.get(&Wanted {
            source: &owned,
            app_name: &app_name,
            environment: &environment,
            sha: &sha,
            tree: Arc::new(tree),
        })
    })
    .await;
    let rendered = rendered
        .map_err(|panic| Failure::lasting(format!("rendering did not come to its end: {panic}")))?
        .map_err(|error| {
            let place = format!("{} at {}", source.repo_url, source.path);
            Failure::lasting(format!(
                "cannot render {place}: {}",
                crate::diagnostic::chain(&error)
            ))
        })?;
    desired.manifests.extend(rendered.manifests.iter().cloned());
    desired.warnings.extend(rendered.warnings.iter().cloned());
    desired
        .source_types
        .push(rendered.source_type.as_str().to_owned());
    Ok(())
}

async fn resolve(
    hub: &Hub,
    repository: &Repository,
    source: &ApplicationSource,
    revision: &str,
) -> Result<Sha, Failure> {
    if !source.chart.is_empty() {
        return Err(Failure::lasting(format!(
            "the chart `{}` of {} cannot be fetched: charts from Helm repositories are not supported yet; \
             keep the chart in git",
            source.chart, source.repo_url
        )));
    }
    let prefix = Some(source.tag_prefix.as_str()).filter(|prefix| !prefix.is_empty());
    let resolved = hub
        .sources
        .resolve_with_prefix(repository, revision, prefix)
        .await?;
    Ok(resolved.sha)
}

impl Failure {
    /// A failure that stays until somebody changes something.
    fn lasting(message: String) -> Self {
        Self {
            message,
            retry: Retry::Never,
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self {
            message: error.to_string(),
            retry: error.retry(),
        }
    }
}
