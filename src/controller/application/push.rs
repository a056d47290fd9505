//! What a push means for applications.
//!
//! Most pushes to a repository of many applications change what few of them consist of. Those look at
//! once. The others would find that the revision has moved and nothing else: they look when their
//! status is due to say so.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::repo_url::normalise;
use futures::StreamExt as _;

use super::dependencies;
use super::desired::unchanged;
use super::report::{is_asked, revision_delay};
use crate::controller::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::traces::Link;

/// How many applications are held against a push at once.
const AT_ONCE: usize = 4;

/// Has these applications, which read a repository that was pushed to, look at once or later.
pub(in crate::controller) async fn take_push(hub: &Arc<Hub>, names: Vec<ObjectName>, cause: &Link) {
    futures::stream::iter(names)
        .for_each_concurrent(AT_ONCE, async |name| {
            let mut span = cause.span("fetch");
            if let Some(delay) = put_off(hub, &name).await {
                span.forget();
                return hub.queue_application_after(name, delay);
            }
            span.tell("application", &name);
            drop(span);
            if hub.traces.is_on() {
                hub.applications.follow(&name, cause);
            }
            hub.take_up(Wake::Application(name, Lane::Urgent));
        })
        .await;
}

/// For how long the application can go without a look; `None` if it must not, or if nobody can tell.
async fn put_off(hub: &Arc<Hub>, name: &ObjectName) -> Option<Duration> {
    let application = hub.fleet.index().applications.read(name).cloned()?;
    let last = hub.applications.desired(name)?;
    if !is_at_rest(&application)
        || !is_of_one_repository(&application)
        || dependencies::is_awaited(hub, name)
    {
        return None;
    }
    let revisions = unchanged(hub, name, &application, &last).await?;
    hub.fleet.saw_revisions(&last.sources, &revisions);
    let now = hub.clock.now();
    hub.applications.hold_back(name, now, revision_delay(hub))
}

/// Whether nothing is asked of the application, nothing is under way and nothing differs.
fn is_at_rest(application: &Application) -> bool {
    let Some(status) = &application.status else {
        return false;
    };
    let operation = status.operation_state.as_ref();
    status.sync.status == SyncStatusCode::Synced
        // What is told may be over.
        && status.conditions.is_empty()
        && operation.is_none_or(|state| state.phase.is_completed())
        && !is_asked(application)
        && !application.is_deleting()
}

/// Whether the repository that was pushed to is all that has to be asked: another may be out of
/// reach and must not hold up anybody else.
fn is_of_one_repository(application: &Application) -> bool {
    let sources = application.spec.sources();
    let mut urls = sources.iter().map(|source| normalise(&source.repo_url));
    let first = urls.next();
    urls.all(|url| Some(url) == first) && sources.iter().all(|source| source.chart.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn application(change: impl FnOnce(&mut Value)) -> Application {
        let mut app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": "https://git.example.com/fleet.git", "path": "web"},
                "destination": {"server": "https://dev.example.com", "namespace": "web"},
            },
            "status": {"sync": {"status": "Synced"}},
        });
        change(&mut app);
        serde_json::from_value(app).unwrap()
    }

    #[test]
    fn only_what_is_at_rest_may_look_later() {
        assert!(is_at_rest(&application(|_| {})));
        let ask = json!({"argocd.argoproj.io/refresh": "normal"});
        let running = json!({"phase": "Running", "operation": {"sync": {}}, "startedAt": "2026-01-01T00:00:00Z"});
        let told =
            json!([{"type": "ComparisonError", "message": "the repository is out of reach"}]);
        let is_busy = |change: &dyn Fn(&mut Value)| {
            let busy = application(change);
            assert!(!is_at_rest(&busy), "{busy:?}");
        };
        is_busy(&|app| app["status"] = Value::Null);
        is_busy(&|app| app["status"]["sync"]["status"] = json!("OutOfSync"));
        is_busy(&|app| app["status"]["conditions"] = told.clone());
        is_busy(&|app| app["status"]["operationState"] = running.clone());
        is_busy(&|app| app["operation"] = json!({"sync": {}}));
        is_busy(&|app| app["metadata"]["annotations"] = ask.clone());
        is_busy(&|app| app["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn another_repository_or_a_chart_is_not_waited_for() {
        assert!(is_of_one_repository(&application(|_| {})));
        let several = |urls: [&str; 2]| {
            let sources = urls.map(|url| json!({"repoURL": url, "path": "web"}));
            application(|app| app["spec"]["sources"] = json!(sources))
        };
        let fleet = "https://git.example.com/fleet.git";
        let spelled = "https://GIT.example.com/fleet";
        assert!(is_of_one_repository(&several([fleet, spelled])));
        assert!(!is_of_one_repository(&several([
            fleet,
            "https://git.example.com/values"
        ])));
        let chart = application(|app| app["spec"]["source"]["chart"] = json!("web"));
        assert!(!is_of_one_repository(&chart));
    }
}
