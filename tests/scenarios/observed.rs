//! The metrics: what is declared is documented and exposed, and nothing else is.

use std::collections::BTreeSet;

use argosy::metrics::{declarations, page};
use argosy_test_support::wait::comes_true;

use crate::busy::{busy, get};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/metrics.md");

/// The names of the families in an exposition.
fn exposed(text: &str) -> BTreeSet<&str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

#[test]
fn every_metric_is_documented() {
    assert_eq!(
        page(&declarations().unwrap()),
        std::fs::read_to_string(PAGE).unwrap(),
        "stale: run `cargo run -- admin metrics > docs/reference/metrics.md`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exposed_is_what_is_declared() {
    let busy = busy().await;
    let declared = declarations().unwrap();
    // A hub in shadow mode exposes its own families, and its story looks at them.
    let declared: BTreeSet<_> = declared
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| !name.starts_with("argosy_shadow_"))
        .collect();
    let mut text = String::new();
    let mut silent = Vec::new();
    let complete = comes_true(async || {
        text = get(busy.address, "/metrics").await;
        let exposed = exposed(&text);
        let missing = declared.iter().filter(|name| !exposed.contains(*name));
        silent = missing.copied().collect();
        silent.is_empty()
    });
    assert!(complete.await, "declared and not exposed: {silent:?}");
    let exposed = exposed(&text);
    let unknown: Vec<_> = exposed.difference(&declared).collect();
    assert!(unknown.is_empty(), "exposed and not declared: {unknown:?}");
    for series in [
        "argocd_app_labels{label_team=\"a\",name=\"web\",",
        "argocd_cluster_labels{label_env=\"dev\",name=\"dev\",",
        "argocd_app_condition{condition=\"Waiting\",name=\"api\",",
        "argosy_app_blocked_by{dependency=\"argocd/drift\",name=\"api\",",
        "argosy_app_approval_pending{name=\"many\",namespace=\"argocd\",project=\"default\",reason=\"prune_limit\"} 1",
        "argosy_app_approval_pending{name=\"careful\",namespace=\"argocd\",project=\"default\",reason=\"confirmation\"} 1",
        "argocd_app_operation_phase{name=\"refused\",namespace=\"argocd\",phase=\"Failed\",",
        "argocd_app_orphaned_resources_count{name=\"web\",namespace=\"argocd\",project=\"watched\"} 1",
        "argosy_app_paused{name=\"broken\",",
        "argosy_ready 1",
    ] {
        assert!(text.contains(series), "no {series} in {text}");
    }

    let fleet = &busy.fleet;
    let of_web = "argocd_app_sync_total{dest_server=";
    let has_web = |text: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with(of_web));
        lines.any(|line| line.contains("name=\"web\""))
    };
    assert!(has_web(&text), "{text}");
    let apps = fleet.applications();
    apps.delete("web", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("the series of a deleted application are gone", async || {
            !has_web(&get(busy.address, "/metrics").await)
        })
        .await;
}
