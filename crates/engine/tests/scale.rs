//! Planning and graphs at the size of a fleet: what is asserted is the result; the time is that of
//! the whole test, which a quadratic step would turn into minutes.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::graph::{AppKey, AppNode, Graph, Readiness, references};
use argosy_engine::sync::{
    DestinationNamespace, PlanInput, SyncOptions, SyncPlan, UnknownKinds, WellKnownKinds, check,
};
use argosy_facts::Observed;
use jiff::Timestamp;
use serde_json::json;

#[test]
fn ten_thousand_resources_in_twenty_waves() {
    let desired = (0..10_000)
        .map(|n| {
            let kind = ["ConfigMap", "Secret", "Service", "Widget"][n % 4];
            Arc::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {
                "name": format!("r{n}"), "namespace": format!("ns{}", n % 50),
                "annotations": {"argocd.argoproj.io/sync-wave": (n % 20).to_string()}}}))
        })
        .collect();
    let plan = SyncPlan::new(&PlanInput {
        desired,
        live: &Observed::complete(Vec::new()),
        owns: &|_| true,
        modified: None,
        namespace: "shop",
        kinds: &WellKnownKinds::default(),
        unknown_kinds: UnknownKinds::Refuse,
        destination: DestinationNamespace::default(),
        options: SyncOptions::default(),
        prune: true,
        skip_hooks: false,
        selected: Vec::new(),
        revision: "",
        started_at: Timestamp::UNIX_EPOCH,
    })
    .expect("a plan");
    assert_eq!(plan.groups().len(), 20);
    assert!(plan.graph().edge_count() < 4 * plan.tasks().len());
    assert_eq!(check(&plan), []);
}

#[test]
fn fifty_thousand_applications_with_a_hundred_thousand_edges() {
    let apps = (0..50_000_usize)
        .map(|n| {
            let before: Vec<_> = [n / 2, n / 3]
                .into_iter()
                .filter(|provider| *provider < n)
                .map(|provider| format!("app{provider}"))
                .collect();
            AppNode {
                key: AppKey::new("argocd", format!("app{n}")),
                labels: BTreeMap::new(),
                depends_on: references(&before.join(","), "argocd"),
                parent: None,
                wave: 0,
                readiness: Readiness::NotReady("health Missing".into()),
                revisions: Vec::new(),
            }
        })
        .collect::<Vec<_>>();
    let mut graph = Graph::build(apps);
    let ordered = graph.order().expect("no cycle").len();
    assert_eq!(ordered, 50_000);
    let mut first = graph
        .app(&AppKey::new("argocd", "app0"))
        .expect("the first")
        .clone();
    first.readiness = Readiness::Ready;
    let changed = graph.upsert(first);
    assert_eq!(changed, [AppKey::new("argocd", "app1")]);
}
