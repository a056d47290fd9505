//! What holds for every set.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::{Application, ApplicationSet};
use argosy_facts::{Complete, Observed};
use argosy_generators::offline::{GitTree, World, generate};
use argosy_generators::plan::{Inputs, PreservedKeys, plan};
use argosy_generators::{Answer, Cluster, Facts, Request, Settings, Step, expand, policy};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A set whose Applications are named `name` and annotated with `note`.
fn set_with(go: bool, generators: &Value, name: &str, note: &str) -> ApplicationSet {
    serde_json::from_value(json!({
        "metadata": {"name": "fleet", "namespace": "argocd", "uid": "2f1c"},
        "spec": {
            "goTemplate": go,
            "generators": generators,
            "template": {
                "metadata": {"name": name, "annotations": {"example.com/note": note}},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": "https://git.example.com/r.git", "path": "p"},
                    "destination": {"name": "in-cluster", "namespace": "x"},
                },
            },
        },
    }))
    .expect("a set")
}

fn set(go: bool, generators: &Value) -> ApplicationSet {
    let name = if go {
        "{{.name}}-{{.path.basename}}"
    } else {
        "{{name}}-{{path.basename}}"
    };
    set_with(go, generators, name, "note")
}

fn matrix() -> Value {
    let git =
        json!({"git": {"repoURL": "r", "revision": "HEAD", "directories": [{"path": "apps/*"}]}});
    json!([{"matrix": {"generators": [{"clusters": {}}, git]}}])
}

fn clusters(count: usize) -> Vec<Cluster> {
    let cluster = |number| Cluster {
        name: format!("c{number}"),
        server: format!("https://c{number}.example.com"),
        labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        ..Cluster::default()
    };
    (0..count).map(cluster).collect()
}

fn directories(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("apps/d{number}")).collect()
}

/// Directories in an order of their own, without files.
struct Directories(Vec<String>);

impl GitTree for Directories {
    fn directories(&self) -> Vec<String> {
        self.0.clone()
    }

    fn paths(&self) -> Vec<String> {
        Vec::new()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no {path}"))
    }
}

/// What a set generates in a world of these clusters and directories.
fn expanded(
    set: &ApplicationSet,
    clusters: &[Cluster],
    directories: &[String],
) -> Complete<Vec<Application>> {
    let world = World {
        projects: BTreeSet::from(["default".to_owned()]),
        clusters: clusters.to_vec(),
        trees: &|_, _| Ok(Box::new(Directories(directories.to_vec()))),
    };
    let expansion = generate(set, &world, &Settings::default());
    expansion.expect("the set can be expanded").applications
}

fn names(applications: &[Application]) -> Vec<&str> {
    let names = applications.iter().map(|app| app.metadata.name.as_deref());
    names.map(Option::unwrap_or_default).collect()
}

fn list(key: &str, count: usize) -> Value {
    let elements: Vec<_> = (0..count).map(|n| json!({key: format!("v{n}")})).collect();
    json!({"list": {"elements": elements}})
}

/// A matrix whose children are lists of these lengths, each group of them a matrix of its own.
fn nested_matrix(groups: &[Vec<usize>]) -> Value {
    let groups: Vec<Value> = groups
        .iter()
        .enumerate()
        .map(|(group, lengths)| {
            let lists = lengths
                .iter()
                .enumerate()
                .map(|(at, length)| list(&format!("k{group}x{at}"), *length));
            json!({"matrix": {"generators": lists.collect::<Vec<_>>()}})
        })
        .collect();
    json!([{"matrix": {"generators": groups}}])
}

/// Lists of one key whose values are drawn from few, so that some of them meet.
fn keyed_lists() -> impl Strategy<Value = Vec<BTreeSet<u8>>> {
    prop::collection::vec(prop::collection::btree_set(0_u8..8, 1..6), 2..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_facts_does_not_matter(
        clusters in Just(clusters(6)).prop_shuffle(),
        directories in Just(directories(5)).prop_shuffle(),
        take in 0_usize..6,
        count in 0_usize..5,
        go in any::<bool>(),
    ) {
        let set = set(go, &matrix());
        let (clusters, directories) = (&clusters[..take], &directories[..count]);
        let found = expanded(&set, clusters, directories).into_inner();
        // The hub's own cluster counts, too.
        prop_assert_eq!(found.len(), (take + 1) * count);

        let mut sorted = clusters.to_vec();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let again = expanded(&set, &sorted, directories).into_inner();
        prop_assert_eq!(&found, &again, "clusters have an order of their own");

        let mut sorted = directories.to_vec();
        sorted.sort();
        let again = expanded(&set, clusters, &sorted).into_inner();
        let by_name = |apps: &[Application]| {
            let names = names(apps).into_iter().map(str::to_owned);
            names.zip(apps.to_vec()).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(by_name(&found).len(), found.len());
        prop_assert!(by_name(&found) == by_name(&again), "directories come as the tree lists them");
    }

    #[test]
    fn the_size_of_a_matrix_is_the_product_of_its_children_at_any_depth(
        groups in prop::collection::vec(prop::collection::vec(0_usize..4, 2..4), 2..4),
        go in any::<bool>(),
    ) {
        let product: usize = groups.iter().flatten().product();
        let set = set_with(go, &nested_matrix(&groups), "app", "note");
        prop_assert_eq!(expanded(&set, &[], &[]).get().len(), product);
    }

    #[test]
    fn expansion_is_deterministic_even_where_templates_draw_random_texts(
        count in 1_usize..4,
        go in any::<bool>(),
    ) {
        let note = if go { "{{ randAlphaNum 12 }} {{ uuidv4 }} {{ .name | shuffle }}" } else { "{{name}}" };
        let set = set_with(go, &json!([{"clusters": {}}]), "app", note);
        let first = expanded(&set, &clusters(count), &[]).into_inner();
        prop_assert_eq!(&first, &expanded(&set, &clusters(count), &[]).into_inner());
        // A further cluster changes no other's Application.
        let more = expanded(&set, &clusters(count + 1), &[]).into_inner();
        prop_assert!(first.iter().all(|app| more.contains(app)));
        let notes: BTreeSet<_> = more.iter().map(|app| app.annotation("example.com/note")).collect();
        prop_assert_eq!(notes.len(), more.len(), "no two draw the same");
    }

    #[test]
    fn a_merge_has_the_size_of_its_first_child(lists in keyed_lists(), go in any::<bool>()) {
        let children: Vec<Value> = lists
            .iter()
            .enumerate()
            .map(|(at, keys)| {
                let elements = keys.iter().map(|key| json!({"key": key.to_string(), "from": at.to_string()}));
                json!({"list": {"elements": elements.collect::<Vec<_>>()}})
            })
            .collect();
        let generators = json!([{"merge": {"mergeKeys": ["key"], "generators": children}}]);
        let (name, note) = if go { ("{{.key}}", "{{.from}}") } else { ("{{key}}", "{{from}}") };
        let apps = expanded(&set_with(go, &generators, name, note), &[], &[]).into_inner();
        let keys: Vec<String> = lists[0].iter().map(ToString::to_string).collect();
        prop_assert_eq!(names(&apps), keys);
        for app in &apps {
            // The last child that has the key wins.
            let key: u8 = app.metadata.name.as_deref().unwrap_or_default().parse().unwrap_or(u8::MAX);
            let last = lists.iter().rposition(|list| list.contains(&key)).map(|at| at.to_string());
            prop_assert_eq!(app.annotation("example.com/note"), last.as_deref());
        }
    }

    #[test]
    fn a_text_without_tags_stays_as_it_is(
        text in r"[ -~\n\täß€]{0,40}".prop_filter("no tags", |text| !text.contains("{{")),
        go in any::<bool>(),
    ) {
        let set = set_with(go, &json!([list("name", 1)]), "app", &text);
        let apps = expanded(&set, &[], &[]).into_inner();
        prop_assert_eq!(apps[0].annotation("example.com/note"), Some(text.as_str()));
    }

    #[test]
    fn what_is_as_generated_needs_no_write(count in 0_usize..5, go in any::<bool>()) {
        let set = set(go, &matrix());
        let generated = expanded(&set, &clusters(2), &directories(count));
        let planned = |live: &[Application]| plan(&Inputs {
            set: &set,
            generated: &generated,
            invalid: &BTreeMap::new(),
            live,
            policy: policy::effective(&set, None, None),
            preserved: &PreservedKeys::default(),
            clusters: &[],
            jq: &|_, _| Ok(Vec::new()),
            rolling: false,
        });
        let first = planned(&[]);
        prop_assert_eq!(first.create.len(), 3 * count);
        let again = planned(&first.create);
        prop_assert!(again.create.is_empty() && again.update.is_empty() && again.delete.is_empty());
        prop_assert_eq!(again.unchanged.len(), 3 * count);
    }
}

#[test]
fn needs_are_asked_for_together_and_suffice() {
    let git = |repository: &str| json!({"git": {"repoURL": repository, "revision": "HEAD", "directories": [{"path": "*"}]}});
    let set = set(false, &json!([git("a"), git("b"), {"clusters": {}}]));
    let Step::Needs(needs) = expand(&set, &Facts::new(), &Settings::default()) else {
        panic!("needs expected")
    };
    assert_eq!(needs.len(), 4, "{needs:?}");
}

#[test]
fn what_is_asked_of_clusters_and_repositories_is_no_more_than_what_is_read() {
    let selector = json!({"matchLabels": {"env": "prod"}});
    let git = json!({"git": {"repoURL": "r", "revision": "HEAD",
        "directories": [{"path": "apps/*"}, {"path": "apps/old", "exclude": true}]}});
    let set = set(
        false,
        &json!([{"clusters": {"selector": selector, "values": {"a": "b"}}}, git]),
    );
    let Step::Needs(needs) = expand(&set, &Facts::new(), &Settings::default()) else {
        panic!("needs expected")
    };
    let registered = [clusters(1), vec![Cluster::default()]].concat();
    for request in needs {
        match request {
            Request::Clusters { generator } => {
                assert!(!generator.contains("values"), "{generator}");
                let answer = argosy_generators::select_clusters(&generator, &registered);
                let Observed::Complete(answer) = answer else {
                    panic!("an unlabelled Secret without server hides nothing from this set")
                };
                let Answer::Clusters(selected) = answer.into_inner() else {
                    panic!("clusters expected")
                };
                assert_eq!(selected.registered, clusters(1));
                assert!(!selected.local);
            }
            Request::GitDirectories {
                include, exclude, ..
            } => assert_eq!(
                (include, exclude),
                (vec!["apps/*".to_owned()], vec!["apps/old".to_owned()])
            ),
            Request::Project(project) => assert_eq!(project, "default"),
            other => panic!("not asked for: {other:?}"),
        }
    }
}

#[test]
fn a_secret_without_a_server_hides_a_cluster_from_those_who_may_select_it() {
    let hidden = Cluster {
        server: String::new(),
        ..clusters(1).remove(0)
    };
    let answer = argosy_generators::select_clusters("{}", &[hidden]);
    let why = answer.gap().expect("not complete");
    assert!(why.contains("`c0` has no server"), "{why}");
}

#[test]
fn an_incomplete_fact_is_an_error_that_names_the_generator() {
    let set = set(false, &matrix());
    let request = Request::Clusters {
        generator: "{}".to_owned(),
    };
    let answers: [Observed<Answer>; 2] = [
        Observed::unknown("connection refused"),
        Observed::partial(Answer::Exists(true), "connection refused"),
    ];
    for answer in answers {
        let facts: Facts = [(request.clone(), answer)].into_iter().collect();
        let Step::Failed(error) = expand(&set, &facts, &Settings::default()) else {
            panic!("an error expected")
        };
        assert_eq!(
            error.place,
            "spec.generators[0].matrix.generators[0].clusters"
        );
        assert!(error.message.ends_with("connection refused"), "{error}");
    }
}

#[test]
fn the_product_is_limited_at_any_depth() {
    let limited = |generators: &Value, most: usize| {
        let settings = Settings {
            max_parameter_sets: most,
            ..Settings::default()
        };
        expand(
            &set_with(false, generators, "app", "note"),
            &Facts::new(),
            &settings,
        )
    };
    let nested = nested_matrix(&[vec![2, 2], vec![2, 3]]);
    let merged = json!([{"merge": {"mergeKeys": ["k"], "generators": [nested[0], list("k", 1)]}}]);
    let side_by_side = json!([list("a", 12), list("b", 12)]);
    for (generators, size, place) in [
        (&nested, 24, "spec.generators[0].matrix"),
        (&merged, 24, "spec.generators[0].merge.generators[0].matrix"),
        (&side_by_side, 24, "spec.generators[1]"),
        (&json!([list("a", 24)]), 24, "spec.generators[0]"),
    ] {
        if !place.contains("merge") {
            assert!(matches!(limited(generators, size), Step::Done(_)));
        }
        let Step::Failed(error) = limited(generators, size - 1) else {
            panic!("{generators}: an error expected")
        };
        assert_eq!(error.place, place);
        let text = error.to_string();
        assert!(text.contains("more than 23 sets of parameters"), "{text}");
        assert!(
            text.contains("applicationsetcontroller.max.parameter.sets"),
            "{text}"
        );
    }
}

#[test]
fn both_modes_expand_a_large_matrix() {
    let (clusters, directories) = (clusters(19), directories(50));
    for go in [false, true] {
        let expanded = expanded(&set(go, &matrix()), &clusters, &directories);
        assert_eq!(expanded.get().len(), 1000);
    }
}
