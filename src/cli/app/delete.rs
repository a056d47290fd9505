//! `argosy app delete NAME…`.

use std::time::Duration;

use argosy_crds::names::finalizer;
use argosy_crds::{Application, names};
use clap::{Parser, ValueEnum};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::find;
use super::selection::Selection;
use crate::cli::hub_access::failed;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// How often `--wait` looks whether an application is gone.
const LOOK: Duration = Duration::from_millis(500);

/// Deletes applications, and what they brought unless told otherwise.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy app delete web
  argosy app delete web --no-cascade     leave its resources where they are
  argosy app delete web --abandon        give up a deletion whose cluster is gone for good")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    how: How,
    /// Wait until they are gone.
    #[arg(long)]
    wait: bool,
}

/// What becomes of their resources.
#[derive(clap::Args)]
struct How {
    /// How their resources are deleted.
    #[arg(long, value_enum, default_value_t)]
    cascade: Cascade,
    /// Leave their resources where they are.
    #[arg(long, conflicts_with = "cascade")]
    no_cascade: bool,
    /// Let go of resources that cannot be deleted, as on a cluster that is gone. The hub records
    /// what it leaves behind as an Event and in its log.
    #[arg(long, conflicts_with_all = ["cascade", "no_cascade"])]
    abandon: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Cascade {
    /// Each resource stays until what it owns is gone.
    #[default]
    Foreground,
    /// Each resource goes at once, what it owns later.
    Background,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let (api, names) = args.selection.resolve().await?;
    for name in &names {
        delete(&api, name, &args.how).await?;
    }
    for name in names {
        while args.wait && exists(&api, &name).await? {
            tokio::time::sleep(LOOK).await;
        }
        let word = match (args.wait, args.how.abandon) {
            (true, _) => "is gone",
            (false, true) => "is let go of",
            (false, false) => "is being deleted",
        };
        output::line(format!("{name} {word}"));
    }
    Ok(Outcome::Success)
}

async fn delete(api: &Api<Application>, name: &str, how: &How) -> Result<(), Diagnostic> {
    let app = find(api, name).await?;
    let patch = if how.abandon {
        let by = std::env::var("USER").unwrap_or_else(|_| "argosy".to_owned());
        json!({"metadata": {"annotations": {names::annotation::ABANDON: by}}})
    } else {
        json!({"metadata": {"finalizers": finalizers(&app, how),
                            "resourceVersion": app.metadata.resource_version}})
    };
    // What is being deleted takes no new finalizers.
    if how.abandon || !app.is_deleting() {
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(|error| failed(format!("cannot prepare `{name}` for deletion"), &error))?;
    }
    match api.delete(name, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        deleted => deleted
            .map(drop)
            .map_err(|error| failed(format!("cannot delete `{name}`"), &error)),
    }
}

/// The finalizers that make the hub delete the resources as asked, or leave them.
fn finalizers(app: &Application, how: &How) -> Vec<String> {
    let of_cascade = [
        finalizer::RESOURCES,
        finalizer::RESOURCES_FOREGROUND,
        finalizer::RESOURCES_BACKGROUND,
    ];
    let others = app.metadata.finalizers.iter().flatten();
    let mut finalizers: Vec<_> = others
        .filter(|one| !of_cascade.contains(&one.as_str()))
        .cloned()
        .collect();
    if !how.no_cascade {
        let wanted = match how.cascade {
            Cascade::Foreground => finalizer::RESOURCES,
            Cascade::Background => finalizer::RESOURCES_BACKGROUND,
        };
        finalizers.push(wanted.to_owned());
    }
    finalizers
}

async fn exists(api: &Api<Application>, name: &str) -> Result<bool, Diagnostic> {
    let found = api.get_opt(name).await;
    let found = found.map_err(|error| failed(format!("cannot read `{name}`"), &error))?;
    Ok(found.is_some())
}
