//! `argosy cluster rm NAME`.

use argosy_crds::{Application, names};
use clap::Parser;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use super::find;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Lets go of a cluster. What runs there goes on running.
#[derive(Parser)]
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
    release(&secrets, secret_name).await?;
    output::line(format!("cluster `{}` is let go of", cluster.name));
    Ok(Outcome::Success)
}

/// Deletes a Secret that a command made; one that somebody declared only loses its label, as in
/// Argo CD, so that whoever keeps it in git does not fight the deletion.
async fn release(secrets: &Api<Secret>, name: &str) -> Result<(), Diagnostic> {
    let cannot = |error: kube::Error| failed("cannot remove the cluster Secret", &error);
    let secret = secrets.get(name).await.map_err(cannot)?;
    let annotations = secret.metadata.annotations.unwrap_or_default();
    let ours = annotations
        .get(names::annotation::MANAGED_BY)
        .is_some_and(|by| by == "argocd.argoproj.io");
    if ours {
        secrets
            .delete(name, &DeleteParams::default())
            .await
            .map_err(cannot)?;
    } else {
        let patch = json!({"metadata": {"labels": {names::label::SECRET_TYPE: null}}});
        secrets
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(cannot)?;
    }
    Ok(())
}
