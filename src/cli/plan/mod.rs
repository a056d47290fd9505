//! `argosy plan --base REV --head REV`: what a change of a repository would change on clusters.
//!
//! Both sides of the whole repository are rendered in this process, without a hub and without a
//! cluster, and compared. Only what is committed counts, and nothing is fetched: a source that lies
//! elsewhere is compared by what it says and not by what it renders to, and the answer says so.

mod compare;
mod find;
mod print;
mod side;
mod snapshot;

use std::path::PathBuf;

use argosy_generators::offline::clusters;
use clap::Parser;

use super::plugins_args::PluginsArgs;
use super::{CommandResult, Outcome, argocd_cm, output};
use crate::diagnostic::Diagnostic;
use side::Side;
use snapshot::Repository;

/// Shows what a change of a repository would change, for each application and cluster.
///
/// Applications and ApplicationSets are looked for in the repository's YAML files and in what they
/// render to, and whatever branch they follow, it is taken to have the change. The exit code is 2 if
/// something changes.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy plan --base main --head HEAD
  argosy plan --base main --head feature --clusters clusters.yaml --output markdown")]
pub(crate) struct Args {
    /// The revision to compare with.
    #[arg(long, value_name = "REV")]
    base: String,
    /// The revision with the change.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,
    /// The repository's work tree.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// A URL by which applications mean this repository; may be repeated [default: the URLs of its
    /// remotes].
    #[arg(long, value_name = "URL")]
    repo_url: Vec<String>,
    /// Look for applications in this directory only; may be repeated.
    #[arg(long, value_name = "DIR")]
    path: Vec<String>,
    /// The manifests of the cluster Secrets, for generators and for the names of clusters.
    #[arg(long, value_name = "FILE")]
    clusters: Option<PathBuf>,
    /// The Kubernetes version to render for.
    #[arg(long, default_value = "1.34.0")]
    kube_version: String,
    /// An API version that the clusters have; may be repeated.
    #[arg(long)]
    api_version: Vec<String>,
    /// The hub's own namespace.
    #[arg(short, long, env = "ARGOSY_NAMESPACE", default_value = "argocd")]
    namespace: String,
    /// File with the ConfigMap argocd-cm, whose `resource.sensitive.mask.annotations` are masked, too.
    #[arg(long, value_name = "FILE")]
    argocd_cm_path: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginsArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Report,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    let repository = Repository::open(&args.repo, &args.repo_url)?;
    let clusters = match &args.clusters {
        Some(file) => clusters(&output::read_documents(file)?, &args.namespace),
        None => Vec::new(),
    };
    let terms = side::Terms {
        repository: &repository,
        clusters: &clusters,
        paths: &args.path,
        kube_version: &args.kube_version,
        api_versions: &args.api_version,
        namespace: &args.namespace,
        tools: args.plugins.tools()?,
    };
    let base = Side::of(&terms, &repository.at(&args.base)?, None);
    let head = Side::of(&terms, &repository.at(&args.head)?, Some(&base));
    if base.is_empty() && head.is_empty() {
        return Err(Diagnostic::user("NothingFound", "there is no application in the repository")
            .at(args.repo.display().to_string())
            .fix("name the directory of the Applications with --path, or another repository with --repo"));
    }
    let settings = argocd_cm::settings(args.argocd_cm_path.as_deref())?;
    let terms = compare::Terms {
        clusters: &clusters,
        sensitive_annotations: &settings.sensitive_annotations,
    };
    let plan = compare::compare(&base, &head, terms);
    for note in &plan.notes {
        output::note(format!("Note: {note}"));
    }
    print::print(args.output, &plan, (&args.base, &args.head))?;
    Ok(if plan.changes.is_empty() {
        Outcome::Success
    } else {
        Outcome::Changes
    })
}
