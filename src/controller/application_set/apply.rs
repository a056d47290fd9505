//! The plan of a set, carried out. One application that cannot be written stops no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_crds::codes::appset_condition;
use argosy_crds::{Application, ApplicationSet, names};
use argosy_engine::application::KnownClusters;
use argosy_generators::approval::Held;
use argosy_generators::emptied::{Yields, emptied};
use argosy_generators::guard::{Guard, Limits, Parked, Verdict, approved, judge};
use argosy_generators::plan::{AppSetPlan, Deletion, Inputs, PlanError, is_owned_by, plan};
use argosy_generators::policy;
use argosy_generators::validate::{Invalid, validate};
use argosy_generators::{Cluster, Expansion};
use futures::StreamExt as _;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::contested::Claim;
use super::rollout;
use crate::controller::events::News;
use crate::fleet::{ObjectName, Wake, owner_set};
use crate::hub::Hub;

/// How many applications of a set are written at once.
const PARALLEL: usize = 16;

/// The reason of the condition of a set that could not delete.
const DELETION_FAILED: &str = appset_condition::DELETE_APPLICATION_ERROR;

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The applications that must not be written, and why, by `namespace/name`.
    pub(super) invalid: BTreeMap<String, Invalid>,
    /// The applications that could not be written, and why, by name; with the condition's reason.
    pub(super) failed: BTreeMap<String, (&'static str, String)>,
    /// The plan waits for a person, and nothing was written.
    pub(super) parked: Option<Parked>,
    /// A rollout is asked for that has no steps, and nothing was written.
    pub(super) without_steps: bool,
}

impl Applied {
    /// Nothing was written, because the set asks for a rollout and names no steps.
    pub(super) fn without_steps() -> Self {
        Self {
            without_steps: true,
            ..Self::default()
        }
    }

    /// Whether a plan was made and the guard asked about it.
    pub(super) fn is_judged(&self) -> bool {
        !self.without_steps
    }

    fn has_failed_to_delete(&self) -> bool {
        let mut failed = self.failed.values();
        failed.any(|(reason, _)| *reason == DELETION_FAILED)
    }

    /// Whether everything is as generated.
    pub(super) fn is_clean(&self) -> bool {
        let nothing_wrong = self.invalid.is_empty() && self.failed.is_empty();
        nothing_wrong && self.parked.is_none() && !self.without_steps
    }
}

/// Creates, updates and deletes the applications of a set.
pub(super) async fn apply(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    expansion: &Expansion,
) -> Applied {
    let clusters = clusters(&hub.known_clusters());
    let projects = projects(hub);
    let live = concerned(hub, set, expansion.applications.get());
    let invalid = validate(
        &name.name,
        expansion.applications.get(),
        &projects,
        &clusters,
    );
    let settings = hub.fleet.settings();
    let plan = plan(&Inputs {
        set,
        generated: &expansion.applications,
        invalid: &invalid,
        live: &live,
        policy: policy::effective(set, settings.sets.policy, settings.sets.policy_override),
        preserved: &settings.sets.preserved,
        clusters: &clusters,
        rolling: rollout::is_rolling(hub, set),
        jq: &|expression, value| argosy_engine::ignore::pointers(expression, value),
    });
    let mut applied = Applied {
        invalid,
        ..Applied::default()
    };
    tell_owners(hub, name, &plan, &live);
    for (app, error) in &plan.refused {
        applied
            .failed
            .insert(app.clone(), ("UpdateApplicationError", error.to_string()));
    }
    let before = hub.application_sets.yields(name);
    let guard = Guard {
        limits: Limits::of(set, settings.guard),
        approved: approved(set),
        emptied: &emptied(before.as_deref(), set, expansion),
        held: &Held::of(set).or(hub.application_sets.held(name)),
    };
    match judge(set, &plan, &live, &guard) {
        Verdict::Proceed => {
            hub.application_sets.hold(name, Held::default());
            carry_out(hub, name, set, plan, &live, &mut applied).await;
            // Until the last deletion has succeeded it stays known why they are right.
            if !applied.has_failed_to_delete() {
                let yields = Yields::of(set, expansion);
                hub.application_sets.carried_out(name, yields);
            }
        }
        Verdict::Park(parked) => {
            hub.application_sets.hold(name, parked.held.clone());
            applied.parked = Some(parked);
        }
    }
    applied
}

/// Has the sets told whose applications this one generates, too.
fn tell_owners(hub: &Arc<Hub>, name: &ObjectName, plan: &AppSetPlan, live: &[Application]) {
    let refused = live.iter().filter(|app| {
        let name = app.metadata.name.as_deref().unwrap_or_default();
        matches!(plan.refused.get(name), Some(PlanError::Owned { .. }))
    });
    let claims = refused.filter_map(|app| {
        Some(Claim {
            owner: owner_set(app)?,
            application: app.metadata.name.clone()?,
        })
    });
    let claims = claims.collect();
    for owner in hub.application_sets.contested.note(name, &claims) {
        hub.take_up(Wake::ApplicationSetStatus(owner));
    }
}

/// The projects that exist.
pub(super) fn projects(hub: &Hub) -> BTreeSet<String> {
    let index = hub.fleet.index();
    let here = index.projects.names();
    here.filter(|one| one.namespace == hub.config.namespace)
        .map(|one| one.name.clone())
        .collect()
}

/// The applications that are there and are the set's or have a name that it generates; copies of
/// all others would make every set pay for the whole fleet.
pub(super) fn concerned(
    hub: &Hub,
    set: &ApplicationSet,
    generated: &[Application],
) -> Vec<Application> {
    let names: BTreeSet<&str> = generated
        .iter()
        .filter_map(|app| app.metadata.name.as_deref())
        .collect();
    let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
    let index = hub.fleet.index();
    let concerned = index.applications.iter().filter(|(name, app)| {
        name.namespace == namespace && (names.contains(name.name.as_str()) || is_owned_by(app, set))
    });
    concerned.map(|(_, app)| Application::clone(app)).collect()
}

pub(super) fn clusters(known: &KnownClusters) -> Vec<Cluster> {
    known
        .iter()
        .map(|cluster| Cluster {
            name: cluster.name.clone(),
            server: cluster.server.clone(),
            project: cluster.project.clone().unwrap_or_default(),
            ..Cluster::default()
        })
        .collect()
}

/// One write of an application.
enum Write {
    Create(Box<Application>),
    Update {
        before: Box<Application>,
        after: Box<Application>,
    },
    Delete(Deletion),
}

async fn carry_out(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    plan: AppSetPlan,
    live: &[Application],
    applied: &mut Applied,
) {
    let AppSetPlan {
        create,
        update,
        delete,
        unchanged: _,
        refused: _,
    } = plan;
    let by_name: BTreeMap<_, _> = live.iter().map(|app| (&app.metadata.name, app)).collect();
    let before = |app: &Application| by_name.get(&app.metadata.name).copied().cloned();
    let updates = update.into_iter().filter_map(|after| {
        Some(Write::Update {
            before: Box::new(before(&after)?),
            after: Box::new(after),
        })
    });
    let creates = create.into_iter().map(|app| Write::Create(Box::new(app)));
    // What is new comes first: a rename is a creation and a deletion.
    let writes: Vec<_> = creates
        .chain(updates)
        .chain(delete.into_iter().map(Write::Delete))
        .collect();
    let mut results = futures::stream::iter(writes)
        .map(|write| async move {
            let app = write.name();
            let reason = write.failure_reason();
            (app, reason, perform(hub, name, set, write).await)
        })
        .buffer_unordered(PARALLEL);
    while let Some((app, reason, result)) = results.next().await {
        if let Err(error) = result {
            applied
                .failed
                .insert(app, (reason, crate::diagnostic::chain(&error)));
        }
    }
}

impl Write {
    fn name(&self) -> String {
        match self {
            Self::Create(app) | Self::Update { after: app, .. } => {
                app.metadata.name.clone().unwrap_or_default()
            }
            Self::Delete(deletion) => deletion.name.clone(),
        }
    }

    fn failure_reason(&self) -> &'static str {
        match self {
            Self::Create(_) => "CreateApplicationError",
            Self::Update { .. } => "UpdateApplicationError",
            Self::Delete(_) => DELETION_FAILED,
        }
    }
}

async fn perform(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    write: Write,
) -> kube::Result<()> {
    let api: Api<Application> = Api::namespaced(hub.client.clone(), &name.namespace);
    let app = write.name();
    hub.metrics.applications.writes.inc();
    if let Some(cause) = hub.application_sets.cause(name) {
        cause.keep();
        let app = ObjectName::new(&name.namespace, &app);
        hub.applications.follow(&app, &cause);
    }
    let (word, reason) = match write {
        Write::Create(desired) => {
            let created = api.create(&PostParams::default(), &desired).await?;
            hub.fleet.wrote_application(&value(&created)?);
            ("created", "created")
        }
        Write::Update { before, after } => {
            let patch = merge_patch(&value(&before)?, &value(&after)?);
            let updated = api
                .patch(&app, &PatchParams::default(), &Patch::Merge(patch))
                .await?;
            hub.fleet.wrote_application(&value(&updated)?);
            ("updated", "updated")
        }
        Write::Delete(deletion) => {
            delete(&api, &deletion).await?;
            ("deleted", "Deleted")
        }
    };
    let news = News::normal(reason, format!("{word} Application \"{app}\""));
    hub.events.tell(set, news);
    Ok(())
}

async fn delete(api: &Api<Application>, deletion: &Deletion) -> kube::Result<()> {
    if deletion.strip_finalizer {
        strip(api, &deletion.name).await?;
    }
    let params = DeleteParams {
        preconditions: deletion.uid.clone().map(|uid| Preconditions {
            uid: Some(uid),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match api.delete(&deletion.name, &params).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// Removes the cascade's finalizer from an application whose cluster is not registered any more.
async fn strip(api: &Api<Application>, name: &str) -> kube::Result<()> {
    let Some(app) = api.get_opt(name).await? else {
        return Ok(());
    };
    let finalizers = app.metadata.finalizers.iter().flatten();
    let kept: Vec<_> = finalizers
        .filter(|finalizer| *finalizer != names::finalizer::RESOURCES)
        .collect();
    let patch = json!({"metadata": {
        "finalizers": kept, "resourceVersion": app.metadata.resource_version}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}

fn value<T: serde::Serialize>(object: &T) -> kube::Result<Value> {
    serde_json::to_value(object).map_err(kube::Error::SerdeError)
}

/// The merge patch that makes `after` of `before`, bound to the version that was seen.
fn merge_patch(before: &Value, after: &Value) -> Value {
    let mut patch = difference(before, after).unwrap_or_else(|| json!({}));
    patch["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    patch
}

fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = serde_json::Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(was) => patch.extend(difference(was, value).map(|change| (key.clone(), change))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}
