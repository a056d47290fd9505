//! The rollout of a set, carried out: the syncs that its plan lets begin are asked for.
//!
//! What may begin is decided by the plan alone. The set's status says that a sync was asked for
//! before it is: a hub that is killed in between asks again, and one that is killed later finds
//! the sync and never asks twice. An operation that could not be asked for is asked for by the
//! next plan.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::{Application, ApplicationSet};
use argosy_engine::operation::pause_of;
use argosy_generators::Expansion;
use argosy_generators::rollout::{self, Begin, Inputs, RolloutPlan};
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::apply::{self, Applied};
use crate::controller::events::News;
use crate::controller::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;

/// How many operations are asked for at once.
const PARALLEL: usize = 16;

/// The least time after which a plan is made again that asked for it.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// Whether a set is rolled out in steps. Argo CD does so only where it was switched on; here it
/// can be switched off.
pub(super) fn is_rolling(hub: &Hub, set: &ApplicationSet) -> bool {
    rollout::is_rolling(set) && hub.fleet.settings().progressive_syncs
}

/// Plans the rollout of a set whose applications were just written.
pub(super) fn plan(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    expansion: &Expansion,
    applied: &Applied,
) -> RolloutPlan {
    let live = apply::concerned(hub, set, expansion.applications.get());
    let now = hub.clock.now();
    rollout::plan(&Inputs {
        set,
        generated: expansion.applications.get(),
        live: &live,
        unwritten: &unwritten(name, applied),
        paused: &paused(&live, now),
        now,
    })
}

/// Asks for what a plan lets begin; tells when to plan again although nothing changes.
pub(super) async fn begin(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    plan: RolloutPlan,
) -> Option<Duration> {
    let mut begun = futures::stream::iter(plan.begin)
        .map(|begin| async move { ask(hub, name, set, &begin).await })
        .buffer_unordered(PARALLEL);
    let mut all_asked = true;
    while let Some(asked) = begun.next().await {
        all_asked &= asked;
    }
    for app in &plan.unseen {
        let app = ObjectName::new(&name.namespace, app);
        hub.take_up(Wake::Application(app, Lane::Routine));
    }
    if !all_asked {
        return Some(SOON);
    }
    plan.look_again.map(|at| {
        let wait = at.duration_since(hub.clock.now());
        Duration::try_from(wait).unwrap_or_default().max(SOON)
    })
}

/// The applications that are not as they are generated.
fn unwritten(name: &ObjectName, applied: &Applied) -> BTreeSet<String> {
    let prefix = format!("{}/", name.namespace);
    let invalid = applied.invalid.keys();
    let invalid = invalid.filter_map(|key| key.strip_prefix(&prefix).map(str::to_owned));
    invalid.chain(applied.failed.keys().cloned()).collect()
}

/// The applications that automation leaves alone.
fn paused(live: &[Application], now: Timestamp) -> BTreeSet<String> {
    let paused = live.iter().filter(|app| pause_of(app, now).is_some());
    paused.filter_map(|app| app.metadata.name.clone()).collect()
}

/// Asks for an operation; whether that was taken in.
async fn ask(hub: &Hub, name: &ObjectName, set: &ApplicationSet, begin: &Begin) -> bool {
    let mut patch = json!({
        "metadata": {"resourceVersion": begin.resource_version},
        "operation": begin.operation,
    });
    if begin.terminate {
        patch["status"] = json!({"operationState": {"phase": "Terminating"}});
    }
    hub.metrics.applications.writes.inc();
    let api: Api<Application> = Api::namespaced(hub.client.clone(), &name.namespace);
    let asked = api
        .patch(&begin.name, &PatchParams::default(), &Patch::Merge(patch))
        .await;
    let taken_in = asked.and_then(|app| {
        let app = serde_json::to_value(&app).map_err(kube::Error::SerdeError)?;
        hub.fleet.wrote_application(&app);
        Ok(())
    });
    match taken_in {
        Ok(()) => {
            let reason = begin.operation.info.first().map(|info| info.value.as_str());
            let text = format!("{}: \"{}\"", reason.unwrap_or_default(), begin.name);
            hub.events.tell(set, News::normal("RollingSync", text));
            true
        }
        Err(error) => {
            tracing::debug!(
                application = begin.name,
                error = crate::diagnostic::chain(&error),
                "a sync of the rollout was not asked for and will be again"
            );
            false
        }
    }
}
