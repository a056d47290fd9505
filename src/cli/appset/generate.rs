//! `argosy appset generate`: what an ApplicationSet generates, from files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::offline::{World, clusters, generate, read_set};
use argosy_generators::validate::validate;
use argosy_generators::{Cluster, Globbing, Settings};
use clap::Parser;
use serde_json::{Value, json};

use super::work_tree::WorkTree;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

#[derive(Parser)]
pub(crate) struct Args {
    /// The ApplicationSet's manifest.
    file: PathBuf,
    /// Ask no hub: use the given files only.
    #[arg(long, required = true)]
    offline: bool,
    /// The hub's namespace.
    #[arg(long, default_value = "argocd")]
    namespace: String,
    /// The manifests of the AppProjects that exist.
    #[arg(long, value_name = "FILE")]
    projects: PathBuf,
    /// The manifests of the cluster Secrets.
    #[arg(long, value_name = "FILE")]
    cluster_secrets: Option<PathBuf>,
    /// A repository and the work tree that stands for it; may be repeated.
    #[arg(long, value_name = "URL=DIR", value_parser = parse_repository)]
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
    let set = read(&args.file, &args.namespace)?;
    let repositories: BTreeMap<_, _> = args.repo.iter().cloned().collect();
    let world = World {
        projects: projects(&args.projects)?,
        clusters: registered(args)?,
        trees: &|url, revision| {
            let folder = repositories.get(url).ok_or_else(|| {
                format!("repository {url} is not given; name its work tree with --repo {url}=DIR")
            })?;
            Ok(Box::new(WorkTree::open(folder, revision)?))
        },
    };
    let settings = settings(args);
    let expansion = generate(&set, &world, &settings).map_err(|error| {
        Diagnostic::user(error.reason.as_str(), error.message)
            .at(format!("ApplicationSet {}, {}", error.set, error.place))
    })?;
    let applications = expansion.applications.into_inner();
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let answer = answer(name, &applications, args.validate.then_some(&world));
    output::document(args.output, &answer, || table(&applications))?;
    Ok(Outcome::Success)
}

fn settings(args: &Args) -> Settings {
    let now = jiff::Timestamp::now();
    Settings {
        globbing: if args.new_git_file_globbing {
            Globbing::Doublestar
        } else {
            Globbing::Pathspec
        },
        now,
        seed: now.as_millisecond().unsigned_abs(),
        ..Settings::default()
    }
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

fn projects(path: &Path) -> Result<BTreeSet<String>, Diagnostic> {
    let name = |project: &Value| Some(project.pointer("/metadata/name")?.as_str()?.to_owned());
    Ok(output::read_documents(path)?
        .iter()
        .filter_map(name)
        .collect())
}

fn registered(args: &Args) -> Result<Vec<Cluster>, Diagnostic> {
    let Some(path) = &args.cluster_secrets else {
        return Ok(Vec::new());
    };
    Ok(clusters(&output::read_documents(path)?, &args.namespace))
}

/// The list of Applications; with a world to check them against, also what is wrong with them.
fn answer(set: &str, applications: &[Application], world: Option<&World<'_>>) -> Value {
    let applications_json: Vec<Value> = applications
        .iter()
        .map(|app| json!({"metadata": app.metadata, "spec": app.spec}))
        .collect();
    let Some(world) = world else {
        return Value::Array(applications_json);
    };
    let invalid: BTreeMap<String, &str> =
        validate(set, applications, &world.projects, &world.clusters)
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
