//! A rollout in steps on real clusters.

use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::{ApplicationSet, names};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::controllers;
use crate::fleet::Fleet;
use argosy_test_support::wait::eventually;

const CLUSTERS: [(&str, usize); 2] = [("dev", 1), ("prod", 2)];

fn config(value: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings}}, data: {{a: '{value}'}}}}"
    )
}

/// A set of two steps; the second updates as many at once as `limit` says.
fn set(fleet: &Fleet, limit: &Value) -> Value {
    let elements = CLUSTERS.map(|(env, at)| json!({"env": env, "server": fleet.server(at).url()}));
    let select = |env: &str| json!([{"key": "env", "operator": "In", "values": [env]}]);
    let steps = json!([
        {"matchExpressions": select("dev")},
        {"matchExpressions": select("prod"), "maxUpdate": limit},
    ]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "steps"},
        "spec": {
            "goTemplate": true,
            "generators": [{"list": {"elements": elements}}],
            "strategy": {"type": "RollingSync", "deletionOrder": "Reverse", "rollingSync": {"steps": steps}},
            "template": {
                "metadata": {"name": "steps-{{ .env }}", "labels": {"env": "{{ .env }}"}},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.tree.url(), "path": "web", "targetRevision": "main"},
                    "destination": {"server": "{{ .server }}", "namespace": "steps"},
                    "syncPolicy": {
                        "automated": {"prune": true, "selfHeal": true},
                        "syncOptions": ["CreateNamespace=true"],
                    },
                },
            },
        },
    })
}

/// Where an application is in the rollout.
async fn told(sets: &Api<ApplicationSet>, name: &str) -> ApplicationSetApplicationStatus {
    let status = sets.get("steps").await.unwrap().status.unwrap_or_default();
    let mut entries = status.application_status.into_iter();
    let found = entries.find(|entry| entry.application == name);
    found.unwrap_or_default()
}

async fn until_value(fleet: &Fleet, cluster: usize, wanted: &str) {
    let maps = fleet.objects(cluster, "v1", "ConfigMap", "steps");
    eventually(&format!("cluster {cluster} has {wanted}"), async || {
        let map = maps.get_opt("settings").await.unwrap();
        map.is_some_and(|map| map.data["data"]["a"] == wanted)
    })
    .await;
}

async fn until_healthy(sets: &Api<ApplicationSet>, name: &str, commit: &str) {
    eventually(&format!("{name} is at {commit}"), async || {
        let entry = told(sets, name).await;
        entry.status == "Healthy" && entry.target_revisions == [commit]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn production_waits_is_healed_meanwhile_follows_and_goes_first() {
    let fleet = Fleet::start("hub-steps").await;
    for (name, at) in CLUSTERS {
        controllers::play(fleet.plane.client(at));
        fleet.register_with_token(name, at, json!({})).await;
    }
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), &fleet.namespace);
    let first = fleet.tree.commit(&[("web/config.yaml", &config("1"))]);
    fleet.apply(set(&fleet, &json!("100%"))).await;
    until_healthy(&sets, "steps-prod", &first).await;

    fleet.apply(set(&fleet, &json!(0))).await;
    let second = fleet.tree.commit(&[("web/config.yaml", &config("2"))]);
    fleet.push();
    until_healthy(&sets, "steps-dev", &second).await;
    eventually("production waits", async || {
        let message = told(&sets, "steps-prod").await.message;
        message == "Waiting because maxUpdate of step 2 is 0"
    })
    .await;
    let maps = fleet.objects(2, "v1", "ConfigMap", "steps");
    let edit = json!({"data": {"a": "by hand"}});
    maps.patch("settings", &PatchParams::default(), &Patch::Merge(edit))
        .await
        .unwrap();
    until_value(&fleet, 2, "1").await;
    until_value(&fleet, 1, "2").await;

    fleet.apply(set(&fleet, &json!("100%"))).await;
    until_healthy(&sets, "steps-prod", &second).await;
    until_value(&fleet, 2, "2").await;

    let held = sets.get("steps").await.unwrap().metadata.finalizers;
    assert_eq!(held.unwrap(), [names::finalizer::RESOURCES]);
    sets.delete("steps", &DeleteParams::default())
        .await
        .unwrap();
    let applications = fleet.applications();
    eventually("the set and its applications are gone", async || {
        let (dev, prod) = (
            applications.get_opt("steps-dev").await.unwrap(),
            applications.get_opt("steps-prod").await.unwrap(),
        );
        assert!(
            prod.is_none() || dev.is_some(),
            "dev went before production"
        );
        dev.is_none() && prod.is_none() && sets.get_opt("steps").await.unwrap().is_none()
    })
    .await;
    assert!(maps.get_opt("settings").await.unwrap().is_none());
}
