//! What a hub expects in its cluster: the kinds, its namespace, its ConfigMaps and the default
//! project. What a user changed is left as it is, except for the kinds, which belong to this version.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::NAMESPACE;
use crate::diagnostic::{Diagnostic, Kind};
use crate::setup;

/// Puts in what is missing.
pub(super) async fn seed(client: &Client) -> Result<(), Diagnostic> {
    setup::install_crds(client).await?;
    setup::namespace(client, NAMESPACE).await?;
    let labels = json!({"app.kubernetes.io/part-of": "argocd"});
    let maps = Api::<ConfigMap>::namespaced(client.clone(), NAMESPACE);
    for name in ["argocd-cm", "argocd-cmd-params-cm", "argocd-rbac-cm"] {
        let map = json!({"metadata": {"name": name, "labels": labels}});
        create(&maps, map).await?;
    }
    let secret = json!({"metadata": {"name": "argocd-secret", "labels": labels}, "type": "Opaque"});
    let secrets = Api::<Secret>::namespaced(client.clone(), NAMESPACE);
    create(&secrets, secret).await
}

/// Creates an object that is not there yet.
async fn create<K>(api: &Api<K>, object: Value) -> Result<(), Diagnostic>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let object = serde_json::from_value(object)
        .expect("because the objects written in this file are of their kind");
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(failed(&format!("{} `{name}`", K::kind(&())), &error)),
    }
}

fn failed(what: &str, error: &kube::Error) -> Diagnostic {
    Diagnostic::new(
        Kind::Internal,
        "SeedFailed",
        format!("cannot put {what} into the embedded hub cluster"),
    )
    .because(error)
}
