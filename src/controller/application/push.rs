//! What a push means for applications.
//!
//! Most pushes to a repository of many applications change what few of them consist of. Those look at
//! once. The others would find that the revision has moved and nothing else: they look when their
//! status is due to say so.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::repo_url::same;
use futures::StreamExt as _;

use super::dependencies;
use super::desired::{Desired, at_revisions};
use super::report::{is_asked, revision_delay};
use crate::controller::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::traces::Link;

/// How many groups of applications are held against a push at once.
const AT_ONCE: usize = 16;

/// How many applications are held against a commit in one go: so few that those of them that have
/// to look at once need not wait for the others.
const IN_ONE_GO: usize = 64;

/// Applications of one project whose sources follow the same revisions of the same repositories.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Follows {
    project: String,
    /// URL, revision and tag prefix of each source.
    sources: Vec<[String; 3]>,
}

/// An application that may look later, with what it consisted of last.
struct Resting {
    name: ObjectName,
    last: Arc<Desired>,
}

/// Has these applications, which read a repository that was pushed to, look at once or later.
pub(in crate::controller) async fn take_push(hub: &Arc<Hub>, names: Vec<ObjectName>, cause: &Link) {
    let mut groups: BTreeMap<Follows, Vec<Resting>> = BTreeMap::new();
    for name in names {
        match resting(hub, &name) {
            Some((follows, last)) => groups
                .entry(follows)
                .or_default()
                .push(Resting { name, last }),
            None => look_at_once(hub, name, cause),
        }
    }
    futures::stream::iter(groups)
        .for_each_concurrent(AT_ONCE, async |(follows, group)| {
            put_off(hub, &follows.project, group, cause).await;
        })
        .await;
}

fn look_at_once(hub: &Arc<Hub>, name: ObjectName, cause: &Link) {
    if hub.traces.is_on() {
        hub.applications.follow(&name, cause);
    }
    hub.take_up(Wake::Application(name, Lane::Urgent));
}

/// What the application follows and consists of, if it may look later.
fn resting(hub: &Hub, name: &ObjectName) -> Option<(Follows, Arc<Desired>)> {
    let index = hub.fleet.index();
    let application = index.applications.read(name)?;
    let last = hub.applications.desired(name)?;
    let sources = application.spec.sources();
    if last.sources != *sources
        || !is_at_rest(application)
        || !is_of_one_repository(application)
        || dependencies::is_awaited(hub, name)
    {
        return None;
    }
    let follows = sources.iter().map(|source| {
        let [url, revision, prefix] = [
            &source.repo_url,
            &source.target_revision,
            &source.tag_prefix,
        ];
        [url.clone(), revision.clone(), prefix.clone()]
    });
    let follows = Follows {
        project: application.spec.project_or_default().to_owned(),
        sources: follows.collect(),
    };
    Some((follows, last))
}

/// Has those of a group look later of which the commits that it follows now make the same as before.
async fn put_off(hub: &Arc<Hub>, project: &str, mut group: Vec<Resting>, cause: &Link) {
    let Some(sources) = group.first().map(|one| one.last.sources.clone()) else {
        return;
    };
    let mut span = cause.span("fetch");
    span.tell("applications", group.len());
    let fetched = at_revisions(hub, &sources, project).await;
    drop(span);
    let Ok((revisions, trees)) = fetched else {
        // Why not is for each of them to say.
        for one in group {
            look_at_once(hub, one.name, cause);
        }
        return;
    };
    hub.fleet.saw_revisions(&sources, &revisions);
    let delay = revision_delay(hub);
    while !group.is_empty() {
        let rest = group.split_off(group.len().min(IN_ONE_GO));
        let (some, trees) = (std::mem::replace(&mut group, rest), trees.clone());
        let names: Vec<_> = some.iter().map(|one| one.name.clone()).collect();
        // Trees are read from disk.
        let same = hub.blocking.run(move || {
            let same = some
                .iter()
                .map(|one| one.last.is_same_in(&trees).unwrap_or(false));
            same.collect::<Vec<_>>()
        });
        let same = same.await.unwrap_or_default();
        let same = same.into_iter().chain(std::iter::repeat(false));
        for (name, same) in names.into_iter().zip(same) {
            let wait = || hub.applications.hold_back(&name, hub.clock.now(), delay);
            match same.then(wait).flatten() {
                Some(delay) => hub.queue_application_after(name, delay),
                None => look_at_once(hub, name, cause),
            }
        }
    }
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
    let mut pairs = sources.windows(2);
    pairs.all(|two| same(&two[0].repo_url, &two[1].repo_url))
        && sources.iter().all(|source| source.chart.is_empty())
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
