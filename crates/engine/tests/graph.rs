//! The fleet's graph: order, waiting, cycles, and that a change means what building anew would.

use std::collections::BTreeMap;

use argosy_engine::graph::{AppKey, AppNode, Graph, Origin, Readiness, blocked_by, references};
use proptest::prelude::*;

fn app(name: &str, depends_on: &str) -> AppNode {
    AppNode {
        key: AppKey::new("argocd", name),
        labels: BTreeMap::from([("name".to_owned(), name.to_owned())]),
        depends_on: references(depends_on, "argocd"),
        parent: None,
        wave: 0,
        readiness: Readiness::NotReady("health Progressing".into()),
        revisions: Vec::new(),
    }
}

fn key(name: &str) -> AppKey {
    AppKey::new("argocd", name)
}

/// Changes how an application is, and says who has to look.
fn turn(graph: &mut Graph, name: &str, readiness: Readiness) -> Vec<AppKey> {
    let mut app = graph.app(&key(name)).expect("it is there").clone();
    app.readiness = readiness;
    graph.upsert(app)
}

#[test]
fn one_change_tells_who_may_go_on() {
    let mut graph = Graph::build([
        app("db", ""),
        app("api", "db"),
        app("web", "argocd/api, name=db"),
    ]);
    assert!(!graph.waits(&key("db")));
    assert_eq!(
        blocked_by(&graph.unmet(&key("web"))),
        "BlockedBy: argocd/db (health Progressing), argocd/api (health Progressing)"
    );
    assert_eq!(turn(&mut graph, "db", Readiness::Ready), [key("api")]);
    assert_eq!(turn(&mut graph, "api", Readiness::Ready), [key("web")]);
    let down = Readiness::NotReady("health Degraded".into());
    let mut waiting = turn(&mut graph, "db", down);
    waiting.sort();
    assert_eq!(waiting, [key("api"), key("web")]);
    assert_eq!(graph.why(&key("web")).len(), 1);
    assert_eq!(graph.dependents_of(&key("db")), [key("api"), key("web")]);
}

#[test]
fn a_change_wakes_those_who_wait_for_it_and_nobody_else() {
    const EACH: usize = 1_000;
    let followers = |of: &str| -> Vec<AppNode> {
        let name = |n| format!("{of}-{n:04}");
        (0..EACH).map(|n| app(&name(n), of)).collect()
    };
    let mut fleet = vec![app("db", ""), app("queue", "")];
    fleet.extend(followers("db"));
    fleet.extend(followers("queue"));
    let mut graph = Graph::build(fleet);
    for readiness in [
        Readiness::NotReady("health Degraded".into()),
        Readiness::Ready,
        Readiness::NotReady("sync OutOfSync".into()),
    ] {
        let woken = turn(&mut graph, "db", readiness.clone());
        assert_eq!(woken.len(), EACH, "{readiness:?}");
        assert!(woken.iter().all(|key| key.name.starts_with("db-")));
        assert!(turn(&mut graph, "db", readiness).is_empty(), "no change");
    }
    let last = turn(&mut graph, "db-0007", Readiness::Ready);
    assert!(last.is_empty(), "nobody waits for it");
}

#[test]
fn children_go_wave_by_wave() {
    let child = |name: &str, wave| AppNode {
        parent: Some(key("root")),
        wave,
        ..app(name, "")
    };
    let mut graph = Graph::build([child("c", 2), child("a", 0), child("b", 1)]);
    assert!(graph.waits(&key("b")) && graph.waits(&key("c")) && !graph.waits(&key("a")));
    assert_eq!(turn(&mut graph, "a", Readiness::Ready), [key("b")]);
    assert_eq!(turn(&mut graph, "b", Readiness::Ready), [key("c")]);
    let down = Readiness::NotReady("health Degraded".into());
    let mut waiting = turn(&mut graph, "a", down);
    waiting.sort();
    assert_eq!(
        waiting,
        [key("b"), key("c")],
        "a wave waits for all before it"
    );
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
    let mut graph = Graph::build([app("a", "b"), app("b", "c"), app("c", "a"), app("d", "e")]);
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
    graph.upsert(app("c", ""));
    assert!(graph.cycles().is_empty(), "broken again");
    graph.upsert(app("c", "name=a"));
    assert_eq!(graph.cycles().len(), 1, "closed by a label");
}

#[test]
fn a_commit_holds_whoever_has_not_come_to_it() {
    let origin = Origin {
        repository: "git".into(),
        chart: String::new(),
        target: "main".into(),
    };
    let at = |name: &str, depends_on: &str, revision: &str| AppNode {
        readiness: Readiness::Ready,
        revisions: vec![(origin.clone(), revision.to_owned())],
        ..app(name, depends_on)
    };
    let mut graph = Graph::build([at("db", "", "one"), at("web", "db", "one")]);
    assert!(!graph.waits(&key("web")));
    assert_eq!(graph.set_head(&origin, "two"), [key("web")]);
    assert_eq!(
        blocked_by(&graph.unmet(&key("web"))),
        "BlockedBy: argocd/db (not compared with revision two yet)"
    );
    assert_eq!(graph.upsert(at("db", "", "two")), [key("web")]);
    assert!(!graph.waits(&key("web")));
    assert_eq!(graph.moves(), 0, "no other revision was known before");
    graph.set_head(&origin, "three");
    graph.set_head(&origin, "three");
    assert_eq!(graph.moves(), 1);
}

#[test]
fn what_is_gone_is_waited_for_until_it_is_back() {
    let mut graph = Graph::build([app("db", ""), app("web", "db,tier=data"), app("x", "oops/")]);
    assert_eq!(
        graph.unmet(&key("x"))[0].to_string(),
        "'oops/' (neither a name, nor namespace/name, nor label=value joined by &)"
    );
    assert_eq!(graph.remove(&key("db")), [key("web")]);
    assert_eq!(
        blocked_by(&graph.unmet(&key("web"))),
        "BlockedBy: argocd/db (no such application), tier=data (no such application)"
    );
    let data = AppNode {
        labels: BTreeMap::from([("tier".to_owned(), "data".to_owned())]),
        readiness: Readiness::Ready,
        ..app("db", "")
    };
    assert_eq!(graph.upsert(data), [key("web")]);
    assert!(!graph.waits(&key("web")));
}

/// One thing that happens to a fleet of eight.
#[derive(Clone, Debug)]
enum Event {
    Upsert(Box<AppNode>),
    Remove(usize),
    Head(usize),
}

fn origin(n: usize) -> Origin {
    Origin {
        repository: format!("repo{}", n % 2),
        chart: String::new(),
        target: "main".into(),
    }
}

fn event() -> impl Strategy<Value = Event> {
    let node = (
        (0_usize..8, prop::collection::vec(0_usize..12, 0..3)),
        (any::<bool>(), 0_usize..3, prop::option::of(0_usize..2)),
        (0_i64..3, 0_usize..3),
    );
    let upsert = node.prop_map(|((n, before), (ready, tier, parent), (wave, revision))| {
        let before: Vec<_> = before
            .iter()
            .map(|n| match n {
                9.. => format!("tier={}", n - 9),
                n => format!("app{n}"),
            })
            .collect();
        Event::Upsert(Box::new(AppNode {
            labels: BTreeMap::from([("tier".to_owned(), tier.to_string())]),
            parent: parent.map(|n| key(&format!("root{n}"))),
            wave,
            readiness: if ready {
                Readiness::Ready
            } else {
                Readiness::NotReady("no".into())
            },
            revisions: vec![(origin(n), revision.to_string())],
            ..app(&format!("app{n}"), &before.join(","))
        }))
    });
    prop_oneof![
        6 => upsert,
        1 => (0_usize..8).prop_map(Event::Remove),
        1 => (0_usize..6).prop_map(Event::Head),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Changing it step by step gives what building anew gives, and tells of everyone who is
    /// concerned.
    #[test]
    fn step_by_step_equals_anew(events in prop::collection::vec(event(), 0..40)) {
        let mut graph = Graph::default();
        let mut heads = BTreeMap::new();
        for event in events {
            let before: BTreeMap<_, _> = graph
                .apps()
                .map(|app| (app.key.clone(), graph.waits(&app.key)))
                .collect();
            let (told, about) = match event {
                Event::Upsert(app) => {
                    let key = app.key.clone();
                    (graph.upsert(*app), Some(key))
                }
                Event::Remove(n) => {
                    let key = key(&format!("app{n}"));
                    (graph.remove(&key), Some(key))
                }
                Event::Head(n) => {
                    let (origin, revision) = (origin(n), (n / 2).to_string());
                    let told = graph.set_head(&origin, &revision);
                    let followed = graph.apps().any(|app| app.revisions[0].0 == origin);
                    if followed {
                        heads.insert(origin, revision);
                    }
                    (told, None)
                }
            };
            heads.retain(|origin, _| graph.apps().any(|app| app.revisions[0].0 == *origin));
            let mut anew = Graph::build(graph.apps().cloned().collect::<Vec<_>>());
            for (origin, revision) in &heads {
                anew.set_head(origin, revision);
            }
            prop_assert_eq!(graph.cycles().len(), anew.cycles().len());
            for app in graph.apps() {
                let waits = graph.waits(&app.key);
                prop_assert_eq!(waits, anew.waits(&app.key), "{}", app.key);
                prop_assert_eq!(waits, !graph.unmet(&app.key).is_empty());
                let turned = before.get(&app.key).is_some_and(|before| *before != waits);
                if turned && about.as_ref() != Some(&app.key) {
                    prop_assert!(told.contains(&app.key), "{} was not told", app.key);
                }
            }
        }
    }
}
