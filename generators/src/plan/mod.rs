//! What to write so that the cluster holds what a set generates.
//!
//! Nothing is planned where nothing differs, because each write costs. Only a complete expansion
//! can delete, and an Application of another owner is never touched.

mod desired;
mod fields;
mod ignore;
mod owner;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::ApplicationsSyncPolicy;
use argosy_crds::names::finalizer;
use argosy_crds::{Application, ApplicationSet};
use argosy_facts::Complete;

use crate::facts::Cluster;
use crate::rollout::hold;
use crate::validate::{Invalid, resolve};

pub use desired::PreservedKeys;
pub(crate) use desired::created;
pub use fields::{FieldChange, field_changes};
pub use ignore::{IgnoreError, JqPaths};
pub use owner::is_owned_by;

/// What a plan is made from.
pub struct Inputs<'a> {
    /// The set, with its uid.
    pub set: &'a ApplicationSet,
    /// What it generates.
    pub generated: &'a Complete<Vec<Application>>,
    /// Which of them must not be written.
    pub invalid: &'a BTreeMap<String, Invalid>,
    /// The Applications of the set's namespace.
    pub live: &'a [Application],
    /// What may be done.
    pub policy: ApplicationsSyncPolicy,
    /// Metadata keys that all sets leave alone.
    pub preserved: &'a PreservedKeys,
    /// The registered clusters.
    pub clusters: &'a [Cluster],
    /// Whether the set is rolled out in steps, so that its Applications do not sync by themselves.
    pub rolling: bool,
    /// Evaluates jq paths of ignored differences.
    pub jq: &'a JqPaths<'a>,
}

/// What to write. Every list is sorted by name.
#[derive(Debug, Default)]
pub struct AppSetPlan {
    /// To be created, with owner reference.
    pub create: Vec<Application>,
    /// To be written over what is there: the whole object, with the resource version it was made
    /// from.
    pub update: Vec<Application>,
    /// To be deleted.
    pub delete: Vec<Deletion>,
    /// As they should be, or not allowed to change.
    pub unchanged: Vec<String>,
    /// Not to be written, and why.
    pub refused: BTreeMap<String, PlanError>,
}

/// An Application that is no longer generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Its name.
    pub name: String,
    /// The uid of what was seen, so that no successor is deleted.
    pub uid: Option<String>,
    /// Its cluster is not registered: nobody could run the finalizer that deletes its resources, so
    /// that finalizer is removed first and the resources stay.
    pub strip_finalizer: bool,
}

/// Why an Application is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another object controls it.
    #[error("application {name} is already owned by {owner}; rename one of the two")]
    Owned {
        /// The Application.
        name: String,
        /// Kind and name of its controller.
        owner: String,
    },
    /// What to ignore cannot be evaluated.
    #[error("cannot evaluate ignoreApplicationDifferences for application {name}: {problem}")]
    Ignore {
        /// The Application.
        name: String,
        /// What is wrong.
        problem: IgnoreError,
    },
}

/// Plans the writes of a set.
pub fn plan(inputs: &Inputs<'_>) -> AppSetPlan {
    let live: BTreeMap<&str, &Application> =
        inputs.live.iter().map(|app| (name_of(app), app)).collect();
    let namespace = inputs.set.metadata.namespace.as_deref().unwrap_or_default();
    let mut generated: Vec<&Application> = inputs.generated.get().iter().collect();
    generated.sort_by_key(|app| name_of(app));
    let mut plan = AppSetPlan::default();
    for app in &generated {
        let name = name_of(app);
        if inputs.invalid.contains_key(&format!("{namespace}/{name}")) {
            continue;
        }
        let app = as_rolled_out(inputs, app);
        match live.get(name) {
            None => plan.create.push(created(inputs.set, &app)),
            Some(_) if !inputs.policy.allows_update() => plan.unchanged.push(name.to_owned()),
            Some(live) => match updated(inputs, &app, live) {
                Ok(Some(merged)) => plan.update.push(merged),
                Ok(None) => plan.unchanged.push(name.to_owned()),
                Err(problem) => {
                    plan.refused.insert(name.to_owned(), problem);
                }
            },
        }
    }
    if inputs.policy.allows_delete() {
        let kept: BTreeSet<&str> = generated.iter().map(|app| name_of(app)).collect();
        plan.delete = deletions(inputs, &kept);
    }
    plan
}

/// What was generated, without its own will to sync where a rollout decides.
fn as_rolled_out<'a>(inputs: &Inputs<'_>, app: &'a Application) -> Cow<'a, Application> {
    let mut app = Cow::Borrowed(app);
    if inputs.rolling {
        hold(app.to_mut());
    }
    app
}

/// The object to write over `live`, if it differs.
fn updated(
    inputs: &Inputs<'_>,
    generated: &Application,
    live: &Application,
) -> Result<Option<Application>, PlanError> {
    let name = name_of(live);
    owner::check(inputs.set, live)?;
    let mut merged = desired::merged(inputs.set, generated, live, inputs.preserved);
    ignore::keep_live(
        &inputs.set.spec.ignore_application_differences,
        live,
        &mut merged,
        inputs.jq,
    )
    .map_err(|problem| PlanError::Ignore {
        name: name.to_owned(),
        problem,
    })?;
    Ok((!desired::is_same(&merged, live)).then_some(merged))
}

fn deletions(inputs: &Inputs<'_>, kept: &BTreeSet<&str>) -> Vec<Deletion> {
    let mut deletions: Vec<Deletion> = inputs
        .live
        .iter()
        .filter(|app| is_owned_by(app, inputs.set) && !kept.contains(name_of(app)))
        .filter(|app| !app.is_deleting())
        .map(|app| Deletion {
            name: name_of(app).to_owned(),
            uid: app.metadata.uid.clone(),
            strip_finalizer: app.has_finalizer(finalizer::RESOURCES)
                && resolve(&app.spec.destination, inputs.clusters).is_err(),
        })
        .collect();
    deletions.sort_by(|a, b| a.name.cmp(&b.name));
    deletions
}

fn name_of(app: &Application) -> &str {
    app.metadata.name.as_deref().unwrap_or_default()
}
