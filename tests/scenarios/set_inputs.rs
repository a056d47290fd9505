//! What a set reads is all that makes it expand: counted, with many sets on one repository.

use std::collections::BTreeSet;
use std::time::Instant;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::config;

/// How many sets there are: enough that doing something for each of them is seen in the counts.
const SETS: usize = 30;

fn set(fleet: &Fleet, name: &str, generator: &Value, leaf: &str, note: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
        "spec": {
            "goTemplate": true, "generators": [generator],
            "template": {
                "metadata": {"name": format!("{name}-{leaf}"), "annotations": {"example.com/note": note}},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": "sets/0/web", "targetRevision": "main"},
                    "destination": {"name": "dev", "namespace": "web"},
                },
            },
        },
    })
}

fn expansions(fleet: &Fleet) -> u64 {
    fleet.hub.metrics.application_sets.expansions.get()
}

fn ls_remotes(fleet: &Fleet) -> u64 {
    fleet.hub.sources.counters().total("ls-remote")
}

async fn names(fleet: &Fleet) -> BTreeSet<String> {
    let all = fleet.applications().list(&ListParams::default()).await;
    let names = all
        .unwrap()
        .into_iter()
        .map(|app| app.metadata.name.unwrap());
    names.collect()
}

async fn until_there(fleet: &Fleet, wanted: &[String]) {
    fleet
        .eventually("the applications are there", || async {
            let names = names(fleet).await;
            wanted.iter().all(|wanted| names.contains(wanted))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_expands_only_the_sets_that_read_what_it_touched() {
    let mut fleet = Fleet::start(&["dev"]).await;
    // One interval lasts for the whole test, however slow the machine; a hub reads it when it starts.
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": {"timeout.reconciliation": "2h"},
    });
    fleet.apply(map).await;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "argocd-cmd-params-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": {"applicationsetcontroller.requeue.after": "7200"},
    });
    fleet.apply(map).await;
    fleet.restart_hub();
    let web = config("a", "1", "");
    let paths: Vec<_> = (0..SETS).map(|n| format!("sets/{n}/web/a.yaml")).collect();
    let mut files: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), web.as_str()))
        .collect();
    files.push(("teams/blue.json", r#"{"team": "blue"}"#));
    fleet.commit(&files);
    let git = |key: &str, path: &str| {
        let mut git = json!({"repoURL": fleet.repo(), "revision": "main"});
        git[key] = json!([{"path": path}, {"path": "sets/*/hidden", "exclude": true}]);
        json!({"git": git})
    };
    for n in 0..SETS {
        let generator = git("directories", &format!("sets/{n}/*"));
        fleet
            .apply(set(
                &fleet,
                &format!("s{n}"),
                &generator,
                "{{.path.basename}}",
                "x",
            ))
            .await;
    }
    let teams = git("files", "teams/*.json");
    fleet
        .apply(set(&fleet, "teams", &teams, "{{.team}}", "x"))
        .await;
    let mut there: Vec<_> = (0..SETS).map(|n| format!("s{n}-web")).collect();
    there.push("teams-blue".to_owned());
    until_there(&fleet, &there).await;
    fleet.nothing_is_written().await;
    assert_eq!(
        ls_remotes(&fleet),
        1,
        "all sets and applications share one listing"
    );
    assert_eq!(expansions(&fleet), SETS as u64 + 1);

    // Elsewhere, also where a pattern excludes it: everybody looks and nobody expands.
    fleet.commit(&[
        ("docs/readme.md", "x"),
        ("sets/3/hidden/a.yaml", &web),
        ("sets/4/web/b.yaml", &web),
    ]);
    fleet.push();
    fleet
        .eventually("the repository is asked", || async {
            ls_remotes(&fleet) == 2
        })
        .await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), SETS as u64 + 1);
    assert_eq!(ls_remotes(&fleet), 2);

    // Where one set reads: that one.
    fleet.commit(&[("sets/7/api/a.yaml", &web)]);
    fleet.push();
    until_there(&fleet, &["s7-api".to_owned()]).await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), SETS as u64 + 2);
    fleet.commit(&[("teams/red.json", r#"{"team": "red"}"#)]);
    fleet.push();
    until_there(&fleet, &["teams-red".to_owned()]).await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), SETS as u64 + 3);
    assert_eq!(ls_remotes(&fleet), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sets_and_applications_of_a_repository_share_one_listing_per_interval() {
    let mut fleet = Fleet::start(&["dev"]).await;
    let often = json!({"timeout.reconciliation": "2s"});
    fleet.configure("argocd-cm", often).await;
    let often = json!({"applicationsetcontroller.requeue.after": "2"});
    fleet.configure("argocd-cmd-params-cm", often).await;
    fleet.restart_hub();
    fleet.commit(&[("sets/0/web/a.yaml", &config("a", "1", ""))]);
    let read =
        json!({"repoURL": fleet.repo(), "revision": "main", "directories": [{"path": "sets/0/*"}]});
    let generator = json!({ "git": read });
    let names: Vec<_> = (0..SETS).map(|n| format!("s{n}")).collect();
    for name in &names {
        let set = set(&fleet, name, &generator, "{{.path.basename}}", "x");
        fleet.apply(set).await;
    }
    let there: Vec<_> = names.iter().map(|name| format!("{name}-web")).collect();
    until_there(&fleet, &there).await;
    let (begun, before) = (Instant::now(), ls_remotes(&fleet));
    fleet
        .eventually("some intervals pass", async || {
            ls_remotes(&fleet) >= before + 4
        })
        .await;
    let asked = ls_remotes(&fleet) - before;
    let intervals = begun.elapsed().as_secs() / 2 + 1;
    // A listing that was under way when an interval ended is made once more.
    assert!(asked <= 2 * intervals, "{asked} in {intervals} intervals");
    assert_eq!(
        expansions(&fleet),
        SETS as u64,
        "nothing that is read changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cluster_expands_only_the_sets_that_select_it() {
    let fleet = Fleet::start(&["dev", "prod"]).await;
    fleet.commit(&[("sets/0/web/a.yaml", &config("a", "1", ""))]);
    let env = |env: &str| json!({"clusters": {"selector": {"matchLabels": {"env": env}}}});
    let note = r#"{{ index .metadata.annotations "example.com/owner" | default "nobody" }}"#;
    let some = r#"{{ if hasKey .metadata "annotations" }}"#;
    let note = format!("{some}{note}{{{{ end }}}}");
    for n in 0..SETS {
        let generator = env(["dev", "prod"][n % 2]);
        fleet
            .apply(set(
                &fleet,
                &format!("s{n}"),
                &generator,
                "{{.name}}",
                &note,
            ))
            .await;
    }
    let list = json!({"list": {"elements": [{"name": "one"}]}});
    fleet
        .apply(set(&fleet, "list", &list, "{{.name}}", "x"))
        .await;
    let there: Vec<_> = (0..SETS)
        .map(|n| format!("s{n}-{}", ["dev", "prod"][n % 2]))
        .collect();
    until_there(&fleet, &there).await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), SETS as u64 + 1);

    let secrets: Api<Secret> = Api::namespaced(fleet.client.clone(), "argocd");
    let change = |patch: Value| {
        let secrets = secrets.clone();
        async move {
            let params = PatchParams::default();
            secrets
                .patch("cluster-prod", &params, &Patch::Merge(patch))
                .await
                .unwrap();
        }
    };
    change(json!({"metadata": {"annotations": {"example.com/owner": "ada"}}})).await;
    fleet
        .until("s1-prod", "annotated", |app| {
            app.annotation("example.com/note") == Some("ada")
        })
        .await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), (SETS + 1 + SETS / 2) as u64);

    // What no generator reads of the Secret expands nothing.
    let reserved = "kubectl.kubernetes.io/last-applied-configuration";
    change(json!({"metadata": {"annotations": {reserved: "{}"}}})).await;
    fleet.nothing_is_written().await;
    assert_eq!(expansions(&fleet), (SETS + 1 + SETS / 2) as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_parameter_sets_is_limited_by_a_setting() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("sets/0/web/a.yaml", &config("a", "1", ""))]);
    let elements = |key: &str| {
        let elements: Vec<_> = (0..4).map(|n| json!({key: n.to_string()})).collect();
        json!({"list": {"elements": elements}})
    };
    let matrix = json!({"matrix": {"generators": [elements("a"), elements("b")]}});
    fleet
        .apply(set(&fleet, "large", &matrix, "{{.a}}-{{.b}}", "x"))
        .await;
    until_there(&fleet, &["large-3-3".to_owned()]).await;
    let limit = |limit: &str| {
        fleet.apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-cmd-params-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "data": {"applicationsetcontroller.max.parameter.sets": limit},
        }))
    };
    let error = || async {
        let sets: Api<argosy_crds::ApplicationSet> =
            Api::namespaced(fleet.client.clone(), "argocd");
        let conditions = sets
            .get("large")
            .await
            .unwrap()
            .status
            .unwrap_or_default()
            .conditions;
        let error = conditions
            .into_iter()
            .find(|one| one.type_ == "ErrorOccurred" && one.status == "True");
        error.map(|error| error.message)
    };
    limit("15").await;
    fleet
        .eventually("the set is too large", || async { error().await.is_some() })
        .await;
    let why = error().await.unwrap();
    assert!(why.contains("more than 15 sets of parameters"), "{why}");
    assert!(
        why.contains("argocd/large, spec.generators[0].matrix"),
        "{why}"
    );
    assert_eq!(names(&fleet).await.len(), 16, "nothing is deleted for it");
    limit("16").await;
    fleet
        .eventually("the set is not too large", || async {
            error().await.is_none()
        })
        .await;
    let maps: Api<ConfigMap> = Api::namespaced(fleet.client.clone(), "argocd");
    assert!(
        maps.get_opt("argocd-cmd-params-cm")
            .await
            .unwrap()
            .is_some()
    );
}
