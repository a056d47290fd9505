//! The simulated server is a model, so it is judged: it must give the answers that the real
//! kube-apiserver gives. Where it does not yet, `conformance.known` says so, one beginning of a
//! line (case, number, request) for each; nothing may be added there without a reason.

use argosy_sim::{SimCluster, SimConfig};
use argosy_test_support::ControlPlane;
use argosy_test_support::conformance::{compare, record};
use kube::Client;

#[tokio::test]
async fn the_simulated_server_answers_as_the_real_one() {
    let control_plane = ControlPlane::start(1).await;
    let real = record(&control_plane.client(0)).await;
    drop(control_plane);
    let cluster = SimCluster::new(SimConfig::new("conformance")).unwrap();
    let simulated = record(&Client::new(cluster.service(), "default")).await;

    let known: Vec<&str> = include_str!("conformance.known")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let found = compare(&real, &simulated, &known);
    for entry in &found.outdated {
        println!("no longer different, remove it from conformance.known: {entry}");
    }
    let unexpected = &found.unexpected;
    assert!(
        unexpected.is_empty(),
        "{} places differ:\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
}
