//! Who else would look after the same objects: an Argo CD, or Helm with a release of the chart.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::api::{ListParams, ObjectMeta};
use kube::{Api, Client};

use crate::cli::hub_access::failed;
use crate::cli::output;
use crate::diagnostic::Diagnostic;
use crate::installation::DEPLOYMENT;

/// The parts of Argo CD that write: Applications and clusters, and Applications of sets.
const CONTROLLERS: &str = "app.kubernetes.io/part-of=argocd,app.kubernetes.io/component in (application-controller,applicationset-controller)";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Fails where a hub in `namespace` would reconcile what an Argo CD reconciles.
pub(super) async fn leave_room(client: &Client, namespace: &str) -> Result<(), Diagnostic> {
    not_of_helm(client, namespace, "helm upgrade").await?;
    let running = controllers(client).await?;
    if let Some((_, name)) = running.iter().find(|(place, _)| place == namespace) {
        let what = format!(
            "Argo CD runs in the namespace `{namespace}` (`{name}`): both would reconcile the same Applications and undo each other's work"
        );
        return Err(Diagnostic::config("ArgoCdRuns", what).fix(
            "install into another namespace with --namespace, or scale Argo CD's controllers to zero first; docs/migrating.md tells the way"
        ));
    }
    for (place, name) in running {
        output::note(format!(
            "Argo CD (`{name}`) goes on in `{place}`; both use the same definitions, which become Argosy's: Argo CD's fields and some more"
        ));
    }
    Ok(())
}

/// Fails where a release of the chart would be changed without Helm's knowledge.
pub(super) async fn not_of_helm(
    client: &Client,
    namespace: &str,
    instead: &str,
) -> Result<(), Diagnostic> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let found = deployments.get_opt(DEPLOYMENT).await;
    let found = found.map_err(|error| failed("cannot look for a hub", &error))?;
    let labels = found.and_then(|found| found.metadata.labels);
    if labels.is_some_and(|labels| labels.get(MANAGED_BY).is_some_and(|by| by == "Helm")) {
        let what = format!("the hub in `{namespace}` was installed with Helm");
        return Err(Diagnostic::config("InstalledWithHelm", what).fix(format!(
            "use `{instead}`, which knows the values of the release"
        )));
    }
    Ok(())
}

/// The controllers of Argo CD that run on the cluster, each with its namespace.
async fn controllers(client: &Client) -> Result<Vec<(String, String)>, Diagnostic> {
    let cannot = |error: &kube::Error| failed("cannot look for an Argo CD", error);
    let params = ListParams::default().labels(CONTROLLERS);
    let sets: Api<StatefulSet> = Api::all(client.clone());
    let sets = sets.list(&params).await.map_err(|error| cannot(&error))?;
    let deployments: Api<Deployment> = Api::all(client.clone());
    let deployments = deployments
        .list(&params)
        .await
        .map_err(|error| cannot(&error))?;
    let sets = sets.items.into_iter().map(|set| {
        let replicas = set.spec.and_then(|spec| spec.replicas);
        (set.metadata, replicas)
    });
    let deployments = deployments.items.into_iter().map(|deployment| {
        let replicas = deployment.spec.and_then(|spec| spec.replicas);
        (deployment.metadata, replicas)
    });
    let running = sets
        .chain(deployments)
        .filter(|(_, replicas)| *replicas != Some(0));
    Ok(running.map(|(metadata, _)| place(metadata)).collect())
}

fn place(metadata: ObjectMeta) -> (String, String) {
    (
        metadata.namespace.unwrap_or_default(),
        metadata.name.unwrap_or_default(),
    )
}
