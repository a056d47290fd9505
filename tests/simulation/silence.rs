//! A watch that stops without a word, in simulated time.

use std::sync::Arc;
use std::time::Duration;

use argosy::cluster::{Listeners, LiveState, ServedKind};
use argosy::metrics::ClusterMetrics;
use argosy_engine::object::ResourceKey;
use argosy_sim::{SimCluster, SimConfig};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ApiResource, PostParams};
use kube::{Api, Client};

/// By then a watch that says nothing is taken up again: servers end each before.
const NOTICED: Duration = Duration::from_mins(6);

fn config(name: &str) -> ConfigMap {
    let mut config = ConfigMap::default();
    config.metadata.name = Some(name.to_owned());
    config
}

async fn happen() {
    let sim = SimCluster::new(SimConfig::new("dev")).unwrap();
    let client = Client::new(sim.service(), "default");
    let live = Arc::new(LiveState::new(
        client.clone(),
        None,
        (Arc::new(|_| None), Arc::new(|_| 0)),
        Listeners {
            changed: Arc::new(|_| {}),
            suspected: Arc::new(|| {}),
            completed: Arc::new(|| {}),
        },
        Arc::new(ClusterMetrics::new("https://dev").unwrap()),
    ));
    let kind = ServedKind {
        resource: ApiResource::erase::<ConfigMap>(&()),
        namespaced: true,
        watchable: true,
    };
    live.watch([&kind]);
    let configs: Api<ConfigMap> = Api::namespaced(client, "default");
    let params = PostParams::default();
    configs.create(&params, &config("before")).await.unwrap();
    let is_seen = |name| {
        let key = ResourceKey::new("", "ConfigMap", "default", name);
        live.get(&key).is_some()
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(is_seen("before"));
    sim.faults().silence_watches();
    configs.create(&params, &config("after")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!is_seen("after"), "the watch is silent");
    tokio::time::sleep(NOTICED).await;
    assert!(is_seen("after"));
}

#[test]
fn a_watch_that_silently_stops_is_noticed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(happen());
}
