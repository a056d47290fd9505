//! A watch that stops without a word, in simulated time.

use std::sync::Arc;
use std::time::Duration;

use argosy::cluster::{Listeners, LiveState, Reading, ServedKind};
use argosy::metrics::ClusterMetrics;
use argosy_engine::object::{GroupKind, ResourceKey};
use argosy_sim::{SimCluster, SimConfig};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ApiResource, PostParams};
use kube::{Api, Client};

/// How long a watch may say nothing. An API server says every minute that nothing happens.
const LONGEST: Duration = Duration::from_secs(100);

fn config(name: &str) -> ConfigMap {
    let mut config = ConfigMap::default();
    config.metadata.name = Some(name.to_owned());
    config
}

async fn happen() {
    let sim = SimCluster::new(SimConfig::new("dev")).unwrap();
    let client = Client::new(sim.service(), "default");
    let metrics = Arc::new(ClusterMetrics::new("https://dev").unwrap());
    let live = Arc::new(LiveState::new(
        client.clone(),
        None,
        Reading {
            owner_of: Arc::new(|_| None),
            significance_of: Arc::new(|_| 0),
            longest_silence: Arc::new(|| LONGEST),
        },
        Listeners {
            changed: Arc::new(|_| {}),
            suspected: Arc::new(|| {}),
            completed: Arc::new(|| {}),
        },
        Arc::clone(&metrics),
    ));
    let kind = ServedKind {
        resource: ApiResource::erase::<ConfigMap>(&()),
        namespaced: true,
        watchable: true,
    };
    live.watch([&kind]);
    let configs: Api<ConfigMap> = Api::namespaced(client, "default");
    let create = async |name| {
        let params = PostParams::default();
        configs.create(&params, &config(name)).await.unwrap();
        seconds(1).await;
    };
    let is_seen = |name| {
        let key = ResourceKey::new("", "ConfigMap", "default", name);
        live.get(&key).is_some()
    };
    let gap = || live.gap(&GroupKind::new("", "ConfigMap"));
    create("before").await;
    assert!(is_seen("before"));
    // What is merely idle is left alone.
    seconds(600).await;
    assert_eq!(restarts(&metrics), "0");

    sim.faults().silence_watches();
    create("after").await;
    assert!(!is_seen("after"), "the watch is silent");
    seconds(LONGEST.as_secs()).await;
    assert!(is_seen("after"), "it was listed again");
    assert_eq!((restarts(&metrics).as_str(), gap()), ("1", None));

    // So is the next one, before it says anything.
    sim.faults().silence_watches();
    seconds(LONGEST.as_secs() + 1).await;
    let why = gap().expect("nobody knows what it misses");
    assert!(why.contains("says nothing"), "{why}");
    create("unseen").await;
    // The third one is well, which its bookmark shows.
    seconds(65).await;
    assert!(is_seen("unseen"));
    assert_eq!((restarts(&metrics).as_str(), gap()), ("2", None));
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// How often a watch that said nothing was begun anew.
fn restarts(metrics: &ClusterMetrics) -> String {
    let collected = metrics.collectors();
    let families = collected.iter().flat_map(|one| one.collect());
    let restarts = families.filter(|one| one.name() == "argosy_cluster_watch_restarts_total");
    let silent = restarts.flat_map(|family| family.get_metric().to_vec());
    let silent = silent.filter(|one| {
        one.get_label()
            .iter()
            .any(|label| label.value() == "silent")
    });
    let counts = silent.map(|one| one.get_counter().get_value());
    counts.fold(0.0, f64::max).to_string()
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
