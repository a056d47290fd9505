//! Applications that wait for others: by name, by label, by wave; and who goes first.

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, OperationPhase};
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::fleet::{Fleet, HubKubeconfig};
use argosy_test_support::manifest::{automated, config, deployment, manual};
use argosy_test_support::wait::is_well;

/// An application that depends on others.
fn dependent(fleet: &Fleet, name: &str, on: &str) -> Value {
    let mut app = automated(name, &fleet.repo(), name, &fleet.server("dev"));
    app["metadata"]["annotations"] = json!({"argosy.dev/depends-on": on});
    app
}

/// What a condition of the application says, if it has it.
fn condition(app: &Application, kind: &str) -> Option<String> {
    let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.find(|one| one.type_ == kind)?;
    Some(found.message.clone())
}

async fn exists(fleet: &Fleet, kind: &str, place: &str) -> bool {
    let api = if kind == "Deployment" {
        "apps/v1"
    } else {
        "v1"
    };
    fleet.live("dev", api, kind, place).await.is_some()
}

fn argosy(kubeconfig: &HubKubeconfig, args: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_argosy"))
        .args(args)
        .arg("--kubeconfig")
        .arg(kubeconfig.path())
        .output()
        .unwrap();
    let (out, err) = (output.stdout, output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&err)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependent_waits_says_for_whom_and_goes_on_by_itself() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("db/db.yaml", &deployment("db", "db:1")),
        ("api/api.yaml", &config("api", "1", "")),
        ("web/web.yaml", &config("web", "1", "")),
    ]);
    fleet.apply(dependent(&fleet, "web", "api")).await;
    let message = fleet.until_condition("web", "Waiting").await;
    assert_eq!(message, "BlockedBy: argocd/api (no such application)");

    fleet.apply(dependent(&fleet, "api", "tier=data")).await;
    let mut db = manual("db", &fleet.repo(), "db", &fleet.server("dev"));
    db["metadata"]["labels"] = json!({"tier": "data"});
    fleet.apply(db).await;
    fleet
        .until("api", "waiting for the database", |app| {
            condition(app, "Waiting")
                .is_some_and(|text| text == "BlockedBy: argocd/db (sync OutOfSync)")
        })
        .await;
    assert!(!exists(&fleet, "ConfigMap", "api/api").await);
    assert!(!exists(&fleet, "ConfigMap", "web/web").await);

    let kubeconfig = fleet.hub_kubeconfig().await;
    let why = argosy(&kubeconfig, &["app", "why", "web"]);
    let expected = "- BlockedBy: argocd/api (sync OutOfSync)\n  \
                    - BlockedBy: argocd/db (sync OutOfSync)\n    \
                    released: when that is synced and healthy\n";
    assert!(why.ends_with(expected), "{why}");
    let dot = argosy(&kubeconfig, &["graph", "-o", "dot"]);
    assert!(
        dot.contains("->") && dot.contains("argocd/db (sync OutOfSync)"),
        "{dot}"
    );

    fleet.sync("db", json!({})).await;
    for name in ["db", "api", "web"] {
        let app = fleet.until_well(name).await;
        assert_eq!(condition(&app, "Waiting"), None, "{name}");
    }
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_somebody_asks_for_waits_too_unless_told_otherwise() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("db/db.yaml", &config("db", "1", "")),
        ("web/web.yaml", &config("web", "1", "")),
    ]);
    fleet
        .apply(manual("db", &fleet.repo(), "db", &fleet.server("dev")))
        .await;
    let mut web = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    web["metadata"]["annotations"] = json!({"argosy.dev/depends-on": "db"});
    fleet.apply(web).await;
    fleet.sync("web", json!({})).await;
    fleet
        .until("web", "waiting", |app| {
            let state = app.status.as_ref().and_then(|s| s.operation_state.as_ref());
            state.is_some_and(|state| {
                state.phase == OperationPhase::Running
                    && state.message
                        == "Sync operation waits: BlockedBy: argocd/db (sync OutOfSync)"
            })
        })
        .await;
    let kubeconfig = fleet.hub_kubeconfig().await;
    let ended = argosy(&kubeconfig, &["app", "terminate-op", "web"]);
    assert_eq!(ended, "web: Operation terminated\n");
    assert!(!exists(&fleet, "ConfigMap", "web/web").await);

    let synced = argosy(
        &kubeconfig,
        &["app", "sync", "web", "--ignore-dependencies"],
    );
    assert!(synced.contains("web: Succeeded"), "{synced}");
    assert!(exists(&fleet, "ConfigMap", "web/web").await);
}

/// An Application as a parent keeps it in git.
fn child(fleet: &Fleet, name: &str, wave: &str) -> String {
    let mut app = automated(name, &fleet.repo(), name, &fleet.server("dev"));
    app["metadata"]["namespace"] = json!("argocd");
    app["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": wave});
    app.to_string()
}

/// The parent of those in `root`.
fn root(fleet: &Fleet) -> Value {
    let mut root = automated(
        "root",
        &fleet.repo(),
        "root",
        "https://kubernetes.default.svc",
    );
    root["spec"]["destination"]["namespace"] = json!("argocd");
    root
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_takes_its_children_and_those_of_its_sets_with_it_when_a_person_confirms() {
    let fleet = Fleet::start(&["dev"]).await;
    let limit = json!({"argosy.deletion.maxApplications": "1"});
    fleet.configure("argocd-cm", limit).await;
    let (first, second) = (
        child(&fleet, "first", "0"),
        automated("second", &fleet.repo(), "second", &fleet.server("dev")),
    );
    let set = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"namespace": "argocd", "name": "generated"},
        "spec": {
            "generators": [{"list": {"elements": [{"name": "second"}]}}],
            "template": {"metadata": {"name": "{{name}}"}, "spec": second["spec"]},
        },
    });
    fleet.commit(&[
        ("root/first.yaml", &first),
        ("root/set.yaml", &set.to_string()),
        ("first/app.yaml", &config("first", "1", "")),
        ("second/app.yaml", &config("second", "1", "")),
    ]);
    let mut root = root(&fleet);
    root["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
    fleet.apply(root).await;
    for name in ["root", "first", "second"] {
        fleet.until_well(name).await;
    }

    let apps = fleet.applications();
    apps.delete("root", &DeleteParams::default()).await.unwrap();
    let held = |app: &Application| {
        let message = condition(app, "DeletionBlocked").unwrap_or_default();
        message.starts_with("2 applications would go with it, and 1 may")
    };
    fleet.until("root", "held back", held).await;
    for name in ["first", "second"] {
        let child = apps.get(name).await.unwrap();
        assert!(!child.is_deleting(), "{name} goes without a word");
    }

    let kubeconfig = fleet.hub_kubeconfig().await;
    argosy(&kubeconfig, &["app", "confirm-deletion", "root"]);
    for name in ["first", "second", "root"] {
        fleet
            .eventually("all are gone", async || {
                apps.get_opt(name).await.unwrap().is_none()
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_changes_all_children_rolls_through_their_waves() {
    let fleet = Fleet::start(&["dev"]).await;
    let (first, second) = (child(&fleet, "first", "0"), child(&fleet, "second", "1"));
    fleet.commit(&[
        ("root/first.yaml", &first),
        ("root/second.yaml", &second),
        ("first/app.yaml", &deployment("first", "app:1")),
        ("second/app.yaml", &config("second", "1", "")),
    ]);
    fleet.apply(root(&fleet)).await;
    for name in ["root", "first", "second"] {
        fleet.until_well(name).await;
    }

    let commit = fleet.commit(&[
        ("first/app.yaml", &deployment("first", "app:2")),
        ("second/app.yaml", &config("second", "2", "")),
    ]);
    fleet.push();
    let at =
        |app: &Application| is_well(app) && app.status.as_ref().unwrap().sync.revision == commit;
    fleet.until("second", "at the commit", at).await;
    let version = |object: Value| -> u64 {
        object["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let rolled = fleet
        .live("dev", "apps/v1", "Deployment", "first/first")
        .await;
    let after = fleet.live("dev", "v1", "ConfigMap", "second/second").await;
    assert!(
        version(rolled.unwrap()) < version(after.unwrap()),
        "the second wave came before the first was through"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_is_as_well_as_its_children_unless_one_is_left_out() {
    let fleet = Fleet::start(&["dev"]).await;
    let script = "return {status = obj.data.a, message = 'so it says'}";
    let settings = json!({"resource.customizations.health.ConfigMap": script});
    fleet.configure("argocd-cm", settings).await;
    let first = child(&fleet, "first", "0");
    fleet.commit(&[
        ("root/first.yaml", &first),
        ("first/app.yaml", &config("first", "Healthy", "")),
    ]);
    fleet.apply(root(&fleet)).await;
    for name in ["root", "first"] {
        fleet.until_well(name).await;
    }

    fleet.commit(&[("first/app.yaml", &config("first", "Degraded", ""))]);
    fleet.push();
    let has = |app: &Application, status, part: &str| {
        let health = app.status.as_ref().map(|status| &status.health);
        health.is_some_and(|health| health.status == Some(status) && health.message.contains(part))
    };
    let caused = "Caused by argoproj.io/Application:argocd/first";
    fleet
        .until("root", "as unwell as its child", |app| {
            has(app, HealthStatusCode::Degraded, caused)
        })
        .await;
    let left_out = first.replace(
        "\"annotations\":{",
        "\"annotations\":{\"argocd.argoproj.io/ignore-healthcheck\":\"true\",",
    );
    fleet.commit(&[("root/first.yaml", &left_out)]);
    fleet.push();
    fleet
        .until("root", "well without its child", |app| {
            has(app, HealthStatusCode::Healthy, "")
        })
        .await;
    fleet
        .until("first", "still unwell", |app| {
            has(app, HealthStatusCode::Degraded, "")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_is_refused_on_both_ends_with_its_path_until_it_is_broken() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("a/a.yaml", &config("a", "1", "")),
        ("b/b.yaml", &config("b", "1", "")),
    ]);
    fleet.apply(dependent(&fleet, "a", "b")).await;
    fleet.apply(dependent(&fleet, "b", "a")).await;
    for name in ["a", "b"] {
        fleet
            .until(name, "refused", |app| {
                condition(app, "InvalidSpecError")
                    .is_some_and(|text| text.contains("argocd/a -> argocd/b -> argocd/a"))
            })
            .await;
    }
    assert!(!exists(&fleet, "ConfigMap", "a/a").await);
    assert!(!exists(&fleet, "ConfigMap", "b/b").await);

    fleet
        .change(
            "a",
            json!({"metadata": {"annotations": {"argosy.dev/depends-on": null}}}),
        )
        .await;
    for name in ["a", "b"] {
        let app = fleet.until_well(name).await;
        assert_eq!(condition(&app, "InvalidSpecError"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_depend_on_is_deleted_after_them() {
    let fleet = Fleet::start(&["dev"]).await;
    let held = config("web", "1", "")
        .replace("metadata: {", "metadata: {finalizers: [example.com/held], ");
    fleet.commit(&[
        ("db/db.yaml", &config("db", "1", "")),
        ("web/web.yaml", &held),
    ]);
    fleet
        .apply(automated("db", &fleet.repo(), "db", &fleet.server("dev")))
        .await;
    fleet.apply(dependent(&fleet, "web", "db")).await;
    fleet.until_well("web").await;
    for name in ["db", "web"] {
        let apps = fleet.applications();
        apps.delete(name, &DeleteParams::default()).await.unwrap();
    }
    fleet
        .until("db", "waiting for its dependent", |app| {
            condition(app, "Waiting")
                .is_some_and(|text| text.starts_with("BlockedBy: argocd/web (being deleted since "))
        })
        .await;
    assert!(exists(&fleet, "ConfigMap", "db/db").await);
    let live: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(fleet.client_of("dev"), "web");
    let release = json!({"metadata": {"finalizers": null}});
    let patch = kube::api::Patch::Merge(release);
    live.patch("web", &kube::api::PatchParams::default(), &patch)
        .await
        .unwrap();
    for name in ["web", "db"] {
        fleet
            .eventually("both are gone", async || {
                fleet.applications().get_opt(name).await.unwrap().is_none()
            })
            .await;
    }
    assert!(!exists(&fleet, "ConfigMap", "db/db").await);
}
