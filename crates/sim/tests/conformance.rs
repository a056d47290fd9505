//! The simulated server is a model, so it is judged: it must give the answers that the real
//! kube-apiserver gives, all of them.

use argosy_sim::{SimCluster, SimConfig};
use argosy_test_support::ControlPlane;
use argosy_test_support::conformance::{compare, record};
use kube::Client;

#[tokio::test]
async fn the_simulated_server_answers_as_the_real_one() {
    let control_plane = ControlPlane::start(1).await;
    let real = record(&control_plane.client(0)).await;
    drop(control_plane);
    // The real server runs alone, without the controllers that follow up on deletions.
    let alone = SimConfig {
        collector: false,
        ..SimConfig::new("conformance")
    };
    let cluster = SimCluster::new(alone).unwrap();
    let simulated = record(&Client::new(cluster.service(), "default")).await;

    let unexpected = compare(&real, &simulated);
    assert!(
        unexpected.is_empty(),
        "{} places differ:\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
}
