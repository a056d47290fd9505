//! A set that is being deleted. Its applications go by their owner references, each with its own
//! cascade; where they are to go in the reverse order of the steps, a finalizer holds the set until
//! the last of them is gone.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::names::finalizer;
use argosy_crds::{Application, ApplicationSet};
use argosy_generators::rollout::{self, Deletion};
use argosy_generators::{plan, policy};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::{apply, report, rollout as rolling};
use crate::controller::worker::Next;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How often a set is looked at whose applications go, as in Argo CD.
const INTERVAL: Duration = Duration::from_secs(10);

/// Sees to it that a set whose applications go in order has the finalizer.
pub(super) async fn prepare(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
) -> kube::Result<()> {
    if !goes_in_order(hub, set) || has_finalizer(set) {
        return Ok(());
    }
    let mut finalizers = set.metadata.finalizers.clone().unwrap_or_default();
    finalizers.push(finalizer::RESOURCES.to_owned());
    put_finalizers(hub, name, set, &finalizers).await
}

/// Brings the deletion of a set a step further.
pub(super) async fn proceed(hub: &Arc<Hub>, name: &ObjectName, set: &ApplicationSet) -> Next {
    if !has_finalizer(set) {
        return Next::WhenWoken;
    }
    match step(hub, name, set).await {
        Ok(next) => next,
        Err(error) => {
            tracing::warn!(set = %name, error = crate::diagnostic::chain(&error), "the deletion of the set could not go on and is tried again");
            Next::Backoff
        }
    }
}

async fn step(hub: &Arc<Hub>, name: &ObjectName, set: &ApplicationSet) -> kube::Result<Next> {
    let live = apply::concerned(hub, set, &[]);
    let settings = hub.fleet.settings();
    let policy = policy::effective(set, settings.sets.policy, settings.sets.policy_override);
    if !policy.allows_delete() {
        for app in live.iter().filter(|app| plan::is_owned_by(app, set)) {
            release(hub, name, set, app).await?;
        }
    } else if goes_in_order(hub, set) {
        let deletion = rollout::deletion(set, &live, hub.clock.now());
        if let Deletion::Step { delete, stuck } = deletion {
            let api: Api<Application> = Api::namespaced(hub.client.clone(), &name.namespace);
            for app in &delete {
                match api.delete(app, &DeleteParams::default()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    result => drop(result?),
                }
            }
            if let Some(app) = stuck.first() {
                report::stuck(hub, name, set, app).await;
            }
            return Ok(Next::After(INTERVAL));
        }
    }
    let finalizers = set.metadata.finalizers.iter().flatten();
    let kept: Vec<_> = finalizers
        .filter(|one| *one != finalizer::RESOURCES)
        .cloned()
        .collect();
    put_finalizers(hub, name, set, &kept).await?;
    Ok(Next::WhenWoken)
}

fn goes_in_order(hub: &Hub, set: &ApplicationSet) -> bool {
    rolling::is_rolling(hub, set) && rollout::deletes_in_reverse(set)
}

fn has_finalizer(set: &ApplicationSet) -> bool {
    let finalizers = set.metadata.finalizers.iter().flatten();
    finalizers
        .into_iter()
        .any(|one| one == finalizer::RESOURCES)
}

/// Lets go of an application that outlives its set, because the set may not delete.
async fn release(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    app: &Application,
) -> kube::Result<()> {
    let api: Api<Application> = Api::namespaced(hub.client.clone(), &name.namespace);
    let references = app.metadata.owner_references.iter().flatten();
    let kept: Vec<_> = references
        .filter(|owner| Some(&owner.uid) != set.metadata.uid.as_ref())
        .collect();
    let patch = json!({"metadata": {
        "ownerReferences": kept, "resourceVersion": app.metadata.resource_version}});
    let app = app.metadata.name.as_deref().unwrap_or_default();
    api.patch(app, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}

async fn put_finalizers(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    finalizers: &[String],
) -> kube::Result<()> {
    let resource = kube::api::ApiResource::erase::<ApplicationSet>(&());
    let api: Api<DynamicObject> =
        Api::namespaced_with(hub.client.clone(), &name.namespace, &resource);
    let patch = json!({"metadata": {
        "finalizers": finalizers, "resourceVersion": set.metadata.resource_version}});
    api.patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}
