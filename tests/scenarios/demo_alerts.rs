//! Faults in the demo's fleet, judged by a real Prometheus with the rules that come with the hub:
//! each makes its alert fire and no other, and once it is mended none fires.
//!
//! Time is all that differs: one second here is half an hour for what has to last, and four minutes for
//! what is counted over a time, which several scrapes have to fall into. The hub does not work faster
//! for that, so an alert may fire between two states; what is asserted is what holds while the fault
//! lasts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use argosy::demo::{Demo, Options, Prometheus, RUNNING, Rules, STOPPED, SWITCH};
use argosy::embedded::DataDir;
use argosy::telemetry::Logs;
use argosy_crds::Application;
use argosy_test_support::wait::{comes_true, comes_true_at, is_well, resource};
use jiff::Timestamp;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use regex::{Captures, Regex};
use serde_json::{Value, json};
use tempfile::TempDir;

/// So many seconds that something has to last are one second here.
const PACE: f64 = 1800.0;

/// So many seconds that something is counted over are one second here.
const RANGE_PACE: f64 = 240.0;

/// How often Prometheus looks: it gives up a scrape that takes longer.
const LOOK: Duration = Duration::from_millis(300);

/// How long an alert is active before the others are looked at, in the time of the rules: longer
/// than what any other alert about the same fault would wait.
const OTHERS: Duration = Duration::from_mins(20);

/// The rules that come with the hub, with all their times shorter.
fn faster() -> Rules {
    let duration = Regex::new(r"(for: |offset |\[)(\d+)([mh])\b").unwrap();
    let age = Regex::new(r"(time\(\) - \w+ > )(\d+)").unwrap();
    let shorten = |text: &str| {
        let text = duration.replace_all(text, |found: &Captures<'_>| {
            let unit = if &found[3] == "h" { 3600.0 } else { 60.0 };
            let pace = if &found[1] == "[" { RANGE_PACE } else { PACE };
            let seconds = found[2].parse::<f64>().unwrap() * unit / pace;
            format!("{}{:.0}ms", &found[1], seconds * 1000.0)
        });
        let text = age.replace_all(&text, |found: &Captures<'_>| {
            let seconds = found[2].parse::<f64>().unwrap() / PACE;
            format!("{}{seconds}", &found[1])
        });
        text.into_owned().into()
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/alerts");
    let read = |file: &str| shorten(&std::fs::read_to_string(folder.join(file)).unwrap());
    Rules {
        alerts: read("alerts.yaml"),
        records: read("records.yaml"),
    }
}

/// The demo, and who judges it.
struct Judged {
    demo: Demo,
    prometheus: Prometheus,
    asks: reqwest::Client,
    hub: Client,
    dev: Client,
    _folder: TempDir,
}

impl Judged {
    async fn start() -> Self {
        // A second test in the process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let observations = data.path("prometheus");
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let options = Options {
            address: anywhere,
            listen: anywhere,
            logs: Logs::default(),
        };
        let demo = Demo::start(data, &options, drop).await.unwrap();
        let view = demo.view();
        assert!(comes_true(async || view.borrow().is_complete()).await);
        let rules = faster();
        let prometheus = Prometheus::start(&observations, demo.address, LOOK, &rules);
        Self {
            hub: client(&demo, "hub").await,
            dev: client(&demo, "dev").await,
            prometheus: prometheus.await.unwrap(),
            demo,
            asks: reqwest::Client::new(),
            _folder: folder,
        }
    }

    /// The alerts that fire, and for how long each has been active, in seconds; nothing while
    /// Prometheus is not ready.
    async fn firing(&self) -> Option<BTreeMap<String, f64>> {
        let url = format!("http://{}/api/v1/alerts", self.prometheus.address);
        let answer = self.asks.get(url).send().await.unwrap();
        if !answer.status().is_success() {
            return None;
        }
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        let told = firing.map(|alert| {
            let since: Timestamp = alert["activeAt"].as_str().unwrap().parse().unwrap();
            let active = Timestamp::now().duration_since(since).as_secs_f64();
            let name = alert["labels"]["alertname"].as_str().unwrap();
            (name.to_owned(), active)
        });
        Some(told.collect())
    }

    /// Waits until this alert has long been active, and it alone fires; `stir` happens meanwhile.
    async fn fires(&self, alert: &str, stir: impl AsyncFn()) {
        let long = OTHERS.as_secs_f64() / PACE;
        let mut seen = None;
        let alone = comes_true_at(LOOK, async || {
            stir().await;
            seen = self.firing().await;
            seen.as_ref().is_some_and(|seen| {
                seen.len() == 1 && seen.get(alert).is_some_and(|active| *active > long)
            })
        })
        .await;
        assert!(
            alone,
            "not {alert} alone, but {seen:?}; {}",
            self.told().await
        );
    }

    /// What the applications say that are not well.
    async fn told(&self) -> String {
        let api: Api<Application> = Api::namespaced(self.hub.clone(), "argocd");
        let all = api.list(&ListParams::default()).await.unwrap();
        let unwell = all.into_iter().filter(|app| !is_well(app));
        let told = unwell.map(|app| {
            let status = app.status.unwrap_or_default();
            let operation = status
                .operation_state
                .map(|state| (state.phase, state.message));
            (
                app.metadata.name,
                status.sync.status,
                status.conditions,
                operation,
            )
        });
        format!("{:#?}", told.collect::<Vec<_>>())
    }

    /// Waits until no alert fires.
    async fn clears(&self, fault: &str) {
        let mut seen = None;
        let clear = comes_true_at(LOOK, async || {
            seen = self.firing().await;
            seen.as_ref().is_some_and(BTreeMap::is_empty)
        })
        .await;
        assert!(clear, "after {fault}: {seen:?}");
    }

    /// A file of the demo's repository that is for the hub.
    fn fault(&self, name: &str) -> (Api<DynamicObject>, Value) {
        let path = self.demo.repository.path();
        let path = path.join(format!("faults/{name}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        let object: Value = serde_yaml::from_str(&text).unwrap();
        let kind = resource(
            object["apiVersion"].as_str().unwrap(),
            object["kind"].as_str().unwrap(),
        );
        let api = Api::namespaced_with(self.hub.clone(), "argocd", &kind);
        (api, object)
    }

    async fn inject(&self, name: &str) {
        let (api, object) = self.fault(name);
        let params = PatchParams::apply("kubectl").force();
        api.patch(name, &params, &Patch::Apply(object))
            .await
            .unwrap();
    }

    async fn mend(&self, name: &str) {
        let (api, _) = self.fault(name);
        api.delete(name, &DeleteParams::default()).await.unwrap();
        self.clears(name).await;
    }

    /// Waits until an application of a fault says that it is synced.
    async fn until_synced(&self, name: &str) {
        let (api, _) = self.fault(name);
        let synced = comes_true(async || {
            let app = api.get(name).await.unwrap();
            app.data["status"]["sync"]["status"] == "Synced"
        });
        assert!(synced.await, "{name} is never synced");
    }

    async fn switch(&self, cluster: &str, state: &str) {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.hub.clone(), "argocd", &resource("v1", "ConfigMap"));
        let change = Patch::Merge(json!({"data": {cluster: state}}));
        api.patch(SWITCH, &PatchParams::default(), &change)
            .await
            .unwrap();
    }

    /// Tells the hub of a push to a repository, as a hook does.
    async fn push(&self, repository: &Path) {
        let hub = format!("http://{}", self.demo.address);
        let url = url::Url::from_file_path(repository).unwrap();
        let tell = move || argosy::demo::notify(&hub, url.as_str(), "refs/heads/main");
        tokio::task::spawn_blocking(tell).await.unwrap().unwrap();
    }

    /// Removes a file by a commit.
    async fn remove(&self, file: &str) {
        for arguments in [
            &["rm", "--quiet", file][..],
            &["commit", "--quiet", "-m", "Remove"],
        ] {
            let done = Command::new("git")
                .current_dir(self.demo.repository.path())
                // The hook would start this test's program.
                .args([
                    "-c",
                    "core.hooksPath=/dev/null",
                    "-c",
                    "commit.gpgsign=false",
                ])
                .args(arguments)
                .status();
            assert!(done.unwrap().success(), "git {arguments:?}");
        }
        self.push(self.demo.repository.path()).await;
    }
}

async fn client(demo: &Demo, context: &str) -> Client {
    let kubeconfig = Kubeconfig::read_from(&demo.kubeconfig).unwrap();
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_in_the_demo_fires_its_alert_and_no_other() {
    let judged = Judged::start().await;
    judged.clears("the start").await;

    judged.switch("prod", STOPPED).await;
    judged.fires("ClusterUnreachable", async || {}).await;
    judged.switch("prod", RUNNING).await;
    judged.clears("the cluster").await;

    judged.inject("repository").await;
    // It is asked again every two minutes, which is less than a look here.
    let missing = judged.demo.repository.path().join("missing");
    let ask = async || judged.push(&missing).await;
    judged.fires("RepositoryFailing", ask).await;
    judged.mend("repository").await;

    for (fault, alert) in [
        ("degraded", "ApplicationDegraded"),
        ("failing", "ApplicationSyncFailed"),
        ("generator", "ApplicationSetFailing"),
        ("by-hand", "ApplicationAutoSyncOff"),
        ("blocked", "ApplicationBlocked"),
    ] {
        judged.inject(fault).await;
        judged.fires(alert, async || {}).await;
        judged.mend(fault).await;
    }

    judged.inject("drifting").await;
    judged.until_synced("drifting").await;
    let maps: Api<DynamicObject> =
        Api::namespaced_with(judged.dev.clone(), "faults", &resource("v1", "ConfigMap"));
    let drift = Patch::Merge(json!({"data": {"greeting": "Goodbye"}}));
    maps.patch("drifting", &PatchParams::default(), &drift)
        .await
        .unwrap();
    judged.fires("ApplicationOutOfSync", async || {}).await;
    judged.mend("drifting").await;

    judged.inject("approval").await;
    judged.until_synced("approval").await;
    judged.remove("faults/approval/old.yaml").await;
    judged
        .fires("ApplicationApprovalWaiting", async || {})
        .await;
    judged.mend("approval").await;
}
