//! `argosy install` and `argosy uninstall`: a hub onto the cluster of a kubeconfig, and off it again.
//!
//! Neither touches what a person or the hub wrote: settings that are there, Applications, sets,
//! projects, Secrets, and whatever was deployed.

mod neighbours;
mod uninstall;

use argosy_engine::object::ObjectExt as _;
use clap::{Parser, ValueEnum};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::hub_access::HubArgs;
use super::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;
use crate::installation::{self, Wanted};

pub(crate) use uninstall::{Args as UninstallArgs, run as uninstall};

/// Installs a hub on the cluster of the kubeconfig: definitions, namespace, rights and Deployment.
///
/// Creates what is absent and changes what differs, so that it can be done again at any time, and
/// brings another version; settings that are there stay as they are. An Argo CD that runs in the
/// namespace has to be stopped first.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy install --dry-run
  argosy install --namespace fleet --image registry.example.com/argosy:1.2
  argosy install --ha
  argosy install --dry-run -o yaml > hub.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// The image to run instead of the published one of this version.
    #[arg(long)]
    image: Option<String>,
    /// Run two hubs on different nodes, of which one works and the other stands by to take over.
    #[arg(long)]
    ha: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the objects instead, without a look at the cluster.
    #[arg(short, long, value_enum, value_name = "FORM", requires = "dry_run")]
    output: Option<Manifests>,
}

/// The form of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Manifests {
    /// A List.
    Json,
    /// One document for each.
    Yaml,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let namespace = &args.hub.namespace;
    let wanted = Wanted {
        image: args.image.as_deref(),
        highly_available: args.ha,
    };
    let objects = installation::objects(namespace, &wanted)?;
    if let Some(form) = args.output {
        print(form, &objects)?;
        return Ok(Outcome::Success);
    }
    let client = args.hub.client().await?;
    neighbours::leave_room(&client, namespace).await?;
    for object in &objects {
        let done = put(&client, object, args.dry_run).await?;
        output::line(format!("{} {done}", shown(object)));
    }
    if !args.dry_run {
        output::note(format!(
            "the hub starts; see `kubectl -n {namespace} rollout status deployment/{}`",
            installation::DEPLOYMENT
        ));
    }
    Ok(Outcome::Success)
}

fn print(form: Manifests, objects: &[Value]) -> Result<(), Diagnostic> {
    match form {
        Manifests::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            output::document(output::Format::Json, &list, String::new)?;
        }
        Manifests::Yaml => {
            let documents = objects.iter().map(argosy_yaml::to_string);
            let stream: Vec<_> = documents.map(|text| format!("---\n{text}")).collect();
            output::line(stream.concat().trim_end_matches('\n'));
        }
    }
    Ok(())
}

/// Creates or changes one object; says which.
async fn put(client: &Client, object: &Value, dry_run: bool) -> Result<&'static str, Diagnostic> {
    let cannot = |error: &kube::Error| {
        Diagnostic::remote("NotInstalled", format!("cannot install {}", shown(object)))
            .because(error)
            .fix("installing needs cluster-admin rights; what is done already stays as it is")
    };
    let (api, name) = (api(client, object), object.name());
    let before = api.get_opt(name).await.map_err(|error| cannot(&error))?;
    // Settings are their user's, and labels of a namespace may be anybody's.
    let is_others = ["ConfigMap", "Namespace"].contains(&object.kind());
    match &before {
        Some(_) if is_others => return Ok("stays as it is"),
        None if dry_run => return Ok("would be created"),
        _ => {}
    }
    let mut params = PatchParams::apply("argosy").force();
    params.dry_run = dry_run;
    let after = api.patch(name, &params, &Patch::Apply(object)).await;
    let after = after.map_err(|error| cannot(&error))?;
    let Some(before) = before else {
        return Ok("created");
    };
    Ok(match (content(before) == content(after), dry_run) {
        (true, _) => "unchanged",
        (false, true) => "would be changed",
        (false, false) => "changed",
    })
}

/// An object without what its cluster counts and records of it.
fn content(mut object: DynamicObject) -> DynamicObject {
    if let Some(fields) = object.data.as_object_mut() {
        fields.remove("status");
    }
    object.metadata.managed_fields = None;
    object.metadata.resource_version = None;
    object.metadata.generation = None;
    object
}

/// Where an object lives.
fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let gvk = object.gvk();
    let gvk = GroupVersionKind::gvk(&gvk.group, &gvk.version, &gvk.kind);
    let resource = ApiResource::from_gvk(&gvk);
    match object.namespace() {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    }
}

/// How an object is called in messages.
fn shown(object: &Value) -> String {
    format!("{} {}", object.kind(), object.name())
}
