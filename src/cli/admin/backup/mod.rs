//! `argosy admin export` and `argosy admin import`: all that a hub was told, in one YAML stream.
//!
//! An export holds what people and commands wrote, never what the hub publishes of itself, and
//! Secrets only as its caller asks for them: sealed with a key, or in the clear.

mod export;
mod import;
mod object;
mod seal;

use std::path::{Path, PathBuf};

use argosy_crds::{AppProject, Application, ApplicationSet, names};
use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Client};
use serde_json::Value;

use crate::cli::hub_access::HubArgs;
use crate::diagnostic::Diagnostic;

pub(super) use export::list;
pub(crate) use export::{Args as ExportArgs, run as export};
pub(crate) use import::{Args as ImportArgs, run as import};

use seal::Key;

/// The kinds of a backup, in the order in which an import creates them: what others refer to comes
/// first, and sets come after their Applications, which they then find.
pub(super) fn kinds() -> [ApiResource; 5] {
    [
        ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()),
        ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&()),
        ApiResource::erase::<AppProject>(&()),
        ApiResource::erase::<Application>(&()),
        ApiResource::erase::<ApplicationSet>(&()),
    ]
}

/// The labels that make a ConfigMap or Secret one of the hub's; each is asked for by itself.
fn selectors(kind: &ApiResource) -> &'static [&'static str] {
    match kind.kind.as_str() {
        "ConfigMap" => &["app.kubernetes.io/part-of=argocd"],
        "Secret" => &[
            "app.kubernetes.io/part-of=argocd",
            "argocd.argoproj.io/secret-type",
        ],
        _ => &[""],
    }
}

/// The objects of a kind: of `namespace`, or of all of them.
fn objects(client: &Client, kind: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, kind),
        None => Api::all_with(client.clone(), kind),
    }
}

/// Whether objects of this kind may live outside the hub's namespace.
pub(super) fn is_anywhere(kind: &ApiResource) -> bool {
    kind.group == names::GROUP && kind.kind != "AppProject"
}

/// Reads a key that the user named.
fn key(file: Option<&Path>) -> Result<Option<Key>, Diagnostic> {
    file.map(Key::read).transpose()
}

/// Where the objects of a hub are.
#[derive(clap::Args)]
struct Place {
    #[command(flatten)]
    hub: HubArgs,
    /// The file with the key of Secrets, 32 bytes in base64: `openssl rand -base64 32 > FILE`.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// How an object is called in messages.
fn shown(object: &Value) -> String {
    use argosy_engine::object::ObjectExt as _;
    format!("{} {}/{}", object.kind(), object.namespace(), object.name())
}
