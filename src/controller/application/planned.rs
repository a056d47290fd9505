//! What a sync of an application would do, for a person to read.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{
    SyncOperation, SyncPolicyAutomated, SyncStrategy, SyncStrategyApply,
};
use argosy_engine::object::GroupKind;
use argosy_engine::project::PermittedPlan;

use super::assess::assess;
use super::differences::{Against, application, observed};
use super::plan::plan;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How long the namespaces of the cluster are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked of the sync beyond what the application says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// It prunes, although the application does not do so by itself.
    pub prune: bool,
    /// It runs no hooks.
    pub skip_hooks: bool,
}

/// The plan of a sync that would begin now. Windows, gates and other applications are not asked.
///
/// # Errors
/// Why there can be none.
pub async fn sync_plan(
    hub: &Arc<Hub>,
    name: &ObjectName,
    against: &Against,
    wanted: Wanted,
) -> Result<PermittedPlan, String> {
    let application = application(hub, name)?;
    let observed = observed(hub, name, &application, against).await?;
    let assessment = assess(hub, name, &application, Ok(observed)).await;
    let observation = assessment.observed.as_ref();
    let observation = observation.map_err(|obstacle| obstacle.message.clone())?;
    if let Some(gap) = observation.unseen() {
        return Err(format!("live state is not fully known: {gap}"));
    }
    // A hub has seen them long before.
    let namespaces = [GroupKind::new("", "Namespace")].into();
    let live = &observation.cluster.live;
    live.settled(&namespaces, PATIENCE).await;
    let sync = operation(&application, wanted);
    let at = (hub.clock.now(), "");
    plan(
        (hub, name),
        observation,
        &application,
        &sync,
        &assessment,
        at,
    )
}

fn operation(application: &Application, wanted: Wanted) -> SyncOperation {
    let policy = application.spec.sync_policy.as_ref();
    let automated = policy.and_then(|policy| policy.automated.as_ref());
    let prunes = automated.is_some_and(SyncPolicyAutomated::prunes);
    SyncOperation {
        prune: wanted.prune || prunes,
        sync_options: policy
            .map(|policy| policy.sync_options.clone())
            .unwrap_or_default(),
        sync_strategy: wanted.skip_hooks.then(|| SyncStrategy {
            apply: Some(SyncStrategyApply::default()),
            ..SyncStrategy::default()
        }),
        ..SyncOperation::default()
    }
}
