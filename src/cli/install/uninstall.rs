//! `argosy uninstall`.

use std::io::IsTerminal as _;

use argosy_crds::Application;
use argosy_engine::object::ObjectExt as _;
use clap::Parser;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Api, Client};
use serde_json::Value;

use super::{api, neighbours, shown};
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;
use crate::installation::{self, Wanted};

/// The kinds of an installation that hold or define what people wrote.
const KEPT: [&str; 3] = ["ConfigMap", "CustomResourceDefinition", "Namespace"];

/// Removes the hub from a cluster, and nothing that it deployed.
///
/// Applications, sets, projects, settings, registered clusters and repositories, the namespace and
/// the definitions stay as they are, finalizers included: a hub that is installed again goes on
/// with them. What the Applications brought runs on.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy uninstall
  argosy uninstall --namespace fleet --yes
  argosy app delete web --no-cascade     before it, for what is to go while its resources stay")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let namespace = &args.hub.namespace;
    let client = args.hub.client().await?;
    neighbours::not_of_helm(&client, namespace, "helm uninstall").await?;
    let there = installed(&client, namespace).await?;
    if there.is_empty() {
        output::line(format!("no hub is installed in `{namespace}`"));
        return Ok(Outcome::Success);
    }
    let applications = applications(&client, namespace).await?;
    if !args.yes && !is_confirmed(namespace, applications)? {
        output::note("nothing is removed");
        return Ok(Outcome::Negative);
    }
    for object in &there {
        let done = remove(&client, object).await?;
        output::line(format!("{} {done}", shown(object)));
    }
    output::note(format!(
        "{applications} Applications, their sets, projects, settings, Secrets, the namespace `{namespace}` and the \
         definitions stay, and so does all that was deployed. Without a hub nothing removes the finalizers of \
         Applications: to delete one and keep what it deployed, remove them first, as docs/install.md says"
    ));
    Ok(Outcome::Success)
}

/// What an installation made, as far as it is there.
async fn installed(client: &Client, namespace: &str) -> Result<Vec<Value>, Diagnostic> {
    let mut there = Vec::new();
    let whole = Wanted {
        highly_available: true,
        ..Wanted::default()
    };
    for mut object in installation::objects(namespace, &whole)? {
        if KEPT.contains(&object.kind()) {
            continue;
        }
        let found = api(client, &object).get_opt(object.name()).await;
        let found =
            found.map_err(|error| failed(format!("cannot read {}", shown(&object)), &error))?;
        let Some(found) = found else { continue };
        // Somebody else may have taken the name.
        let labels = found.metadata.labels.iter().flatten();
        let mut labels = labels.map(|(key, value)| (key.as_str(), value.as_str()));
        if labels.any(|label| label == ("app.kubernetes.io/part-of", "argosy")) {
            object["metadata"]["uid"] = found.metadata.uid.into();
            there.push(object);
        }
    }
    Ok(there)
}

async fn applications(client: &Client, namespace: &str) -> Result<usize, Diagnostic> {
    let api: Api<Application> = Api::namespaced(client.clone(), namespace);
    match api.list_metadata(&ListParams::default()).await {
        Ok(list) => Ok(list.items.len()),
        // Without their definition there are none.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(0),
        Err(error) => Err(failed("cannot list applications", &error)),
    }
}

fn is_confirmed(namespace: &str, applications: usize) -> Result<bool, Diagnostic> {
    let question = format!(
        "Remove the hub from the namespace `{namespace}`? Its {applications} Applications stay, and nobody looks after them. [y/N]"
    );
    if !std::io::stdin().is_terminal() {
        let what = format!("nobody can be asked whether the hub in `{namespace}` may go");
        return Err(Diagnostic::user("NotConfirmed", what).fix("say --yes"));
    }
    output::note(question);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| {
        Diagnostic::user("NotConfirmed", "cannot read the answer").because(&error)
    })?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Deletes the object that was found, and no other that has its name by now.
async fn remove(client: &Client, object: &Value) -> Result<&'static str, Diagnostic> {
    let uid = object["metadata"]["uid"].as_str().map(str::to_owned);
    let params = DeleteParams::background().preconditions(Preconditions {
        uid,
        resource_version: None,
    });
    match api(client, object).delete(object.name(), &params).await {
        Ok(_) => Ok("removed"),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok("is gone already"),
        Err(error) => Err(failed(format!("cannot remove {}", shown(object)), &error)),
    }
}
