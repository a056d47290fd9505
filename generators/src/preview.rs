//! What a change of a set, of git or of clusters would do to the set's Applications.
//!
//! A preview is a plan with its reasons: what would be written field by field, what the policy
//! keeps from being written, and whether the guard would ask a person first. It is a value; nothing
//! here writes, and nothing decides otherwise than [`plan`](crate::plan::plan()) and
//! [`judge`] do for the hub.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::ApplicationsSyncPolicy;
use argosy_crds::names::finalizer;
use argosy_crds::{Application, ApplicationSet};

use crate::guard::{Guard, Parked, Verdict, judge};
use crate::plan::{AppSetPlan, FieldChange, Inputs, created, field_changes, plan};
use crate::rollout::{hold, is_rolling};

/// What would be done. Every list is sorted by name.
#[derive(Debug, Default)]
pub struct Preview {
    /// Applications that would be created.
    pub create: Vec<Application>,
    /// Applications that would change.
    pub update: Vec<Update>,
    /// Applications that would be deleted.
    pub delete: Vec<Removal>,
    /// What the policy of the set does not allow.
    pub withheld: Vec<Withheld>,
    /// Applications that would not be written because something is wrong, and what.
    pub refused: BTreeMap<String, String>,
    /// How many Applications would stay as they are.
    pub unchanged: usize,
    /// The plan would wait for a person's approval.
    pub parked: Option<Parked>,
}

/// An Application that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Its name.
    pub name: String,
    /// What would change.
    pub fields: Vec<FieldChange>,
}

/// An Application that would be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its name.
    pub name: String,
    /// Whether its resources would be deleted from the cluster, too.
    pub cascades: bool,
}

/// A change that the policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The Application.
    pub name: String,
    /// What would be done to it: `true` is deletion, `false` an update.
    pub is_deletion: bool,
    /// The policy that forbids it.
    pub policy: ApplicationsSyncPolicy,
}

impl Preview {
    /// Whether anything would be written.
    pub fn changes_anything(&self) -> bool {
        !(self.create.is_empty() && self.update.is_empty() && self.delete.is_empty())
    }
}

/// The Applications as they would be if the set had been carried out on an empty hub: what another
/// expansion can be compared with.
pub fn as_applied(set: &ApplicationSet, generated: &[Application]) -> Vec<Application> {
    let mut names = BTreeSet::new();
    let first_of_name = |app: &&Application| names.insert(app.metadata.name.clone());
    let first = generated.iter().filter(first_of_name);
    let written = |app: &Application| {
        let mut app = created(set, app);
        if is_rolling(set) {
            hold(&mut app);
        }
        app
    };
    first.map(written).collect()
}

/// Previews what carrying out a set would do.
pub fn preview(inputs: &Inputs<'_>, guard: &Guard<'_>) -> Preview {
    let planned = plan(inputs);
    let parked = match judge(inputs.set, &planned, inputs.live, guard) {
        Verdict::Proceed => None,
        Verdict::Park(parked) => Some(parked),
    };
    let invalid = inputs
        .invalid
        .iter()
        .map(|(name, problem)| (bare(name).to_owned(), problem.to_string()));
    let refused = planned
        .refused
        .iter()
        .map(|(name, problem)| (name.clone(), problem.to_string()));
    let refused: BTreeMap<_, _> = invalid.chain(refused).collect();
    let withheld = withheld(inputs, &planned);
    let live: BTreeMap<_, _> = inputs.live.iter().map(|app| (name_of(app), app)).collect();
    let update = planned.update.iter().map(|after| {
        let name = name_of(after);
        let fields = live
            .get(name)
            .map(|before| field_changes(before, after))
            .unwrap_or_default();
        let name = name.to_owned();
        Update { name, fields }
    });
    let delete = planned.delete.iter().map(|gone| Removal {
        name: gone.name.clone(),
        cascades: !gone.strip_finalizer
            && live
                .get(gone.name.as_str())
                .is_some_and(|app| cascades(app)),
    });
    Preview {
        update: update.collect(),
        delete: delete.collect(),
        unchanged: planned.unchanged.len() - withheld.iter().filter(|one| !one.is_deletion).count(),
        withheld,
        refused,
        parked,
        create: planned.create,
    }
}

/// What would be done if the policy allowed everything, and is not.
fn withheld(inputs: &Inputs<'_>, planned: &AppSetPlan) -> Vec<Withheld> {
    let policy = inputs.policy;
    if policy == ApplicationsSyncPolicy::Sync {
        return Vec::new();
    }
    let free = plan(&Inputs {
        policy: ApplicationsSyncPolicy::Sync,
        ..*inputs
    });
    let updates = free.update.iter().map(|app| (name_of(app), false));
    let deletions = free.delete.iter().map(|gone| (gone.name.as_str(), true));
    let done: BTreeSet<_> = planned
        .update
        .iter()
        .map(name_of)
        .chain(planned.delete.iter().map(|gone| gone.name.as_str()))
        .collect();
    let mut withheld: Vec<_> = updates
        .chain(deletions)
        .filter(|(name, _)| !done.contains(name))
        .map(|(name, is_deletion)| Withheld {
            name: name.to_owned(),
            is_deletion,
            policy,
        })
        .collect();
    withheld.sort_by(|a, b| a.name.cmp(&b.name));
    withheld
}

/// Whether deleting the Application deletes its resources.
fn cascades(app: &Application) -> bool {
    [
        finalizer::RESOURCES,
        finalizer::RESOURCES_FOREGROUND,
        finalizer::RESOURCES_BACKGROUND,
    ]
    .iter()
    .any(|finalizer| app.has_finalizer(finalizer))
}

/// The name behind the namespace.
fn bare(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn name_of(app: &Application) -> &str {
    app.metadata.name.as_deref().unwrap_or_default()
}
