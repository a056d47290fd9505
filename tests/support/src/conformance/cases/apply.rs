//! Server-side apply: who owns which field.

use serde_json::{Value, json};

use super::{Session, config_map, text};

pub(super) async fn life_of_an_applied_object(session: &Session) {
    let one = format!("{}/configmaps/one", session.namespace("conf-apply").await);
    let path = format!("{one}?fieldManager=m");
    session
        .apply(&path, config_map("one", json!({"a": "1", "b": "2"})))
        .await;
    session
        .apply(&path, config_map("one", json!({"a": "1", "b": "3"})))
        .await;
    session
        .apply(&path, config_map("one", json!({"a": "1"})))
        .await;
    let mut labelled = config_map("one", json!({"a": "1"}));
    labelled["metadata"]["labels"] = json!({"x": "y"});
    labelled["metadata"]["annotations"] = json!({"n": "o"});
    session.apply(&path, labelled).await;
    session
        .apply(&path, json!({"apiVersion": "v1", "kind": "ConfigMap"}))
        .await;
    session.get(&one).await;
}

pub(super) async fn conflicts_and_force(session: &Session) {
    let one = format!(
        "{}/configmaps/one",
        session.namespace("conf-apply-conflict").await
    );
    session
        .apply(
            &format!("{one}?fieldManager=a"),
            config_map("one", json!({"x": "1", "y": "1"})),
        )
        .await;
    let other = config_map("one", json!({"x": "2", "y": "2", "z": "2"}));
    session
        .apply(&format!("{one}?fieldManager=b"), other.clone())
        .await;
    session.get(&one).await;
    session
        .apply(&format!("{one}?fieldManager=b&force=true"), other)
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=a"),
            config_map("one", json!({"x": "3"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=a"),
            config_map("one", json!({})),
        )
        .await;
}

pub(super) async fn shared_ownership(session: &Session) {
    let one = format!(
        "{}/configmaps/one",
        session.namespace("conf-apply-shared").await
    );
    session
        .apply(
            &format!("{one}?fieldManager=a"),
            config_map("one", json!({"x": "1", "y": "1"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=b"),
            config_map("one", json!({"x": "1", "z": "1"})),
        )
        .await;
    // `x` stays: `b` still wants it.
    session
        .apply(
            &format!("{one}?fieldManager=a"),
            config_map("one", json!({"y": "1"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=b"),
            config_map("one", json!({"z": "1"})),
        )
        .await;
}

pub(super) async fn updates_and_applies(session: &Session) {
    let maps = format!(
        "{}/configmaps",
        session.namespace("conf-apply-update").await
    );
    let one = format!("{maps}/one");
    session
        .post(
            &format!("{maps}?fieldManager=kubectl-create"),
            config_map("one", json!({"a": "1", "b": "1"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": "1"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": "2"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m&force=true"),
            config_map("one", json!({"a": "2"})),
        )
        .await;
    session
        .merge(
            &format!("{one}?fieldManager=editor"),
            json!({"data": {"a": "3", "c": "1"}}),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": "2"})),
        )
        .await;
    session
        .merge(
            &format!("{one}?fieldManager=editor"),
            json!({"data": {"c": null}}),
        )
        .await;
    session
        .merge(
            &format!("{one}?fieldManager=m"),
            json!({"data": {"d": "1"}}),
        )
        .await;
    // Someone clears all bookkeeping.
    session
        .merge(&one, json!({"metadata": {"managedFields": [{}]}}))
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": "9"})),
        )
        .await;
}

pub(super) async fn refusals_of_apply(session: &Session) {
    let one = format!(
        "{}/configmaps/one",
        session.namespace("conf-apply-refused").await
    );
    session.apply(&one, config_map("one", json!({}))).await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("two", json!({})),
        )
        .await;
    session
        .apply(&format!("{one}?fieldManager=m"), json!({"data": {}}))
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            json!({"apiVersion": "v1", "kind": "Secret"}),
        )
        .await;
    let mut managed = config_map("one", json!({}));
    managed["metadata"]["managedFields"] = json!([{"manager": "x", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}]);
    session
        .apply(&format!("{one}?fieldManager=m"), managed)
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "unknown": 1}),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": 1})),
        )
        .await;
    let mut versioned = config_map("one", json!({}));
    versioned["metadata"]["resourceVersion"] = json!("1");
    session
        .apply(&format!("{one}?fieldManager=m"), versioned)
        .await;
    session.merge(&format!("{one}?force=true"), json!({})).await;
}

fn deployment(containers: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
        },
    })
}

pub(super) async fn lists_by_key(session: &Session) {
    session.namespace("conf-apply-keys").await;
    let web = "/apis/apps/v1/namespaces/conf-apply-keys/deployments/web";
    session.focus(&[
        "/metadata/managedFields",
        "/spec/template/spec/containers",
        "/spec/replicas",
    ]);
    let a = format!("{web}?fieldManager=a");
    session.apply(&a, deployment(&json!([
        {"name": "one", "image": "one:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
         "ports": [{"containerPort": 80, "protocol": "TCP"}]},
        {"name": "two", "image": "two:1"},
    ]))).await;
    session.apply(&format!("{web}?fieldManager=b"), deployment(&json!([
        {"name": "one", "env": [{"name": "C", "value": "3"}], "ports": [{"containerPort": 81, "name": "admin", "protocol": "TCP"}]},
        {"name": "three", "image": "three:1"},
    ]))).await;
    session
        .apply(
            &a,
            deployment(&json!([
                {"name": "one", "image": "one:2", "env": [{"name": "B", "value": "2"}]},
            ])),
        )
        .await;
    session
        .apply(
            &format!("{web}?fieldManager=c"),
            deployment(&json!([{"name": "one", "image": "one:3"}])),
        )
        .await;
    session
        .apply(
            &a,
            deployment(&json!([{"name": "one", "image": "x"}, {"name": "one", "image": "y"}])),
        )
        .await;
}

pub(super) async fn atomic_and_sets(session: &Session) {
    session.namespace("conf-apply-sets").await;
    let web = "/apis/apps/v1/namespaces/conf-apply-sets/deployments/web";
    session.focus(&[
        "/metadata/managedFields",
        "/metadata/finalizers",
        "/spec/template/spec/containers/0/args",
    ]);
    let with = |finalizers: Value, args: Value| {
        let mut body = deployment(&json!([{"name": "one", "image": "one:1", "args": args}]));
        body["metadata"]["finalizers"] = finalizers;
        body
    };
    session
        .apply(
            &format!("{web}?fieldManager=a"),
            with(json!(["example.com/a"]), json!(["x", "y"])),
        )
        .await;
    session
        .apply(
            &format!("{web}?fieldManager=b"),
            with(json!(["example.com/b"]), json!(["x", "y"])),
        )
        .await;
    session
        .apply(
            &format!("{web}?fieldManager=b"),
            with(json!(["example.com/b"]), json!(["y"])),
        )
        .await;
    session
        .apply(
            &format!("{web}?fieldManager=a&force=true"),
            with(json!([]), json!(["z"])),
        )
        .await;
}

pub(super) async fn dry_run_of_apply(session: &Session) {
    let one = format!(
        "{}/configmaps/one",
        session.namespace("conf-apply-dry").await
    );
    session
        .apply(
            &format!("{one}?fieldManager=m&dryRun=All"),
            config_map("one", json!({"a": "1"})),
        )
        .await;
    session.get(&one).await;
    session
        .apply(
            &format!("{one}?fieldManager=m"),
            config_map("one", json!({"a": "1"})),
        )
        .await;
    session
        .apply(
            &format!("{one}?fieldManager=m&dryRun=All"),
            config_map("one", json!({"a": "2"})),
        )
        .await;
    let read = session.get(&one).await;
    session.note("kept", &json!(text(&read, "/data/a")));
}

pub(super) async fn status_of_apply(session: &Session) {
    session.namespace("conf-apply-status").await;
    let web = "/apis/apps/v1/namespaces/conf-apply-status/deployments/web";
    session.focus(&[
        "/metadata/managedFields",
        "/metadata/generation",
        "/spec/replicas",
        "/status",
    ]);
    let body = deployment(&json!([{"name": "one", "image": "one:1"}]));
    session.apply(&format!("{web}?fieldManager=a"), body).await;
    let status = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 9}, "status": {"observedGeneration": 1, "replicas": 1},
    });
    session
        .apply(&format!("{web}/status?fieldManager=controller"), status)
        .await;
}
