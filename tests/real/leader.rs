//! Two hubs as processes: one is killed, one is stopped, and the other goes on.

use std::path::PathBuf;

use argosy::leader::LEASE;
use argosy::setup;
use argosy_crds::Application;
use argosy_crds::names::annotation;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::{LOOK, eventually, eventually_among, live, until};
use argosy_test_support::{ControlPlane, WorkTree};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tempfile::TempDir;

use crate::deploy::apply;
use crate::hub_process::HubProcess;

const NAMESPACE: &str = "two-hubs";

const ELECTION: [&str; 7] = [
    "--leader-elect",
    "--leader-elect-lease-duration",
    "8s",
    "--leader-elect-renew-deadline",
    "6s",
    "--leader-elect-retry-period",
    "200ms",
];

struct Hubs {
    client: Client,
    kubeconfig: PathBuf,
    tree: WorkTree,
    folder: TempDir,
}

impl Hubs {
    fn start(&self, name: &str) -> HubProcess {
        let data = self.folder.path().join(name);
        HubProcess::start(&self.kubeconfig, NAMESPACE, &data, &ELECTION)
    }

    /// Waits until somebody holds the lease who did not hold it before; who that is.
    async fn until_led_by_another(&self, before: &str) -> String {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), NAMESPACE);
        let mut now = String::new();
        eventually("another hub leads", async || {
            let lease = leases.get_opt(LEASE).await.unwrap();
            let holder = lease.and_then(|lease| lease.spec?.holder_identity);
            now = holder.unwrap_or_default();
            !now.is_empty() && now != before
        })
        .await;
        now
    }

    async fn commit_and_see(&self, value: &str) {
        self.tree
            .commit(&[("web/config.yaml", &config("settings", value, ""))]);
        let refresh =
            json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        let applications: Api<Application> = Api::namespaced(self.client.clone(), NAMESPACE);
        // Somebody may be at the last one still: asking twice is asking once.
        until(&applications, "web", "not asked to refresh", |app| {
            app.annotation(annotation::REFRESH).is_none()
        })
        .await;
        let (params, refresh) = (PatchParams::default(), Patch::Merge(refresh));
        let asked = applications.patch("web", &params, &refresh).await;
        asked.unwrap();
        eventually_among(&applications, LOOK, "the commit is live", async || {
            let there = live(
                self.client.clone(),
                "v1",
                "ConfigMap",
                "two-hubs-web/settings",
            )
            .await;
            there.is_some_and(|there| there["data"]["a"] == value)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_or_stopped_is_followed_by_another_and_writes_nothing_more() {
    let plane = ControlPlane::shared(1).await;
    let client = plane.client(0);
    setup::install_crds(&client).await.unwrap();
    setup::namespace(&client, NAMESPACE).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hubs = Hubs {
        kubeconfig: plane.servers()[0].kubeconfig().to_owned(),
        tree: WorkTree::create(folder.path().join("repo")),
        client,
        folder,
    };
    let mut app = automated(
        "web",
        &hubs.tree.url(),
        "web",
        "https://kubernetes.default.svc",
    );
    app["metadata"]["namespace"] = json!(NAMESPACE);
    app["spec"]["destination"]["namespace"] = json!("two-hubs-web");

    let one = hubs.start("one");
    let first = hubs.until_led_by_another("").await;
    let mut two = hubs.start("two");
    hubs.tree
        .commit(&[("web/config.yaml", &config("settings", "0", ""))]);
    apply(&hubs.client, &app).await;
    hubs.commit_and_see("1").await;
    // `kill -9`: nobody leaves the lease.
    drop(one);
    let second = hubs.until_led_by_another(&first).await;
    hubs.commit_and_see("2").await;

    let three = hubs.start("three");
    two.signal("STOP");
    let third = hubs.until_led_by_another(&second).await;
    hubs.commit_and_see("3").await;
    // It finds that it no longer leads, says so and ends; its pod would start anew.
    two.signal("CONT");
    let mut status = None;
    eventually("the hub that was stopped ends", async || {
        status = two.ended();
        status.is_some()
    })
    .await;
    assert_eq!(status.and_then(|status| status.code()), Some(20));
    hubs.commit_and_see("4").await;
    assert_eq!(hubs.until_led_by_another(&second).await, third);
    drop(three);
}
