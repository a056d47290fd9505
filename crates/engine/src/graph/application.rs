//! What an Application means in the graph.

use argosy_crds::application::ApplicationStatus;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use argosy_crds::{Application, ApplicationSource};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{AppKey, AppNode, Origin, Readiness, references};
use crate::object::names;
use crate::operation::Pin;
use crate::repo_url;

impl AppNode {
    /// Reads an application; `parent` is the one that manages it, if any.
    pub fn of(application: &Application, parent: Option<AppKey>) -> Self {
        let metadata = &application.metadata;
        let key = AppKey::new(
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        );
        let depends_on = application.annotation(names::DEPENDS_ON);
        let wave = application.annotation(names::SYNC_WAVE);
        Self {
            labels: metadata.labels.clone().unwrap_or_default(),
            depends_on: references(depends_on.unwrap_or_default(), &key.namespace),
            // An application that manages itself waits for itself no more than for others.
            parent: parent.filter(|parent| *parent != key),
            wave: wave.and_then(|wave| wave.trim().parse().ok()).unwrap_or(0),
            readiness: readiness(application),
            revisions: revisions(application),
            key,
        }
    }
}

/// Whether an application is synced and healthy, for exactly what its spec asks for. The reason why
/// not changes only when the state does.
pub fn readiness(application: &Application) -> Readiness {
    match obstacle(application) {
        None => Readiness::Ready,
        Some(why) => Readiness::NotReady(why),
    }
}

fn obstacle(application: &Application) -> Option<String> {
    if let Some(deleted) = &application.metadata.deletion_timestamp {
        return Some(format!("being deleted{}", since(Some(deleted))));
    }
    let Some(status) = &application.status else {
        return Some("not compared yet".to_owned());
    };
    let health = status.health.status.unwrap_or_default();
    let unwell = || {
        let since = since(status.health.last_transition_time.as_ref());
        Some(format!("health {health}{since}"))
    };
    if health == HealthStatusCode::Degraded {
        return unwell();
    }
    let running = status.operation_state.as_ref();
    if let Some(state) = running.filter(|state| !state.phase.is_completed()) {
        let since = since(state.started_at.as_ref());
        return Some(format!("operation {}{since}", state.phase));
    }
    if application.operation.is_some() {
        return Some("operation asked for".to_owned());
    }
    if let Some(pin) = Pin::of(application) {
        return Some(format!("rolled back to deployment {}", pin.id));
    }
    if !is_compared(application, status) {
        return Some("not compared with its spec yet".to_owned());
    }
    if status.sync.status != SyncStatusCode::Synced {
        return Some(format!("sync {}", status.sync.status));
    }
    if health == HealthStatusCode::Healthy {
        None
    } else {
        unwell()
    }
}

fn since(at: Option<&Time>) -> String {
    at.map_or_else(String::new, |at| format!(" since {:.0}", at.0))
}

/// Whether the status speaks of the spec as it is now.
fn is_compared(application: &Application, status: &ApplicationStatus) -> bool {
    let compared = &status.sync.compared_to;
    let sources: &[ApplicationSource] = if compared.sources.is_empty() {
        compared.source.as_slice()
    } else {
        &compared.sources
    };
    *sources == *application.spec.sources() && compared.destination == application.spec.destination
}

/// The revisions that the status speaks of, by where they come from.
fn revisions(application: &Application) -> Vec<(Origin, String)> {
    let Some(status) = &application.status else {
        return Vec::new();
    };
    let sync = &status.sync;
    let revisions: &[String] = if sync.revisions.is_empty() {
        std::slice::from_ref(&sync.revision)
    } else {
        &sync.revisions
    };
    let sources = application.spec.sources();
    let pairs = sources.iter().zip(revisions);
    pairs
        .filter(|(_, revision)| !revision.is_empty())
        .map(|(source, revision)| (Origin::of(source), revision.clone()))
        .collect()
}

impl Origin {
    /// Where a source's revisions come from.
    pub fn of(source: &ApplicationSource) -> Self {
        Self {
            repository: repo_url::normalise(&source.repo_url),
            chart: source.chart.clone(),
            target: match source.target_revision.as_str() {
                "" => "HEAD".to_owned(),
                target => format!("{}{target}", source.tag_prefix),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn why(status: &Value) -> String {
        let source = json!({"repoURL": "https://git.example.com/a", "path": "p"});
        let mut application = json!({
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {"source": source, "destination": {"name": "dev"}},
            "status": {"sync": {"status": "Synced", "revision": "abc",
                "comparedTo": {"source": source, "destination": {"name": "dev"}}}},
        });
        json_merge(&mut application["status"], status);
        match readiness(&serde_json::from_value(application).unwrap()) {
            Readiness::Ready => "ready".to_owned(),
            Readiness::NotReady(why) => why,
        }
    }

    fn json_merge(into: &mut Value, from: &Value) {
        for (key, value) in from.as_object().unwrap() {
            if value.is_object() && into[key].is_object() {
                json_merge(&mut into[key], value);
            } else {
                into[key] = value.clone();
            }
        }
    }

    #[test]
    fn ready_is_synced_and_healthy_for_what_is_asked_now() {
        let at = "2026-03-04T05:06:07Z";
        assert_eq!(why(&json!({"health": {"status": "Healthy"}})), "ready");
        assert_eq!(
            why(&json!({"health": {"status": "Degraded", "lastTransitionTime": at}})),
            "health Degraded since 2026-03-04T05:06:07Z"
        );
        assert_eq!(
            why(&json!({"health": {"status": "Healthy"}, "sync": {"status": "OutOfSync"}})),
            "sync OutOfSync"
        );
        assert_eq!(
            why(&json!({"health": {"status": "Healthy"},
                "operationState": {"phase": "Running", "startedAt": at, "operation": {}}})),
            "operation Running since 2026-03-04T05:06:07Z"
        );
        assert_eq!(
            why(&json!({"health": {"status": "Healthy"},
                "sync": {"comparedTo": {"destination": {"name": "other"}}}})),
            "not compared with its spec yet"
        );
    }
}
