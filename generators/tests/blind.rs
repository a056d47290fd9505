//! Every generator, wherever it stands, under an answer that is missing or not whole: the set fails
//! and generates nothing that could be compared with what is there.

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use argosy_generators::{Answer, Facts, Request, Settings, Step, expand};
use serde_json::{Value, json};

/// Every generator that asks somebody, and its name.
fn generators() -> [(&'static str, Value); 7] {
    let git = |key: &str| json!({"repoURL": "r", "revision": "HEAD", key: [{"path": "apps/*"}]});
    let labels = json!({"matchLabels": {"app": "web"}});
    [
        ("clusters", json!({})),
        ("git", git("directories")),
        ("git", git("files")),
        ("scmProvider", json!({"github": {"organization": "shop"}})),
        (
            "pullRequest",
            json!({"github": {"owner": "shop", "repo": "web"}}),
        ),
        (
            "clusterDecisionResource",
            json!({"configMapRef": "placements", "labelSelector": labels}),
        ),
        ("plugin", json!({"configMapRef": {"name": "plugin"}})),
    ]
}

/// The places where a generator may stand, among others that yield something.
fn places(generator: &Value) -> [Value; 7] {
    let list = json!({"list": {"elements": [{"name": "x"}]}});
    let matrix = |children: [&Value; 2]| json!({"matrix": {"generators": children}});
    let merge =
        |children: [&Value; 2]| json!({"merge": {"mergeKeys": ["name"], "generators": children}});
    [
        json!([generator]),
        json!([list, generator]),
        json!([matrix([generator, &list])]),
        json!([matrix([&list, generator])]),
        json!([merge([generator, &list])]),
        json!([merge([&list, generator])]),
        json!([merge([&list, &matrix([&list, generator])])]),
    ]
}

fn set(generators: &Value) -> ApplicationSet {
    let source = json!({"repoURL": "https://git.example.com/r.git", "path": "p"});
    let template = json!({
        "metadata": {"name": "app"},
        "spec": {"project": "default", "source": source, "destination": {"name": "in-cluster"}},
    });
    let spec = json!({"goTemplate": true, "generators": generators, "template": template});
    let set = json!({"metadata": {"name": "fleet", "namespace": "argocd"}, "spec": spec});
    serde_json::from_value(set).expect("a set")
}

/// What becomes of a set that gets this answer to all that it asks; that its project exists is known.
fn end(set: &ApplicationSet, answer: &Observed<Answer>) -> Step {
    let mut facts = Facts::new();
    loop {
        let Step::Needs(requests) = expand(set, &facts, &Settings::default()) else {
            return expand(set, &facts, &Settings::default());
        };
        for request in requests {
            let told = match request {
                Request::Project(_) => Observed::complete(Answer::Exists(true)),
                _ => answer.clone(),
            };
            facts.insert(request, told);
        }
    }
}

#[test]
fn no_generator_makes_anything_of_an_answer_that_is_not_whole() {
    let why = "the connection broke";
    let answers = [
        Observed::unknown(why),
        Observed::partial(Answer::Directories(vec!["apps/a".to_owned()]), why),
    ];
    for (name, generator) in generators() {
        for generators in places(&json!({name: generator})) {
            for answer in &answers {
                let Step::Failed(error) = end(&set(&generators), answer) else {
                    panic!("{generators} fails")
                };
                assert!(error.place.ends_with(name), "{generators}: {error}");
                assert!(error.message.contains(why), "{generators}: {error}");
            }
        }
    }
}
