//! `argosy appset generate`: what an ApplicationSet generates.

mod hub;
mod offline;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::Cluster;
use argosy_generators::offline::read_set;
use argosy_generators::validate::validate;
use clap::Parser;
use serde_json::{Value, json};

use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, block_on, output};
use crate::diagnostic::Diagnostic;

/// Prints the Applications that an ApplicationSet generates.
#[derive(Parser)]
pub(crate) struct Args {
    /// The ApplicationSet's manifest.
    file: PathBuf,
    #[command(flatten)]
    hub: HubArgs,
    /// Ask no hub: use the given files only.
    #[arg(long, requires = "projects")]
    offline: bool,
    /// The manifests of the AppProjects that exist.
    #[arg(long, value_name = "FILE", requires = "offline")]
    projects: Option<PathBuf>,
    /// The manifests of the cluster Secrets.
    #[arg(long, value_name = "FILE", requires = "offline")]
    cluster_secrets: Option<PathBuf>,
    /// A repository and the work tree that stands for it; may be repeated.
    #[arg(long, value_name = "URL=DIR", value_parser = parse_repository, requires = "offline")]
    repo: Vec<(String, PathBuf)>,
    /// Read the patterns of git files as doublestar and not as git's pathspecs.
    #[arg(long)]
    new_git_file_globbing: bool,
    /// Also print which Applications a hub would refuse to create, and why.
    #[arg(long)]
    validate: bool,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t)]
    output: output::Format,
}

fn parse_repository(text: &str) -> Result<(String, PathBuf), String> {
    let (url, folder) = text
        .rsplit_once('=')
        .ok_or("expected the repository's URL, `=` and a folder")?;
    Ok((url.to_owned(), folder.into()))
}

pub(crate) fn run(args: &Args) -> CommandResult {
    if args.offline {
        offline::run(args)
    } else {
        block_on(hub::run(args))
    }
}

/// The projects and clusters that generated Applications may name.
type Known<'a> = (&'a BTreeSet<String>, &'a [Cluster]);

fn print(
    args: &Args,
    set: &ApplicationSet,
    applications: &[Application],
    known: (&BTreeSet<String>, &Vec<Cluster>),
) -> Result<(), Diagnostic> {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let known: Known<'_> = (known.0, known.1);
    let answer = answer(name, applications, args.validate.then_some(known));
    output::document(args.output, &answer, || table(applications))
}

fn read(path: &Path, namespace: &str) -> Result<ApplicationSet, Diagnostic> {
    let mut set = read_set(output::read_document(path)?).map_err(|problem| {
        Diagnostic::user(
            "FileMalformed",
            format!("cannot read the ApplicationSet: {problem}"),
        )
        .at(path.display().to_string())
    })?;
    set.metadata
        .namespace
        .get_or_insert_with(|| namespace.to_owned());
    Ok(set)
}

/// The list of Applications; with a world to check them against, also what is wrong with them.
fn answer(set: &str, applications: &[Application], world: Option<Known<'_>>) -> Value {
    let applications_json: Vec<Value> = applications
        .iter()
        .map(|app| json!({"metadata": app.metadata, "spec": app.spec}))
        .collect();
    let Some((projects, clusters)) = world else {
        return Value::Array(applications_json);
    };
    let invalid: BTreeMap<String, &str> = validate(set, applications, projects, clusters)
        .into_iter()
        .map(|(name, invalid)| (name, invalid.class()))
        .collect();
    json!({"applications": applications_json, "invalid": invalid})
}

fn table(applications: &[Application]) -> String {
    let mut text = String::from("NAME\tPROJECT\tCLUSTER\tNAMESPACE\n");
    for app in applications {
        let destination = &app.spec.destination;
        let cluster = if destination.name.is_empty() {
            &destination.server
        } else {
            &destination.name
        };
        let name = app.metadata.name.as_deref().unwrap_or_default();
        let row = [name, &app.spec.project, cluster, &destination.namespace];
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text
}
