//! A hub that ends at any moment: the next one finishes what it began, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argosy_crds::codes::OperationPhase;
use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use serde_json::json;

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, hook, manual};

/// Every Job that was ever there: its uids by its name.
#[derive(Clone, Default)]
struct Jobs(Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>);

impl Jobs {
    fn watched(client: Client) -> Self {
        let jobs = Self::default();
        let seen = jobs.clone();
        tokio::spawn(async move {
            let mut events = watcher(Api::<Job>::all(client), watcher::Config::default()).boxed();
            while let Some(event) = events.next().await {
                if let Ok(watcher::Event::Apply(job) | watcher::Event::InitApply(job)) = event {
                    let meta = job.metadata;
                    let mut seen = seen.0.lock().unwrap();
                    let uids = seen.entry(meta.name.unwrap()).or_default();
                    uids.insert(meta.uid.unwrap());
                }
            }
        });
        jobs
    }

    fn runs(&self) -> Vec<(String, usize)> {
        let seen = self.0.lock().unwrap();
        let count = |(name, uids): (&String, &BTreeSet<String>)| (name.clone(), uids.len());
        seen.iter().map(count).collect()
    }
}

fn waves(fleet: &Fleet) {
    fleet.commit(&[
        ("web/pre.yaml", &hook("migrate", "PreSync", "")),
        (
            "web/first.yaml",
            &config("first", "1", "argocd.argoproj.io/sync-wave: '-1'"),
        ),
        (
            "web/job.yaml",
            &hook(
                "between",
                "Sync",
                ", argocd.argoproj.io/hook-delete-policy: HookSucceeded",
            ),
        ),
        (
            "web/last.yaml",
            &config("last", "1", "argocd.argoproj.io/sync-wave: '3'"),
        ),
        (
            "web/post.yaml",
            &hook(
                "notify",
                "PostSync",
                ", argocd.argoproj.io/hook-delete-policy: HookSucceeded",
            ),
        ),
    ]);
}

/// Lets the hub go on until so many writes were made, or everything is done.
async fn until_writes(fleet: &Fleet, writes: u64) {
    let reached = async {
        while fleet.writes() < writes {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), reached).await;
}

/// Crashes after each of `points` writes and again a little later, and expects the same end.
async fn crash_at(points: &[u64], by_hand: bool) {
    for point in points {
        let mut fleet = Fleet::start(&["dev"]).await;
        let jobs = Jobs::watched(fleet.client_of("dev"));
        waves(&fleet);
        let (repo, server) = (fleet.repo(), fleet.server("dev"));
        let before = fleet.writes();
        if by_hand {
            fleet.apply(manual("web", &repo, "web", &server)).await;
            fleet.sync("web", json!({})).await;
        } else {
            fleet.apply(automated("web", &repo, "web", &server)).await;
        }
        for crash in [*point, point + 4] {
            until_writes(&fleet, before + crash).await;
            fleet.restart_hub();
        }
        let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
        let app = if argosy_test_support::wait::is_well(&app) {
            app
        } else {
            fleet.until_well("web").await
        };
        let status = app.status.unwrap();
        assert_eq!(
            status.history.len(),
            1,
            "crashed after {point} writes: {:?}",
            status.history
        );
        let runs = jobs.runs();
        let once: Vec<_> = ["between", "migrate", "notify"]
            .map(|name| (name.to_owned(), 1))
            .into();
        assert_eq!(runs, once, "crashed after {point} writes");
        for name in ["first", "last"] {
            let place = format!("web/{name}");
            assert!(fleet.live("dev", "v1", "ConfigMap", &place).await.is_some());
        }
        fleet.nothing_is_written().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_automated_sync_survives_crashes_and_no_hook_runs_twice() {
    Box::pin(crash_at(&[2, 3, 5, 7, 9, 12, 14, 17], false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_was_asked_for_survives_crashes_and_no_hook_runs_twice() {
    Box::pin(crash_at(&[3, 4, 6, 8, 10, 11, 13, 16], true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_waited_for_across_a_crash() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["syncPolicy"] = json!({});
    fleet.apply(app).await;
    let retry = json!({"limit": 9, "backoff": {"duration": "200ms", "maxDuration": "1s"}});
    // The namespace is missing: nobody creates it yet.
    fleet
        .change("web", json!({"operation": {"sync": {}, "retry": retry}}))
        .await;
    let retries = |app: &argosy_crds::Application| {
        let state = app
            .status
            .as_ref()
            .and_then(|status| status.operation_state.as_ref());
        state.map_or(0, |state| state.retry_count)
    };
    let before = fleet
        .until("web", "retrying", |app| retries(app) >= 1)
        .await;
    fleet.restart_hub();
    let later = fleet
        .until("web", "retrying on", |app| retries(app) > retries(&before))
        .await;
    assert!(
        later.operation.is_some(),
        "a retry keeps the operation on the object"
    );
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}});
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(fleet.client_of("dev"));
    let namespace = serde_json::from_value(namespace).unwrap();
    namespaces
        .create(&kube::api::PostParams::default(), &namespace)
        .await
        .unwrap();
    let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
    let started = |app: &argosy_crds::Application| {
        app.status
            .clone()
            .unwrap()
            .operation_state
            .unwrap()
            .started_at
    };
    assert_eq!(
        started(&app),
        started(&before),
        "it is still the same operation"
    );
}
