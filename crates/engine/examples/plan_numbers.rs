//! What planning costs at the size of a fleet, in CPU time: `cargo xtask bench plan`.

#![expect(clippy::print_stdout, reason = "it prints its numbers")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argosy_engine::graph::{AppKey, AppNode, Graph, Readiness, references};
use argosy_engine::sync::{
    DestinationNamespace, PlanInput, SyncOptions, SyncPlan, UnknownKinds, WellKnownKinds, check,
};
use argosy_facts::Observed;
use jiff::Timestamp;
use serde_json::{Value, json};

const RESOURCES: usize = 10_000;
const APPLICATIONS: usize = 50_000;
const CHANGES: usize = 1_000;

fn main() {
    let desired: Vec<_> = (0..RESOURCES).map(resource).map(Arc::new).collect();
    let (took, plan) = median(|| plan(&desired));
    assert_eq!(check(&plan), []);
    let waves = plan.groups().len();
    row(
        &format!("plan {RESOURCES} resources in {waves} waves"),
        took,
        "100 ms",
    );

    let apps: Vec<_> = (0..APPLICATIONS).map(application).collect();
    let (took, mut graph) = median(|| {
        let graph = Graph::build(apps.iter().cloned());
        black_box(graph.order().map(|order| order.len()));
        graph
    });
    let edges: usize = apps.iter().map(|app| app.depends_on.len()).sum();
    let what = format!("build and order {APPLICATIONS} applications, {edges} edges");
    row(&what, took, "500 ms");

    let turned = |n: usize, readiness: Readiness| AppNode {
        readiness,
        ..apps[n].clone()
    };
    let somewhere = |n: usize| n * 7919 % APPLICATIONS;
    let took = each(|n| graph.upsert(turned(somewhere(n), Readiness::Ready)));
    row("an application becomes ready", took, "1 ms");
    // The first comes to depend on itself, so that all others change beside a cycle.
    let took = each(|n| {
        let mut app = apps[somewhere(n)].clone();
        app.depends_on = references(&format!("app{}", n % 100), "argocd");
        graph.upsert(app)
    });
    row("an application gets other dependencies", took, "1 ms");
    let took = each(|n| graph.unmet(&apps[somewhere(n)].key));
    row("what an application waits for", took, "1 ms");
}

fn resource(n: usize) -> Value {
    let kind = ["ConfigMap", "Secret", "Service", "Widget"][n % 4];
    json!({"apiVersion": "v1", "kind": kind, "metadata": {
        "name": format!("r{n}"), "namespace": format!("ns{}", n % 50),
        "annotations": {"argocd.argoproj.io/sync-wave": (n % 20).to_string()}}})
}

fn plan(desired: &[Arc<Value>]) -> SyncPlan {
    SyncPlan::new(&PlanInput {
        desired: desired.to_vec(),
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
    .expect("these resources have a plan")
}

fn application(n: usize) -> AppNode {
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
}

/// The middle of five runs, and the result of the last.
fn median<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut all = Vec::new();
    let mut result = run();
    for _ in 0..5 {
        let start = cpu_time();
        result = run();
        all.push(cpu_time().saturating_sub(start));
    }
    all.sort();
    (all[2], result)
}

/// What one of many runs takes.
fn each<T>(mut run: impl FnMut(usize) -> T) -> Duration {
    let start = cpu_time();
    for n in 0..CHANGES {
        black_box(run(n));
    }
    cpu_time().saturating_sub(start) / u32::try_from(CHANGES).unwrap_or(u32::MAX)
}

/// The time that this thread has spent on a CPU; where the system does not say, that of the wall.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || {
            static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
            START.get_or_init(Instant::now).elapsed()
        },
        Duration::from_nanos,
    )
}

fn row(what: &str, took: Duration, goal: &str) {
    println!("{what:<60}{took:>12.1?}   goal {goal}");
}
