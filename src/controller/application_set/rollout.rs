//! The rollout of a set, carried out: the syncs that its plan lets begin are asked for.
//!
//! What may begin is decided by the plan alone. An operation that could not be asked for is asked
//! for again by the next one.

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
const SOON: Duration = Duration::from_secs(1);

/// Whether a set is rolled out in steps. Argo CD does so only where it was switched on; here it
/// can be switched off.
pub(super) fn is_rolling(hub: &Hub, set: &ApplicationSet) -> bool {
    rollout::is_rolling(set) && hub.fleet.settings().progressive_syncs
}

/// A rollout's plan, and when to make the next although nothing changes.
pub(super) struct RolledOut {
    pub(super) plan: RolloutPlan,
    pub(super) look_again: Option<Duration>,
}

/// Plans the rollout of a set whose applications were just written, and asks for what may begin.
pub(super) async fn roll_out(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    expansion: &Expansion,
    applied: &Applied,
) -> RolledOut {
    let live = apply::concerned(hub, set, expansion.applications.get());
    let now = hub.clock.now();
    let plan = rollout::plan(&Inputs {
        set,
        generated: expansion.applications.get(),
        live: &live,
        unwritten: &unwritten(name, applied),
        paused: &paused(&live, now),
        now,
    });
    let mut begun = futures::stream::iter(plan.begin.clone())
        .map(|begin| async move { ask(hub, name, set, &begin).await })
        .buffer_unordered(PARALLEL);
    let mut all_asked = true;
    while let Some(asked) = begun.next().await {
        all_asked &= asked;
    }
    drop(begun);
    for app in &plan.unseen {
        let app = ObjectName::new(&name.namespace, app);
        hub.take_up(Wake::Application(app, Lane::Routine));
    }
    let due = plan.look_again.map(|at| {
        let wait: Duration = at.duration_since(now).try_into().unwrap_or_default();
        wait.max(SOON)
    });
    let look_again = if all_asked { due } else { Some(SOON) };
    RolledOut { plan, look_again }
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
