//! Healing an application whose automated sync is off: a rollout holds it back, or a person decides
//! when it is synced. It may drift, but it is not its to sync to what its spec says now.
//!
//! What it was synced to last is what it is healed to, even where the spec or the branch has moved
//! on. An application whose last sync went wrong is left as it is: half of it may be newer.

use std::sync::Arc;

use argosy_crds::application::{ApplicationStatus, RevisionHistory, SyncPolicy};
use argosy_crds::codes::SyncStatusCode;
use argosy_crds::{Application, ApplicationSource, names};

use super::assess::{self, Assessment};
use super::begin::{self, Begun};
use super::desired;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Whether drift is healed at the revision that was synced last.
pub(super) fn is_held(application: &Application) -> bool {
    let policy = application.spec.sync_policy.as_ref();
    !policy.is_some_and(SyncPolicy::is_automated)
        && application
            .annotation(names::annotation::SELF_HEAL)
            .is_some()
}

/// Heals what differs from the last deployment; `given_up` is of a retry, as with other automation.
pub(super) async fn heal(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
    given_up: bool,
) -> Begun {
    let nothing = Begun::Nothing {
        after: None,
        condition: None,
    };
    let differs = assessment.sync_status() == SyncStatusCode::OutOfSync;
    let (true, Ok(observation), Some(current)) =
        (differs, &assessment.observed, Current::of(application))
    else {
        return nothing;
    };
    let judged = current.healing(application);
    if current.sources == observation.desired.sources
        && current.revisions == observation.desired.revisions
    {
        return begin::automated(hub, name, &judged, assessment, given_up).await;
    }
    let desired = desired::desired(hub, name, application, &current.sources, &current.revisions);
    // What cannot be rendered now cannot be healed now; the condition of the newest says why.
    let Ok(desired) = desired.await else {
        return nothing;
    };
    let observed = observation
        .with_desired(hub, name, application, desired)
        .await;
    let assessment = assess::assess(hub, name, &judged, observed).await;
    begin::automated(hub, name, &judged, &assessment, given_up).await
}

/// What an application was synced to last.
struct Current {
    sources: Vec<ApplicationSource>,
    revisions: Vec<String>,
}

impl Current {
    /// The last deployment, unless a later sync to something else went wrong.
    fn of(application: &Application) -> Option<Self> {
        let status = application.status.as_ref()?;
        let last = status.history.last()?;
        let current = Self {
            sources: if last.sources.is_empty() {
                last.source.clone().into_iter().collect()
            } else {
                last.sources.clone()
            },
            revisions: revisions(last),
        };
        current.is_intact(status).then_some(current)
    }

    fn is_intact(&self, status: &ApplicationStatus) -> bool {
        status.operation_state.as_ref().is_none_or(|state| {
            let result = state.sync_result.as_ref();
            let is_of_current = result.is_some_and(|result| {
                result.revisions == self.revisions
                    || std::slice::from_ref(&result.revision) == self.revisions
            });
            state.phase.is_successful() || is_of_current
        })
    }

    /// The application as if this were all that is asked of it, with its healing on.
    fn healing(&self, application: &Application) -> Application {
        let mut judged = application.clone();
        if judged.spec.has_multiple_sources() || self.sources.len() > 1 {
            judged.spec.source = None;
            judged.spec.sources.clone_from(&self.sources);
        } else {
            judged.spec.source = self.sources.first().cloned();
        }
        judged.spec.source_hydrator = None;
        let policy = judged.spec.sync_policy.get_or_insert_default();
        let automated = policy.automated.get_or_insert_default();
        (automated.enabled, automated.self_heal) = (None, Some(true));
        judged
    }
}

fn revisions(deployment: &RevisionHistory) -> Vec<String> {
    if deployment.revisions.is_empty() {
        vec![deployment.revision.clone()]
    } else {
        deployment.revisions.clone()
    }
}
