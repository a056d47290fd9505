//! `argosy cluster rm NAME`.

use argosy_crds::Application;
use clap::Parser;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;

use super::find;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output, registration};
use crate::diagnostic::Diagnostic;

/// Lets go of a cluster. What runs there goes on running.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy cluster rm prod")]
pub(crate) struct Args {
    /// The cluster's name or server.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// Let go of it although applications are there; they will show that their cluster is unknown.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let cluster = find(&args.hub, &args.name).await?;
    let Some(secret_name) = &cluster.secret else {
        return Err(Diagnostic::user(
            "NotRegistered",
            "the hub's own cluster has no Secret to remove",
        )
        .fix("set `cluster.inClusterEnabled: \"false\"` in argocd-cm"));
    };
    let client = args.hub.client().await?;
    let applications: Api<Application> = Api::namespaced(client.clone(), &args.hub.namespace);
    let there = applications
        .list(&ListParams::default())
        .await
        .map_err(|error| failed("cannot list applications", &error))?
        .items
        .into_iter()
        .filter(|app| {
            let destination = &app.spec.destination;
            destination.name == cluster.name || destination.server == cluster.server
        })
        .count();
    if there > 0 && !args.force {
        let what = format!("{there} applications are on `{}`", cluster.name);
        return Err(Diagnostic::user("ClusterInUse", what)
            .fix("delete or move them first, or pass --force"));
    }
    let secrets: Api<Secret> = Api::namespaced(client, &args.hub.namespace);
    registration::release(&secrets, secret_name).await?;
    output::line(format!("cluster `{}` is let go of", cluster.name));
    Ok(Outcome::Success)
}
