//! The fleet's graph: order, waiting, cycles and the cost of one change.

use std::collections::BTreeMap;

use argosy_engine::graph::{AppKey, AppNode, Graph, Readiness, references};
use proptest::prelude::*;

fn app(name: &str, depends_on: &str) -> AppNode {
    AppNode {
        key: AppKey::new("argocd", name),
        labels: BTreeMap::from([("name".to_owned(), name.to_owned())]),
        depends_on: references(depends_on, "argocd").expect("references that parse"),
        parent: None,
        wave: 0,
        readiness: Readiness::NotReady("health Progressing".into()),
    }
}

fn key(name: &str) -> AppKey {
    AppKey::new("argocd", name)
}

#[test]
fn one_change_tells_who_may_go_on() {
    let mut graph = Graph::build(vec![
        app("db", ""),
        app("api", "db"),
        app("web", "argocd/api, name=db"),
    ]);
    assert!(!graph.waits(&key("db")));
    let reasons: Vec<_> = graph
        .unmet(&key("web"))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        reasons,
        [
            "argocd/db (health Progressing)",
            "argocd/api (health Progressing)"
        ]
    );
    assert_eq!(
        graph.set_readiness(&key("db"), Readiness::Ready),
        [key("api")]
    );
    assert_eq!(
        graph.set_readiness(&key("api"), Readiness::Ready),
        [key("web")]
    );
    let down = Readiness::NotReady("health Degraded".into());
    let mut waiting = graph.set_readiness(&key("db"), down);
    waiting.sort();
    assert_eq!(waiting, [key("api"), key("web")]);
    assert_eq!(graph.why(&key("web")).len(), 1);
}

#[test]
fn children_go_wave_by_wave() {
    let child = |name: &str, wave| AppNode {
        parent: Some(key("root")),
        wave,
        ..app(name, "")
    };
    let mut graph = Graph::build(vec![child("c", 2), child("a", 0), child("b", 1)]);
    assert!(graph.waits(&key("b")) && graph.waits(&key("c")) && !graph.waits(&key("a")));
    assert_eq!(graph.set_readiness(&key("a"), Readiness::Ready), [key("b")]);
    let order: Vec<_> = graph
        .order()
        .expect("no cycle")
        .into_iter()
        .cloned()
        .collect();
    assert_eq!(order, [key("a"), key("b"), key("c")]);
}

#[test]
fn a_cycle_is_named_and_concerns_nobody_else() {
    let graph = Graph::build(vec![
        app("a", "b"),
        app("b", "c"),
        app("c", "a"),
        app("d", "e"),
    ]);
    assert!(graph.order().is_none());
    assert_eq!(graph.cycles().len(), 1);
    let cycle = graph.cycle_of(&key("b")).expect("b is in it");
    assert_eq!(cycle.len(), 4);
    assert_eq!(cycle.first(), cycle.last());
    assert!(graph.cycle_of(&key("d")).is_none());
    assert_eq!(
        graph.unmet(&key("d"))[0].to_string(),
        "argocd/e (no such application)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Changing readiness step by step gives what building anew gives.
    #[test]
    fn step_by_step_equals_anew(
        edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..24),
        changes in prop::collection::vec((0_usize..12, any::<bool>()), 0..24),
    ) {
        let apps: Vec<_> = (0..12)
            .map(|n| {
                let before: Vec<_> = edges
                    .iter()
                    .filter(|(from, to)| from < to && *to == n)
                    .map(|(from, _)| format!("app{from}"))
                    .collect();
                AppNode {
                    parent: (n % 3 == 0).then(|| key("root")),
                    wave: i64::try_from(n).unwrap_or(0) / 6,
                    ..app(&format!("app{n}"), &before.join(","))
                }
            })
            .collect();
        let mut graph = Graph::build(apps);
        for (n, ready) in changes {
            let readiness = if ready {
                Readiness::Ready
            } else {
                Readiness::NotReady("no".into())
            };
            graph.set_readiness(&key(&format!("app{n}")), readiness);
        }
        let anew = Graph::build(graph.apps().to_vec());
        for app in graph.apps() {
            prop_assert_eq!(graph.waits(&app.key), anew.waits(&app.key));
        }
    }
}
