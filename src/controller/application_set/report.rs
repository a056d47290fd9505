//! What a set's status says afterwards: one write when something visible changed, none otherwise.

use std::sync::Arc;

use argosy_crds::application_set::ApplicationSetStatus;
use argosy_crds::codes::appset_condition;
use argosy_crds::{Application, ApplicationSet, names};
use argosy_generators::rollout::NO_STEPS;
use argosy_generators::status::{Outcome, Rollout, status};
use argosy_generators::{Error, approval};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::apply::Applied;
use crate::fleet::{Malformed, ObjectName};
use crate::hub::Hub;

/// Writes what changed; whether the status on the API server says what it should.
pub(super) async fn report(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    result: Result<&Applied, &Error>,
    rollout: Rollout<'_>,
) -> bool {
    let outcome = match result {
        Ok(applied) => outcome(applied),
        Err(error) => Outcome::NotGenerated {
            reason: error.reason.as_str().to_owned(),
            message: error.to_string(),
        },
    };
    let live: Vec<Application> = {
        let index = hub.fleet.index();
        let owned = index.applications_of(name);
        owned.map(|app| Application::clone(app)).collect()
    };
    let now = Time(hub.clock.now());
    let mut after = status(
        set,
        &outcome,
        rollout,
        &live,
        hub.fleet.settings().sets.max_resources,
        &now,
    );
    if let Ok(applied) = result
        && applied.is_judged()
    {
        approval::put(&mut after, &name.name, applied.parked.as_ref(), &now);
    }
    hub.application_sets.contested.put(&mut after, name, &now);
    let is_told = write_if_new(hub, name, set, &after).await;
    if set
        .metadata
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| key == names::annotation::APPLICATION_SET_REFRESH)
        && let Err(error) = remove_refresh(hub, name).await
    {
        tracing::debug!(set = %name, error = crate::diagnostic::chain(&error), "the refresh annotation was not removed");
    }
    is_told
}

/// Writes a status that differs from the set's; whether the API server has it then.
async fn write_if_new(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    after: &ApplicationSetStatus,
) -> bool {
    if set.status.as_ref() == Some(after) {
        return true;
    }
    let written = write_status(hub, name, &whole(after)).await;
    if let Err(error) = &written {
        tracing::debug!(set = %name, error = crate::diagnostic::chain(error), "the status was not written and will be again");
    }
    written.is_ok()
}

/// What is told of rollouts while nobody plans one.
pub(super) fn kept(hub: &Hub, set: &ApplicationSet) -> Rollout<'static> {
    if super::rollout::is_rolling(hub, set) {
        Rollout::Kept
    } else {
        Rollout::None
    }
}

/// Says that an application of a set that is being deleted does not go.
pub(super) async fn stuck(hub: &Hub, name: &ObjectName, set: &ApplicationSet, app: &str) {
    let outcome = Outcome::Failed {
        reason: appset_condition::DELETE_APPLICATION_ERROR.to_owned(),
        message: format!("Application {app}: application has not been deleted in over 2 minutes"),
    };
    let live = super::apply::concerned(hub, set, &[]);
    let now = Time(hub.clock.now());
    let after = status(
        set,
        &outcome,
        Rollout::Kept,
        &live,
        hub.fleet.settings().sets.max_resources,
        &now,
    );
    write_if_new(hub, name, set, &after).await;
}

/// Gives a set the conditions that say why nothing can be generated yet. What it reports of its
/// applications stays, because they may not all be known.
pub(super) async fn unlisted(hub: &Arc<Hub>, name: &ObjectName, set: &ApplicationSet, why: &str) {
    let outcome = Outcome::NotGenerated {
        reason: appset_condition::APPLICATION_GENERATION_FROM_PARAMS_ERROR.to_owned(),
        message: format!("{why}; nothing is generated, and nothing deleted, until that succeeds"),
    };
    let now = Time(hub.clock.now());
    let told = status(
        set,
        &outcome,
        Rollout::Kept,
        &[],
        hub.fleet.settings().sets.max_resources,
        &now,
    );
    let mut after = set.status.clone().unwrap_or_default();
    after.conditions = told.conditions;
    after.health = told.health;
    write_if_new(hub, name, set, &after).await;
}

/// Gives a set that cannot be read the condition that says so.
pub(super) async fn malformed(hub: &Hub, name: &ObjectName, malformed: &Malformed) {
    let message = format!(
        "the ApplicationSet cannot be read: {}; correct that field and it is looked at again",
        malformed.why
    );
    if malformed.told.contains(&message) {
        return;
    }
    // No time: written twice it must be no change, or it would wake itself for ever.
    let condition = json!({
        "type": appset_condition::ERROR_OCCURRED, "status": "True",
        "reason": appset_condition::APPLICATION_GENERATION_FROM_PARAMS_ERROR, "message": message,
    });
    if let Err(error) = write_status(hub, name, &json!({"conditions": [condition]})).await {
        tracing::warn!(set = %name, error = crate::diagnostic::chain(&error), "a malformed set could not be marked");
    }
}

fn outcome(applied: &Applied) -> Outcome {
    if let Some(parked) = &applied.parked {
        return Outcome::Failed {
            reason: appset_condition::APPROVAL_NEEDED.to_owned(),
            message: format!("plan {} waits for approval", parked.hash),
        };
    }
    if applied.without_steps {
        return Outcome::Failed {
            reason: appset_condition::APPLICATION_SET_ROLLOUT_ERROR.to_owned(),
            message: NO_STEPS.to_owned(),
        };
    }
    // The last by name, as Argo CD chooses the one that it tells.
    if let Some((_, invalid)) = applied.invalid.last_key_value() {
        return Outcome::Failed {
            reason: appset_condition::APPLICATION_VALIDATION_ERROR.to_owned(),
            message: and_more(invalid.to_string(), applied.invalid.len()),
        };
    }
    match applied.failed.first_key_value() {
        Some((app, (reason, message))) => Outcome::Failed {
            reason: (*reason).to_owned(),
            message: and_more(
                format!("Application {app}: {message}"),
                applied.failed.len(),
            ),
        },
        None => Outcome::UpToDate,
    }
}

fn and_more(message: String, all: usize) -> String {
    if all > 1 {
        format!("{message} (and {} more)", all - 1)
    } else {
        message
    }
}

/// A whole status as a merge patch: lists that are empty now are taken away.
fn whole(status: &ApplicationSetStatus) -> Value {
    let mut whole = json!(status);
    for list in [
        "applicationStatus",
        "heldApplications",
        "resources",
        "resourcesCount",
    ] {
        if whole[list].is_null() {
            whole[list] = Value::Null;
        }
    }
    whole
}

async fn write_status(hub: &Hub, name: &ObjectName, status: &Value) -> kube::Result<()> {
    let api: Api<DynamicObject> = api(hub, name);
    let patch = json!({ "status": status });
    let written = api
        .patch_status(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    hub.fleet
        .wrote_application_set(&serde_json::to_value(written).map_err(kube::Error::SerdeError)?);
    Ok(())
}

async fn remove_refresh(hub: &Hub, name: &ObjectName) -> kube::Result<()> {
    let patch =
        json!({"metadata": {"annotations": {names::annotation::APPLICATION_SET_REFRESH: null}}});
    let api: Api<DynamicObject> = api(hub, name);
    api.patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}

fn api(hub: &Hub, name: &ObjectName) -> Api<DynamicObject> {
    let resource = kube::api::ApiResource::erase::<ApplicationSet>(&());
    Api::namespaced_with(hub.client.clone(), &name.namespace, &resource)
}
