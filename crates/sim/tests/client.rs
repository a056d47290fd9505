//! The cluster through kube's own client, as the hub uses it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use argosy_sim::{SimCluster, SimConfig};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent,
    WatchParams,
};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Error};
use serde_json::json;

fn cluster() -> (SimCluster, Client) {
    let cluster = SimCluster::new(SimConfig::new("test")).unwrap();
    let client = Client::new(cluster.service(), "default");
    (cluster, client)
}

fn config_map(name: &str, data: &serde_json::Value) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": data})).unwrap()
}

fn code(error: &Error) -> u16 {
    match error {
        Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn objects_are_created_read_replaced_and_deleted() {
    let (_cluster, client) = cluster();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let made = api
        .create(&PostParams::default(), &config_map("a", &json!({"k": "1"})))
        .await
        .unwrap();
    assert!(made.metadata.uid.is_some());
    let error = api
        .create(&PostParams::default(), &config_map("a", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(code(&error), 409);

    let mut stale = made.clone();
    let mut changed = made;
    changed
        .data
        .as_mut()
        .unwrap()
        .insert("k".into(), "2".into());
    let changed = api
        .replace("a", &PostParams::default(), &changed)
        .await
        .unwrap();
    assert_eq!(changed.data.unwrap()["k"], "2");
    stale.data = None;
    let error = api
        .replace("a", &PostParams::default(), &stale)
        .await
        .unwrap_err();
    assert_eq!(code(&error), 409);

    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(api.get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_missing_namespace_is_an_error_and_a_deleted_one_takes_its_content() {
    let (_cluster, client) = cluster();
    let there: Api<ConfigMap> = Api::namespaced(client.clone(), "later");
    let error = there
        .create(&PostParams::default(), &config_map("a", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(code(&error), 404);
    assert!(
        error.to_string().contains("namespaces \"later\" not found"),
        "{error}"
    );

    let namespaces: Api<Namespace> = Api::all(client);
    let namespace = serde_json::from_value(json!({"metadata": {"name": "later"}})).unwrap();
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    there
        .create(&PostParams::default(), &config_map("a", &json!({})))
        .await
        .unwrap();
    namespaces
        .delete("later", &DeleteParams::default())
        .await
        .unwrap();
    assert!(namespaces.get_opt("later").await.unwrap().is_none());
    assert!(there.get_opt("a").await.unwrap().is_none());
}

fn deployment(image: &str, replicas: Option<i32>) -> serde_json::Value {
    let mut deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
            },
        },
    });
    if let Some(replicas) = replicas {
        deployment["spec"]["replicas"] = replicas.into();
    }
    deployment
}

#[tokio::test]
async fn apply_merges_removes_and_reports_conflicts() {
    let (_cluster, client) = cluster();
    let api: Api<Deployment> = Api::default_namespaced(client);
    let hub = PatchParams::apply("argocd-controller");
    let applied = api
        .patch("web", &hub, &Patch::Apply(deployment("web:1", Some(2))))
        .await
        .unwrap();
    assert_eq!(applied.metadata.generation, Some(1));
    assert_eq!(
        applied.spec.as_ref().unwrap().progress_deadline_seconds,
        Some(600)
    );
    let version = applied.metadata.resource_version.clone();
    let again = api
        .patch("web", &hub, &Patch::Apply(deployment("web:1", Some(2))))
        .await
        .unwrap();
    assert_eq!(
        again.metadata.resource_version, version,
        "an apply without effect writes nothing"
    );

    let other = PatchParams::apply("other");
    let error = api
        .patch("web", &other, &Patch::Apply(deployment("web:2", None)))
        .await
        .unwrap_err();
    assert_eq!(code(&error), 409);
    let Error::Api(status) = error else {
        panic!("{error}")
    };
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"argocd-controller\": \
         .spec.template.spec.containers[name=\"web\"].image"
    );
    let forced = api
        .patch(
            "web",
            &other.force(),
            &Patch::Apply(deployment("web:2", None)),
        )
        .await
        .unwrap();
    assert_eq!(forced.metadata.generation, Some(2));

    let left = api
        .patch(
            "web",
            &hub.force(),
            &Patch::Apply(deployment("web:2", None)),
        )
        .await
        .unwrap();
    assert_eq!(
        left.spec.unwrap().replicas,
        Some(1),
        "a field nobody applies is defaulted again"
    );
}

#[tokio::test]
async fn a_watch_sees_each_change_in_order() {
    let (_cluster, client) = cluster();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let list = api.list(&ListParams::default()).await.unwrap();
    let version = list.metadata.resource_version.unwrap();
    let stream = api
        .watch(&WatchParams::default().labels("app=web"), &version)
        .await
        .unwrap();
    let mut labelled = config_map("a", &json!({}));
    labelled.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    api.create(&PostParams::default(), &labelled).await.unwrap();
    api.create(&PostParams::default(), &config_map("b", &json!({})))
        .await
        .unwrap();
    let unlabel = json!({"metadata": {"labels": null}});
    api.patch("a", &PatchParams::default(), &Patch::Merge(unlabel))
        .await
        .unwrap();
    let seen: Vec<_> = stream.take(2).try_collect().await.unwrap();
    assert!(
        matches!(&seen[0], WatchEvent::Added(map) if map.metadata.name.as_deref() == Some("a"))
    );
    assert!(
        matches!(&seen[1], WatchEvent::Deleted(_)),
        "it no longer matches: {seen:?}"
    );
}

#[tokio::test]
async fn custom_kinds_are_served_at_once_and_pruned() {
    let (_cluster, client) = cluster();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "required": ["size"], "properties": {
                        "size": {"type": "integer"},
                        "mode": {"type": "string", "default": "fast", "enum": ["fast", "slow"]},
                    }},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    });
    let definitions: Api<DynamicObject> = Api::all_with(
        client.clone(),
        &ApiResource::from_gvk(&GroupVersionKind::gvk(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
        )),
    );
    let patch = PatchParams::apply("test");
    definitions
        .patch("widgets.example.com", &patch, &Patch::Apply(definition))
        .await
        .unwrap();

    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::default_namespaced_with(client, &resource);
    let widget = |spec: serde_json::Value| {
        DynamicObject::new("w", &resource).data(json!({"spec": spec, "status": {"x": 1}}))
    };
    let made = widgets
        .create(
            &PostParams::default(),
            &widget(json!({"size": 1, "unknown": true})),
        )
        .await
        .unwrap();
    assert_eq!(made.data, json!({"spec": {"size": 1, "mode": "fast"}}));
    let status = Patch::Merge(json!({"status": {"phase": "Done"}}));
    let done = widgets
        .patch_status("w", &PatchParams::default(), &status)
        .await
        .unwrap();
    assert_eq!(
        (done.metadata.generation, &done.data["status"]["phase"]),
        (Some(1), &json!("Done"))
    );
    let unknown = json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"},
        "spec": {"size": 1, "unknown": true},
    });
    let error = widgets
        .patch("w", &PatchParams::apply("test"), &Patch::Apply(unknown))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains(".spec.unknown: field not declared in schema"),
        "{error}"
    );
    let error = widgets
        .create(&PostParams::default(), &widget(json!({"mode": "odd"})))
        .await
        .unwrap_err();
    assert_eq!(code(&error), 422);
}

#[tokio::test]
async fn a_streaming_list_ends_with_its_bookmark_and_forgotten_history_is_gone() {
    use kube::runtime::watcher::{Config, Event, watcher};
    let mut config = SimConfig::new("test");
    config.history = 2;
    let cluster = SimCluster::new(config).unwrap();
    let api: Api<ConfigMap> = Api::default_namespaced(Client::new(cluster.service(), "default"));
    let stream = watcher(api.clone(), Config::default().streaming_lists());
    let seen: Vec<_> = stream.take(3).try_collect().await.unwrap();
    assert!(
        matches!(
            &seen[..],
            [Event::Init, Event::InitApply(_), Event::InitDone]
        ),
        "{seen:?}"
    );

    let start = cluster.resource_version().to_string();
    for name in ["a", "b", "c"] {
        api.create(&PostParams::default(), &config_map(name, &json!({})))
            .await
            .unwrap();
    }
    let stream = api.watch(&WatchParams::default(), &start).await.unwrap();
    let seen: Vec<_> = stream.take(1).try_collect().await.unwrap();
    assert!(
        matches!(&seen[..], [WatchEvent::Error(error)] if error.code == 410),
        "{seen:?}"
    );
}

#[tokio::test]
async fn managed_fields_are_as_the_real_server_writes_them() {
    let (_cluster, client) = cluster();
    let api: Api<Deployment> = Api::default_namespaced(client);
    let hub = PatchParams::apply("argocd-controller");
    api.patch("web", &hub, &Patch::Apply(deployment("web:1", Some(2))))
        .await
        .unwrap();
    let env = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "web", "env": [{"name": "A", "value": "1"}]},
    ]}}}});
    let by_hand = PatchParams {
        field_manager: Some("hand".into()),
        ..PatchParams::default()
    };
    let patched = api
        .patch("web", &by_hand, &Patch::Strategic(env))
        .await
        .unwrap();
    let managed: Vec<_> = patched
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .map(|entry| {
            (
                entry.manager.unwrap(),
                entry.operation.unwrap(),
                entry.fields_v1.unwrap().0,
            )
        })
        .collect();
    let applied = json!({"f:spec": {
        "f:replicas": {}, "f:selector": {},
        "f:template": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:containers": {r#"k:{"name":"web"}"#: {
                ".": {}, "f:name": {}, "f:image": {},
                "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}},
            }}},
        },
    }});
    let updated = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {
        r#"k:{"name":"web"}"#: {"f:env": {".": {}, r#"k:{"name":"A"}"#: {".": {}, "f:name": {}, "f:value": {}}}},
    }}}}});
    let wanted = [
        ("argocd-controller".to_owned(), "Apply".to_owned(), applied),
        ("hand".to_owned(), "Update".to_owned(), updated),
    ];
    assert_eq!(managed, wanted);
}
