//! Two hubs of which one works: who takes over when, and what the other does meanwhile.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use argosy::config::HubConfig;
use argosy::hub::Hub;
use argosy::leader::{Candidate, Times};
use argosy_test_support::manifest::{automated, config};
use tempfile::TempDir;

use crate::busy::{get, post};
use crate::fleet::Fleet;
use crate::killable::{self, Life};

/// Times that no busy machine overruns.
const CALM: Times = Times {
    lease: Duration::from_mins(1),
    renew: Duration::from_secs(50),
    retry: Duration::from_millis(50),
};

/// Times after which another takes over soon.
const BRISK: Times = Times {
    lease: Duration::from_secs(3),
    renew: Duration::from_secs(2),
    retry: Duration::from_millis(100),
};

/// One of several hubs, with a disk of its own.
struct Replica {
    hub: Arc<Hub>,
    life: Life,
    _folder: TempDir,
}

impl Replica {
    fn start(fleet: &Fleet, identity: &str, times: Times) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hub, life) = Life::start(
            &fleet.hub_sim,
            HubConfig {
                candidate: Some(Candidate {
                    identity: identity.to_owned(),
                    times,
                }),
                ..killable::config(folder.path(), OsStr::new(""))
            },
        );
        Self {
            hub,
            life,
            _folder: folder,
        }
    }

    async fn leads(&self, fleet: &Fleet) {
        fleet
            .eventually("it leads", async || self.hub.leads())
            .await;
    }

    async fn serve(&self) -> SocketAddr {
        let hub = Arc::clone(&self.hub);
        let serving = self.life.runtime().spawn(async move {
            let address = argosy::server::serve(&hub).await.unwrap();
            hub.advertise(Some(address));
            address
        });
        serving.await.unwrap()
    }

    /// Ends it as a signal does.
    async fn shut_down(self) {
        let hub = Arc::clone(&self.hub);
        let down = self
            .life
            .runtime()
            .spawn(async move { hub.shut_down().await });
        down.await.unwrap();
        self.life.end();
    }

    /// Stops all of its threads, as `SIGSTOP` does, until the answer is let go.
    fn freeze(&self) -> Frozen {
        let frozen = Frozen::default();
        let workers = self.life.runtime().metrics().num_workers();
        for _ in 0..workers {
            let state = Arc::clone(&frozen.0);
            self.life.runtime().spawn(async move { state.hold() });
        }
        frozen.0.until_held(workers);
        frozen
    }
}

/// Threads that do nothing for as long as it is there.
#[derive(Default)]
struct Frozen(Arc<Ice>);

#[derive(Default)]
struct Ice {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Ice {
    fn hold(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(
            self.changed
                .wait_while(state, |(_, melted)| !*melted)
                .unwrap(),
        );
    }

    fn until_held(&self, workers: usize) {
        let state = self.state.lock().unwrap();
        let held = self.changed.wait_while(state, |(held, _)| *held < workers);
        drop(held.unwrap());
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().1 = true;
        self.0.changed.notify_all();
    }
}

/// Writes of hubs but for those to the lease.
fn writes(fleet: &Fleet) -> u64 {
    fleet.writes() - fleet.hub_sim.requests().count("update", "leases")
}

/// How many writes there were when no more came.
async fn calm(fleet: &Fleet) -> u64 {
    let mut before = 0;
    let quiet = Duration::from_millis(500);
    fleet
        .eventually("nothing is written any more", async || {
            tokio::time::sleep(quiet).await;
            let now = writes(fleet);
            std::mem::replace(&mut before, now) == now
        })
        .await;
    before
}

/// A fleet with an application, whose only hub has ended.
async fn without_a_hub() -> Fleet {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.kill_hub();
    commit(&fleet, "1");
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet
}

fn commit(fleet: &Fleet, value: &str) {
    fleet.commit(&[("web/a.yaml", &config("a", value, ""))]);
}

async fn is_live(fleet: &Fleet, value: &str) {
    fleet
        .eventually("the commit is live", async || {
            let there = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
            there.is_some_and(|there| there["data"]["a"] == value)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hub_works_and_leaves_its_work_to_the_other() {
    let fleet = without_a_hub().await;
    let one = Replica::start(&fleet, "one", CALM);
    one.leads(&fleet).await;
    fleet.until_well("web").await;
    let two = Replica::start(&fleet, "two", CALM);
    fleet
        .eventually(
            "the other is connected and knows what is there",
            async || {
                let connected = two.hub.clusters.all();
                connected.iter().any(|cluster| cluster.live.size().0 > 0)
            },
        )
        .await;
    assert!(one.hub.leads() && !two.hub.leads());
    commit(&fleet, "2");
    // Far sooner than the lease runs out: it is left.
    one.shut_down().await;
    two.leads(&fleet).await;
    is_live(&fleet, "2").await;
    fleet.until_well("web").await;
    two.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stands_by_hands_webhooks_on_and_tells_no_state_twice() {
    let fleet = without_a_hub().await;
    let one = Replica::start(&fleet, "one", CALM);
    one.leads(&fleet).await;
    let at_work = one.serve().await;
    let two = Replica::start(&fleet, "two", CALM);
    let beside = two.serve().await;
    fleet.until_well("web").await;
    let push = serde_json::json!({
        "ref": "refs/heads/main",
        "repository": {"html_url": "https://git.example.com/shop/fleet", "default_branch": "main"},
    });
    fleet
        .eventually("it knows where the one that leads is reached", async || {
            post(beside, &push).await.starts_with("HTTP/1.1 200")
        })
        .await;
    let counted = "argosy_webhook_deliveries_total{";
    let (theirs, own) = (
        get(at_work, "/metrics").await,
        get(beside, "/metrics").await,
    );
    assert!(theirs.contains(counted), "{theirs}");
    assert!(theirs.contains("argosy_leader 1") && own.contains("argosy_leader 0"));
    assert!(theirs.contains("argocd_app_info{") && !own.contains("argocd_app_info{"));
    assert!(get(beside, "/readyz").await.starts_with("HTTP/1.1 200"));
    let agreed = serde_json::json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "argocd-secret"}, "stringData": {"webhook.github.secret": "agreed"}});
    fleet.apply(agreed).await;
    let unsigned = post(beside, &push).await;
    assert!(unsigned.starts_with("HTTP/1.1 401"), "{unsigned}");
    one.shut_down().await;
    two.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_wakes_up_after_its_lease_ran_out_writes_nothing_and_ends() {
    let fleet = without_a_hub().await;
    let one = Replica::start(&fleet, "one", BRISK);
    one.leads(&fleet).await;
    fleet.until_well("web").await;
    let frozen = one.freeze();
    let two = Replica::start(&fleet, "two", BRISK);
    two.leads(&fleet).await;
    commit(&fleet, "2");
    // What it would want to do when it wakes up.
    let refresh =
        serde_json::json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
    fleet.change("web", refresh).await;
    is_live(&fleet, "2").await;
    fleet.until_well("web").await;
    let stopped = one.hub.stopped();
    let before = calm(&fleet).await;
    drop(frozen);
    stopped.await;
    one.shut_down().await;
    assert_eq!(writes(&fleet), before);
    assert!(two.hub.leads());
    two.shut_down().await;
}
