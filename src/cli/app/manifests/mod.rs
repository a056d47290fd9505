//! `argosy app manifests`: what an application consists of, with its tracking marks.

mod hub;
mod offline;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use crate::cli::hub_access::HubArgs;
use crate::cli::output::Format;
use crate::cli::{CommandResult, block_on};

/// Shows the manifests of an application: as its sources render, or as they live.
#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy app manifests web --revision v1.2.0")]
pub(crate) struct Args {
    /// The application.
    #[arg(required_unless_present = "offline", conflicts_with = "offline")]
    name: Option<String>,
    #[command(flatten)]
    hub: HubArgs,
    /// The manifests of this revision; offline, the commit that the folder is at.
    #[arg(long, conflicts_with = "local")]
    revision: Option<String>,
    /// Render this folder, which stands for the root of the application's repository.
    #[arg(long, value_name = "DIR", conflicts_with = "offline")]
    local: Option<PathBuf>,
    /// Which side to show.
    #[arg(long, value_enum, default_value_t, conflicts_with = "offline")]
    source: Side,
    /// Work without a hub, from files alone.
    #[arg(long)]
    offline: bool,
    /// The file with the Application.
    #[arg(long, value_name = "FILE", requires = "offline")]
    app: Option<PathBuf>,
    /// The folder that holds the source's repository.
    #[arg(long, value_name = "DIR", requires = "offline")]
    local_repo_root: Option<PathBuf>,
    /// The folder that holds the repository of a `ref` source.
    #[arg(long, value_name = "URL=DIR", value_parser = parse_repository, requires = "offline")]
    ref_repo: Vec<(String, PathBuf)>,
    /// The Kubernetes version to render for; without `--offline` it is that of the cluster.
    #[arg(long, default_value = "1.34.0", requires = "offline")]
    kube_version: String,
    /// An API version that the cluster has; may be repeated.
    #[arg(long, requires = "offline")]
    api_version: Vec<String>,
    /// How objects are tied to the application: annotation, label or annotation+label.
    #[arg(long, default_value = "annotation", requires = "offline")]
    tracking_method: String,
    /// Options for `kustomize build`.
    #[arg(long, allow_hyphen_values = true, requires = "offline")]
    kustomize_build_options: Option<String>,
    /// The folder whose files declare config management plugins; without `--offline` the hub has its
    /// own.
    #[arg(long, value_name = "DIR", requires = "offline")]
    plugins: Option<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

/// Where manifests come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Side {
    /// The sources, rendered.
    #[default]
    Git,
    /// The cluster.
    Live,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    match &args.name {
        Some(name) => block_on(hub::run(args, name)),
        None => offline::run(args),
    }
}

fn parse_repository(text: &str) -> Result<(String, PathBuf), String> {
    let (url, folder) = text
        .rsplit_once('=')
        .ok_or("expected the repository's URL, `=` and a folder")?;
    Ok((url.to_owned(), folder.into()))
}

fn as_yaml(manifests: &[Value]) -> String {
    let documents: Vec<_> = manifests.iter().map(argosy_yaml::to_string).collect();
    documents.join("---\n")
}
