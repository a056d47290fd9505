//! Charts and kustomizations in git, on clusters of different kinds.

use std::ffi::OsString;

use argosy_test_support::{Tool, tool};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::automated;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-cm'}\n\
data:\n  namespace: '{{ .Release.Namespace }}'\n  color: '{{ .Values.color }}'\n  \
kube: '{{ .Capabilities.KubeVersion.Version }}'\n  \
apps: '{{ .Capabilities.APIVersions.Has \"apps/v1/Deployment\" }}'\n";

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata: {v: '1'}\n";

pub(crate) fn tool_path() -> OsString {
    let folders = [Tool::Helm, Tool::Kustomize].map(|one| {
        let path = tool(one).unwrap();
        path.parent().unwrap().to_owned()
    });
    std::env::join_paths(folders).unwrap()
}

async fn data(fleet: &Fleet, place: &str) -> Value {
    let map = fleet.live("dev", "v1", "ConfigMap", place).await;
    map.map_or(Value::Null, |map| map["data"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_rendered_for_its_release_and_its_cluster() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    fleet.commit(&[
        ("ch/Chart.yaml", CHART),
        ("ch/values.yaml", "color: red\n"),
        ("ch/templates/cm.yaml", TEMPLATE),
    ]);
    for name in ["one", "two"] {
        let app = automated(name, &fleet.repo(), "ch", &fleet.server("dev"));
        fleet.apply(app).await;
    }
    for name in ["one", "two"] {
        let app = fleet.until_well(name).await;
        assert_eq!(app.status.unwrap().source_type, "Helm");
        let data = data(&fleet, &format!("{name}/{name}-cm")).await;
        assert_eq!(data["namespace"], name);
        assert_eq!(
            (&data["color"], &data["apps"]),
            (&json!("red"), &json!("true"))
        );
        assert!(data["kube"].as_str().unwrap().starts_with("v1."), "{data}");
    }
    let before = fleet.hub.applications.render_counts().rendered;
    fleet.commit(&[("unrelated.txt", "x")]);
    let second = fleet.commit(&[("ch/values.yaml", "color: blue\n")]);
    fleet.push();
    for name in ["one", "two"] {
        fleet
            .until(name, "at the second commit", |app| {
                app.status.as_ref().unwrap().sync.revision == second
                    && argosy_test_support::wait::is_well(app)
            })
            .await;
        assert_eq!(
            data(&fleet, &format!("{name}/{name}-cm")).await["color"],
            "blue"
        );
    }
    let after = fleet.hub.applications.render_counts().rendered;
    assert_eq!(after - before, 2, "each release was rendered once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_from_another_source_and_are_followed() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    fleet.commit(&[
        ("ch/Chart.yaml", CHART),
        ("ch/templates/cm.yaml", TEMPLATE),
        ("values/dev.yaml", "color: green\n"),
    ]);
    let mut app = automated("shop", &fleet.repo(), "ch", &fleet.server("dev"));
    app["spec"].as_object_mut().unwrap().remove("source");
    app["spec"]["sources"] = json!([
        {"repoURL": fleet.repo(), "path": "ch", "targetRevision": "main",
         "helm": {"valueFiles": ["$vals/values/dev.yaml"], "releaseName": "r"}},
        {"repoURL": fleet.repo(), "targetRevision": "main", "ref": "vals"},
    ]);
    fleet.apply(app).await;
    fleet.until_well("shop").await;
    assert_eq!(data(&fleet, "shop/r-cm").await["color"], "green");
    fleet.commit(&[("values/dev.yaml", "color: grey\n")]);
    fleet.push();
    fleet
        .eventually("the new value is there", async || {
            data(&fleet, "shop/r-cm").await["color"] == "grey"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kustomization_is_built_and_a_remote_base_is_an_error_that_says_so() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    fleet.commit(&[
        ("base/kustomization.yaml", "resources: [cm.yaml]\n"),
        ("base/cm.yaml", MAP),
        (
            "dev/kustomization.yaml",
            "resources: [../base]\nnamePrefix: dev-\n",
        ),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "dev", &fleet.server("dev")))
        .await;
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().source_type, "Kustomize");
    assert_eq!(data(&fleet, "web/dev-base").await, json!({"v": "1"}));

    let images = json!({"spec": {"source": {"kustomize": {"nameSuffix": "-x"}}}});
    let merge = Patch::Merge(&images);
    let api = fleet.applications();
    api.patch("web", &PatchParams::default(), &merge)
        .await
        .unwrap();
    fleet
        .eventually("the renamed object is there", async || {
            !data(&fleet, "web/dev-base-x").await.is_null()
        })
        .await;

    fleet.commit(&[(
        "dev/kustomization.yaml",
        "resources: ['https://example.com/base']\n",
    )]);
    fleet.push();
    fleet
        .until("web", "in error", |app| {
            let conditions = &app.status.as_ref().unwrap().conditions;
            conditions
                .iter()
                .any(|one| one.message.contains("is remote"))
        })
        .await;
    assert!(!data(&fleet, "web/dev-base-x").await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_renders_nothing_anew_but_what_holds_a_secret() {
    let mut fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: canary-on-disk}\n";
    fleet.commit(&[
        ("ch/Chart.yaml", CHART),
        ("ch/templates/cm.yaml", TEMPLATE),
        ("plain/cm.yaml", MAP),
        ("secret/s.yaml", secret),
    ]);
    for path in ["ch", "plain", "secret"] {
        let app = automated(path, &fleet.repo(), path, &fleet.server("dev"));
        fleet.apply(app).await;
    }
    for name in ["ch", "plain", "secret"] {
        fleet.until_well(name).await;
    }
    assert_eq!(fleet.hub.applications.render_counts().rendered, 3);

    fleet.commit(&[("unrelated.txt", "x")]);
    fleet.restart_hub();
    fleet.nothing_is_written().await;
    let counts = fleet.hub.applications.render_counts();
    assert_eq!((counts.rendered, counts.disk), (1, 2));
    assert!(!fleet.data_holds("canary-on-disk"));

    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
    fleet.change("plain", refresh).await;
    fleet
        .eventually("what was asked for is rendered anew", || async {
            fleet.hub.applications.render_counts().rendered == 2
        })
        .await;
}
