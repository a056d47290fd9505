//! What holds for every set.

use std::collections::BTreeMap;

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use argosy_generators::{Answer, Cluster, Facts, Request, Settings, Step, expand};
use proptest::prelude::*;
use serde_json::{Value, json};

fn set(go: bool, generators: &Value) -> ApplicationSet {
    let name = if go {
        "{{.name}}-{{.path.basename}}"
    } else {
        "{{name}}-{{path.basename}}"
    };
    serde_json::from_value(json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": go,
            "generators": generators,
            "template": {
                "metadata": {"name": name},
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

/// Answers every request, as the world is.
fn facts(clusters: &[Cluster], directories: &[String]) -> Facts {
    let mut facts = Facts::new();
    let directory_request = Request::GitDirectories {
        repo_url: "r".to_owned(),
        revision: "HEAD".to_owned(),
        project: "default".to_owned(),
    };
    let answers = [
        (Request::Clusters, Answer::Clusters(clusters.to_vec())),
        (Request::Project("default".to_owned()), Answer::Exists(true)),
        (directory_request, Answer::Directories(directories.to_vec())),
    ];
    for (request, answer) in answers {
        facts.insert(request, Observed::complete(answer));
    }
    facts
}

fn names(step: Step) -> Vec<String> {
    let Step::Done(expansion) = step else {
        panic!("not expanded: {step:?}")
    };
    let apps = expansion.applications.into_inner();
    apps.into_iter()
        .filter_map(|app| app.metadata.name)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_matrix_is_the_product_in_one_order(
        order in Just(clusters(6)).prop_shuffle(),
        take in 0_usize..6,
        count in 0_usize..5,
        go in any::<bool>(),
    ) {
        let set = set(go, &matrix());
        let settings = Settings::default();
        let shuffled = &order[..take];
        let mut sorted = shuffled.to_vec();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let found = names(expand(&set, &facts(shuffled, &directories(count)), &settings));
        // The hub's own cluster counts, too.
        prop_assert_eq!(found.len(), (take + 1) * count);
        let again = names(expand(&set, &facts(&sorted, &directories(count)), &settings));
        prop_assert_eq!(found, again);
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
fn an_incomplete_fact_is_an_error_that_names_the_generator() {
    let set = set(false, &matrix());
    let answers: [Observed<Answer>; 2] = [
        Observed::unknown("connection refused"),
        Observed::partial(Answer::Clusters(clusters(1)), "connection refused"),
    ];
    for answer in answers {
        let mut facts = facts(&[], &directories(1));
        facts.insert(Request::Clusters, answer);
        let Step::Failed(error) = expand(&set, &facts, &Settings::default()) else {
            panic!("an error expected")
        };
        assert_eq!(error.place, "spec.generators[0].matrix");
        assert!(error.message.ends_with("connection refused"), "{error}");
    }
}

#[test]
fn more_than_two_children_multiply_and_the_product_is_limited() {
    let list = |key: &str, values: &[&str]| {
        let elements: Vec<_> = values.iter().map(|value| json!({key: value})).collect();
        json!({"list": {"elements": elements}})
    };
    let children = [
        list("name", &["a", "b"]),
        list("path.basename", &["x", "y"]),
        list("z", &["{{name}}-1", "{{name}}-2"]),
    ];
    let set = set(false, &json!([{"matrix": {"generators": children}}]));
    assert_eq!(
        names(expand(&set, &Facts::new(), &Settings::default())).len(),
        8
    );
    let settings = Settings {
        max_parameter_sets: 7,
        ..Settings::default()
    };
    assert!(matches!(
        expand(&set, &Facts::new(), &settings),
        Step::Failed(_)
    ));
}

#[test]
fn both_modes_expand_a_large_matrix() {
    let (clusters, directories) = (clusters(19), directories(50));
    for go in [false, true] {
        let expanded = expand(
            &set(go, &matrix()),
            &facts(&clusters, &directories),
            &Settings::default(),
        );
        assert_eq!(names(expanded).len(), 1000);
    }
}
