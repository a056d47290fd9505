//! What a change would do, told beforehand.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::ApplicationsSyncPolicy;
use argosy_crds::{Application, ApplicationSet};
use argosy_facts::Complete;
use argosy_generators::approval::Held;
use argosy_generators::guard::{Guard, Limits};
use argosy_generators::offline::{World, generate};
use argosy_generators::plan::{Inputs, PreservedKeys};
use argosy_generators::preview::{Preview, Withheld, as_applied, preview};
use argosy_generators::rollout::is_rolling;
use argosy_generators::{Cluster, Settings};
use serde_json::{Value, json};

/// A set with an Application for each name, all of one path.
fn set(names: &[&str], path: &str) -> ApplicationSet {
    let elements: Vec<Value> = names.iter().map(|name| json!({"app": name})).collect();
    let set = json!({
        "metadata": {"name": "tools", "namespace": "argocd"},
        "spec": {
            "goTemplate": true,
            "generators": [{"list": {"elements": elements}}],
            "template": {
                "metadata": {"name": "{{.app}}"},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": "https://git.example.com/r", "path": path},
                    "destination": {"name": "in-cluster", "namespace": "{{.app}}"},
                },
            },
        },
    });
    serde_json::from_value(set).expect("a set")
}

fn expand(set: &ApplicationSet, clusters: &[Cluster]) -> Vec<Application> {
    let world = World {
        projects: BTreeSet::from(["default".to_owned()]),
        clusters: clusters.to_vec(),
        trees: &|_, _| Err("there is none".to_owned()),
    };
    let expansion = generate(set, &world, &Settings::default()).expect("an expansion");
    expansion.applications.into_inner()
}

fn between(
    before: &ApplicationSet,
    after: &ApplicationSet,
    policy: ApplicationsSyncPolicy,
) -> Preview {
    let live = as_applied(before, &expand(before, &[]));
    preview(
        &Inputs {
            set: after,
            generated: &Complete::vouch(expand(after, &[])),
            invalid: &BTreeMap::new(),
            live: &live,
            policy,
            preserved: &PreservedKeys::default(),
            clusters: &[],
            rolling: is_rolling(after),
            jq: &|_, _| Ok(Vec::new()),
        },
        &Guard {
            limits: Limits::default(),
            approved: None,
            emptied: &[],
            held: &Held::default(),
        },
    )
}

#[test]
fn the_same_set_changes_nothing() {
    let set = set(&["a", "b"], "web");
    let preview = between(&set, &set, ApplicationsSyncPolicy::Sync);
    assert!(!preview.changes_anything());
    assert_eq!(preview.unchanged, 2);
}

#[test]
fn what_comes_changes_and_goes_is_told_with_its_fields() {
    let preview = between(
        &set(&["a", "b"], "web"),
        &set(&["a", "c"], "two"),
        ApplicationsSyncPolicy::Sync,
    );
    let created: Vec<_> = preview
        .create
        .iter()
        .map(|app| &app.metadata.name)
        .collect();
    assert_eq!(created, [&Some("c".to_owned())]);
    let update = &preview.update[0];
    assert_eq!((update.name.as_str(), update.fields.len()), ("a", 1));
    assert_eq!(update.fields[0].path, "spec.source.path");
    assert_eq!(update.fields[0].before, Some(json!("web")));
    assert_eq!(update.fields[0].after, Some(json!("two")));
    assert_eq!(preview.delete[0].name, "b");
    assert!(preview.delete[0].cascades);
    assert_eq!(preview.parked, None);
}

#[test]
fn what_the_policy_forbids_is_told_and_not_done() {
    let preview = between(
        &set(&["a", "b"], "web"),
        &set(&["a"], "two"),
        ApplicationsSyncPolicy::CreateOnly,
    );
    assert!(!preview.changes_anything());
    let withheld = |name: &str, is_deletion| Withheld {
        name: name.to_owned(),
        is_deletion,
        policy: ApplicationsSyncPolicy::CreateOnly,
    };
    assert_eq!(
        preview.withheld,
        [withheld("a", false), withheld("b", true)]
    );
    assert_eq!(preview.unchanged, 0);
}

#[test]
fn a_large_loss_would_wait_for_a_person() {
    let many = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let preview = between(
        &set(&many, "web"),
        &set(&[], "web"),
        ApplicationsSyncPolicy::Sync,
    );
    let parked = preview.parked.expect("the guard's word");
    assert_eq!((parked.deletes.len(), parked.owned), (8, 8));
}
