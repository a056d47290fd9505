//! Rolling back while automated sync is on: a deployment of the history is pinned, and what was
//! newest is refused, until a commit renders something else.

use argosy_crds::application::{ApplicationSource, RevisionHistory, SyncOperation, SyncPolicy};
use argosy_crds::codes::HealthStatusCode;
use argosy_crds::{Application, ApplicationStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::history::RollbackError;
use crate::duration;
use crate::object::names;

/// What an application is rolled back to, as its annotation `argosy.dev/rollback` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// The deployment's number in the history.
    pub id: i64,
    /// The sources that are in force.
    pub sources: Vec<ApplicationSource>,
    /// The revision of each source that is in force.
    pub revisions: Vec<String>,
    /// The revision of each source that is refused.
    pub refused: Vec<String>,
    /// Who asked.
    pub by: String,
}

impl Pin {
    /// What the application is rolled back to; `None` if it is not, or if nobody can read it.
    pub fn of(application: &Application) -> Option<Self> {
        serde_json::from_str(application.annotation(names::ROLLBACK)?).ok()
    }

    /// Pins deployment `id` of the history, or the last one that is not of the newest revision if
    /// none is named.
    ///
    /// # Errors
    /// There is no such deployment.
    pub fn to(application: &Application, id: Option<i64>, by: &str) -> Result<Self, RollbackError> {
        let status = application.status.clone().unwrap_or_default();
        let found = match id {
            Some(id) => status.history.iter().find(|entry| entry.id == id),
            None => previous(&status),
        };
        let entry = found.ok_or_else(|| RollbackError::NoSuchDeployment {
            application: application.metadata.name.clone().unwrap_or_default(),
            id: id.unwrap_or_default(),
        })?;
        Ok(Self {
            id: entry.id,
            sources: one_or_many(entry.source.as_ref(), &entry.sources),
            revisions: revisions_of(entry),
            refused: newest_of(&status),
            by: by.to_owned(),
        })
    }
}

/// The deployment to go back to by itself: an application that asks for it, by
/// `argosy.dev/auto-rollback`, has become degraded so soon after the newest revision was synced,
/// or while it was.
pub fn automatic(
    application: &Application,
    after: &ApplicationStatus,
    now: Timestamp,
) -> Option<Pin> {
    let within = duration::parse(application.annotation(names::AUTO_ROLLBACK)?).ok()?;
    let policy = application.spec.sync_policy.as_ref();
    let is_automated = policy.is_some_and(SyncPolicy::is_automated);
    let is_degraded = after.health.status == Some(HealthStatusCode::Degraded);
    if !is_automated || !is_degraded || application.annotation(names::ROLLBACK).is_some() {
        return None;
    }
    let state = after.operation_state.as_ref()?;
    let heals = |sync: &SyncOperation| !sync.resources.is_empty();
    let synced = state.sync_result.as_ref()?;
    let is_newest = one_or_many(Some(&synced.revision), &synced.revisions) == newest_of(after);
    if !is_newest || state.operation.sync.as_ref().is_none_or(heals) {
        return None;
    }
    let at = state.finished_at.as_ref().or(state.started_at.as_ref())?;
    if now.duration_since(at.0) > within {
        return None;
    }
    let judged = Application {
        status: Some(after.clone()),
        ..application.clone()
    };
    Pin::to(&judged, None, "argosy.dev/auto-rollback").ok()
}

/// The last deployment of other revisions than the newest.
fn previous(status: &ApplicationStatus) -> Option<&RevisionHistory> {
    let newest = newest_of(status);
    let mut latest_first = status.history.iter().rev();
    latest_first.find(|entry| revisions_of(entry) != newest)
}

fn newest_of(status: &ApplicationStatus) -> Vec<String> {
    one_or_many(Some(&status.sync.revision), &status.sync.revisions)
}

fn revisions_of(entry: &RevisionHistory) -> Vec<String> {
    one_or_many(Some(&entry.revision), &entry.revisions)
}

fn one_or_many<T: Clone>(one: Option<&T>, many: &[T]) -> Vec<T> {
    if many.is_empty() {
        one.into_iter().cloned().collect()
    } else {
        many.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn application() -> Application {
        let entry = |id: i64, revision: &str, at: &str| {
            json!({"id": id, "revision": revision, "deployedAt": at,
                "source": {"repoURL": "https://git.example.com/a"}})
        };
        serde_json::from_value(json!({
            "metadata": {"name": "web", "annotations": {"argosy.dev/auto-rollback": "10m"}},
            "spec": {"syncPolicy": {"automated": {}}},
            "status": {"sync": {"revision": "bad"}, "health": {"status": "Degraded"},
                "operationState": {"phase": "Succeeded", "operation": {"sync": {}},
                    "finishedAt": "2026-03-04T05:05:00Z", "syncResult": {"revision": "bad"}},
                "history": [
                entry(3, "good", "2026-03-04T04:00:00Z"), entry(4, "bad", "2026-03-04T05:00:00Z"),
                entry(5, "bad", "2026-03-04T05:05:00Z")]},
        }))
        .unwrap()
    }

    #[test]
    fn the_deployment_before_is_pinned_and_the_newest_revision_refused() {
        let pin = Pin::to(&application(), None, "ada").unwrap();
        assert_eq!((pin.id, pin.sources.len()), (3, 1));
        assert_eq!(pin.revisions, ["good"]);
        assert_eq!(pin.refused, ["bad"]);
        assert!(Pin::to(&application(), Some(9), "ada").is_err());
        let mut pinned = application();
        let text = serde_json::to_string(&pin).unwrap();
        let annotations = pinned.metadata.annotations.get_or_insert_default();
        annotations.insert(names::ROLLBACK.to_owned(), text);
        assert_eq!(Pin::of(&pinned), Some(pin));
    }

    #[test]
    fn a_deployment_that_soon_degrades_is_rolled_back_once() {
        let application = application();
        let after = application.status.clone().unwrap();
        let at = |time: &str| automatic(&application, &after, time.parse().unwrap());
        assert_eq!(at("2026-03-04T05:10:00Z").map(|pin| pin.id), Some(3));
        assert_eq!(
            at("2026-03-04T05:20:00Z"),
            None,
            "it ran well for long enough"
        );
        let mut healthy = after.clone();
        healthy.health.status = Some(HealthStatusCode::Healthy);
        let now = "2026-03-04T05:10:00Z".parse().unwrap();
        assert_eq!(automatic(&application, &healthy, now), None);
    }
}
