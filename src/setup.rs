//! What a hub's API server must have before the hub can work: the definitions of its kinds, its
//! namespace, and the project `default`. Everything here may be done again at any time.

use argosy_crds::{manifest, names};
use argosy_engine::object::ObjectExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;

/// Installs or updates the custom resource definitions, and waits until they are served.
pub async fn install_crds(client: &Client) -> Result<(), Diagnostic> {
    let api: Api<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> =
        Api::all(client.clone());
    let params = PatchParams::apply("argosy").force();
    for (_, definition) in manifest::custom_resource_definitions() {
        let name = definition.name().to_owned();
        let cannot = |error: &(dyn std::error::Error + 'static)| {
            Diagnostic::remote(
                "CrdsNotInstalled",
                format!("cannot install the definition `{name}`"),
            )
            .because(error)
            .fix("installing definitions needs cluster-admin rights")
        };
        api.patch(&name, &params, &Patch::Apply(&definition))
            .await
            .map_err(|error| cannot(&error))?;
        await_condition(api.clone(), &name, conditions::is_crd_established())
            .await
            .map_err(|error| cannot(&error))?;
    }
    Ok(())
}

/// Makes the hub's namespace and its project `default`, where they are absent.
pub async fn namespace(client: &Client, namespace: &str) -> Result<(), Diagnostic> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let resource = ApiResource::erase::<argosy_crds::AppProject>(&());
    let projects: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    // As a rule both are there, and a hub that starts has no time to lose.
    let (has_namespace, has_project) = tokio::join!(
        is_there(&namespaces, namespace),
        is_there(&projects, names::DEFAULT_PROJECT)
    );
    if !has_namespace {
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        create(&namespaces, object, "the namespace").await?;
    }
    if !has_project {
        let object = default_project(namespace);
        create(&projects, object, "the project `default`").await?;
    }
    Ok(())
}

/// The project that every application may use, as Argo CD makes it.
fn default_project(namespace: &str) -> Value {
    json!({
        "apiVersion": names::API_VERSION,
        "kind": "AppProject",
        "metadata": {"name": names::DEFAULT_PROJECT, "namespace": namespace},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    })
}

/// Whether an object is there; not, if nobody can tell: who may not look may be allowed to create.
async fn is_there<K>(api: &Api<K>, name: &str) -> bool
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    matches!(api.get_opt(name).await, Ok(Some(_)))
}

async fn create<K>(api: &Api<K>, object: Value, what: &str) -> Result<(), Diagnostic>
where
    K: Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let cannot = |error: &(dyn std::error::Error + 'static)| {
        Diagnostic::remote("SetupFailed", format!("cannot make {what}")).because(error)
    };
    let wanted: K = serde_json::from_value(object).map_err(|error| cannot(&error))?;
    match api.create(&kube::api::PostParams::default(), &wanted).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(cannot(&error)),
        Ok(_) => Ok(()),
    }
}
