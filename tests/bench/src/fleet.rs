//! The fleet that is synced: directories of five objects in one git repository, each directory an
//! application on every cluster.

use anyhow::Context as _;
use argosy_test_support::WorkTree;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::clusters::Clusters;

/// How many objects an application has.
pub(crate) const OBJECTS: usize = 5;

/// How many requests prepare the fleet at once.
const PARALLEL: usize = 16;

/// A directory's name, which is the namespace of its objects, too.
pub(crate) fn directory(index: usize) -> String {
    format!("team-{index:03}")
}

/// The five objects of a directory.
pub(crate) fn manifests(greeting: &str) -> String {
    let labels = json!({"app": "web"});
    let container = json!({
        "name": "web", "image": "registry.example.com/web:1.2.3",
        "envFrom": [{"configMapRef": {"name": "web"}}, {"secretRef": {"name": "web"}}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    });
    let objects = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"},
               "data": {"GREETING": greeting, "LOG_LEVEL": "info"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"},
               "stringData": {"PASSWORD": "not-a-secret"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels},
               "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                        "template": {"metadata": {"labels": labels},
                                     "spec": {"serviceAccountName": "web", "containers": [container]}}}}),
    ];
    objects.map(|object| object.to_string()).join("\n---\n")
}

/// Writes the directories and commits them.
pub(crate) fn commit(tree: &WorkTree, directories: usize) {
    for index in 0..directories {
        let path = format!("{}/objects.yaml", directory(index));
        tree.write(&path, &manifests(&format!("hello from {index}")));
    }
    tree.commit(&[]);
}

/// Prepares the clusters: kinds, namespaces, registrations, and the applications themselves.
pub(crate) async fn prepare(
    clusters: &Clusters,
    repository: &str,
    directories: usize,
) -> anyhow::Result<()> {
    let hub = &clusters.hub().client;
    prepare_hub(hub).await?;
    let mut objects = Vec::new();
    for (at, cluster) in clusters.workloads().iter().enumerate() {
        let names = (0..directories).map(|index| namespace(&directory(index)));
        apply_all(&cluster.client, names).await?;
        objects.push(cluster.secret(&format!("cluster-{at}")));
        objects
            .extend((0..directories).map(|index| application(index, at, repository, &cluster.url)));
    }
    apply_all(hub, objects).await
}

/// Prepares the hub's cluster: kinds, namespace and project.
pub(crate) async fn prepare_hub(hub: &Client) -> anyhow::Result<()> {
    let definitions = argosy_crds::manifest::custom_resource_definitions();
    apply_all(hub, definitions.map(|(_, definition)| definition)).await?;
    apply_all(hub, [namespace("argocd")]).await?;
    // A definition is served a moment after it is stored.
    while apply_all(hub, [project()]).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The name of a directory's application on a cluster.
pub(crate) fn application_name(directory_index: usize, cluster: usize) -> String {
    format!("{}-{cluster}", directory(directory_index))
}

fn application(index: usize, cluster: usize, repository: &str, server: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": application_name(index, cluster), "namespace": "argocd",
                     "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": repository, "path": directory(index), "targetRevision": "main"},
            "destination": {"server": server, "namespace": directory(index)},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
    })
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn project() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "default", "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    })
}

/// Applies objects, several at once.
pub(crate) async fn apply_all(
    client: &Client,
    objects: impl IntoIterator<Item = Value>,
) -> anyhow::Result<()> {
    futures::stream::iter(objects)
        .map(|object| apply(client, object))
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

async fn apply(client: &Client, object: Value) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&object["metadata"]["name"]);
    let api = objects(
        client,
        &text(&object["apiVersion"]),
        &text(&object["kind"]),
        object["metadata"]["namespace"].as_str(),
    );
    api.patch(
        &name,
        &PatchParams::apply("bench").force(),
        &Patch::Apply(object),
    )
    .await
    .with_context(|| format!("apply {name}"))?;
    Ok(())
}

/// The objects of a kind.
pub(crate) fn objects(
    client: &Client,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
