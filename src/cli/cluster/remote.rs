//! What `cluster add` makes in the cluster that it registers, as Argo CD does: a service account
//! that may do everything (or everything in some namespaces) and a token that does not expire.

use std::time::Duration;

use argosy_facts::Secret as Credential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cli::hub_access::failed;
use crate::diagnostic::Diagnostic;

const ACCOUNT: &str = "argocd-manager";
const ROLE: &str = "argocd-manager-role";
const BINDING: &str = "argocd-manager-role-binding";
const TOKEN: &str = "argocd-manager-long-lived-token";

/// How long the cluster may take to fill in a token.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the service account, its permissions and its token; returns the token.
pub(super) async fn make_account(
    client: &Client,
    system_namespace: &str,
    namespaces: &[String],
) -> Result<Credential, Diagnostic> {
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": system_namespace},
    });
    apply(client, account).await?;
    for object in permissions(system_namespace, namespaces) {
        apply(client, object).await?;
    }
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": TOKEN, "namespace": system_namespace,
            "annotations": {"kubernetes.io/service-account.name": ACCOUNT},
        },
    });
    apply(client, secret).await?;
    token_in(client, system_namespace, TOKEN).await
}

/// The token of a service account that exists, from a Secret of its own.
pub(super) async fn token_of(
    client: &Client,
    namespace: &str,
    account: &str,
) -> Result<Credential, Diagnostic> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let found = accounts.get_opt(account).await;
    if found
        .map_err(|error| failed("cannot read the service account", &error))?
        .is_none()
    {
        let what = format!("there is no service account `{account}` in `{namespace}`");
        return Err(Diagnostic::user("NotFound", what)
            .fix("make it first, or leave --service-account away to have one made"));
    }
    let name = format!("{account}-long-lived-token");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": name, "namespace": namespace,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
    });
    apply(client, secret).await?;
    token_in(client, namespace, &name).await
}

fn permissions(system_namespace: &str, namespaces: &[String]) -> Vec<Value> {
    let subjects =
        json!([{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": system_namespace}]);
    let rbac = "rbac.authorization.k8s.io/v1";
    let everything = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
    if namespaces.is_empty() {
        let urls = json!({"nonResourceURLs": ["*"], "verbs": ["*"]});
        return vec![
            json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": ROLE},
                   "rules": [everything, urls]}),
            json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": BINDING},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
                   "subjects": subjects}),
        ];
    }
    let in_namespace = |namespace: &String| {
        [
            json!({"apiVersion": rbac, "kind": "Role",
                   "metadata": {"name": ROLE, "namespace": namespace}, "rules": [everything]}),
            json!({"apiVersion": rbac, "kind": "RoleBinding",
                   "metadata": {"name": BINDING, "namespace": namespace},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ROLE},
                   "subjects": subjects}),
        ]
    };
    namespaces.iter().flat_map(in_namespace).collect()
}

async fn apply(client: &Client, object: Value) -> Result<(), Diagnostic> {
    let what = format!(
        "cannot make {} `{}`",
        object["kind"], object["metadata"]["name"]
    )
    .replace('"', "");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, api_version) = (text(&object["kind"]), text(&object["apiVersion"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let resource = ApiResource::from_gvk_with_plural(
        &kube::core::GroupVersionKind::gvk(group, version, &kind),
        &format!("{}s", kind.to_lowercase()),
    );
    let api: Api<DynamicObject> = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams::apply("argosy").force();
    let name = text(&object["metadata"]["name"]);
    api.patch(&name, &params, &Patch::Apply(object))
        .await
        .map_err(|error| failed(what, &error).fix("the context needs cluster-admin rights"))?;
    Ok(())
}

async fn token_in(client: &Client, namespace: &str, name: &str) -> Result<Credential, Diagnostic> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let filled = |secret: Option<&Secret>| token(secret).is_some();
    let waiting = await_condition(secrets, name, filled);
    let late = || {
        Diagnostic::remote(
            "TokenMissing",
            "the cluster has not made a token for the service account",
        )
        .at(format!("Secret {namespace}/{name}"))
        .fix("is its controller manager running? else pass --server and --token")
    };
    let secret = tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(|_| late())?
        .map_err(|error| late().because(&error))?;
    token(secret.as_ref()).ok_or_else(late)
}

fn token(secret: Option<&Secret>) -> Option<Credential> {
    let token = secret?.data.as_ref()?.get("token")?;
    String::from_utf8(token.0.clone())
        .ok()
        .filter(|text| !text.is_empty())
        .map(Credential::new)
}

/// Certificates in PEM, as cluster Secrets hold them.
pub(super) fn pem(certificates: &[Vec<u8>]) -> Vec<u8> {
    let mut pem = String::new();
    for certificate in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = BASE64.encode(certificate);
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem.into_bytes()
}
