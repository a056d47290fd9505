//! `argosy admin proj …`: what projects permit.

use std::path::PathBuf;

use argosy_crds::{AppProject, Application, names};
use argosy_engine::application::{KnownCluster, KnownClusters, resolve};
use argosy_engine::object::{ObjectExt, ResourceKey};
use argosy_engine::project::{Rules, service_account, validate};
use argosy_engine::windows::{self, Attempt, Windows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{json_file, typed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say whether a project permits an application and its resources.
    Check(Check),
    /// Sync windows.
    #[command(subcommand)]
    Windows(WindowsCommand),
}

#[derive(Subcommand)]
pub(crate) enum WindowsCommand {
    /// Say when windows let an application sync.
    Check(WindowsCheck),
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin proj check web.yaml --project team.yaml")]
pub(crate) struct Check {
    /// The application.
    #[arg(value_name = "APP.yaml")]
    application: PathBuf,
    /// Its project.
    #[arg(long, value_name = "FILE")]
    project: PathBuf,
    /// The cluster Secrets.
    #[arg(long, value_name = "FILE")]
    cluster_secrets: Option<PathBuf>,
    /// Namespace of the hub.
    #[arg(short, long, env = "ARGOSY_NAMESPACE", default_value = "argocd")]
    namespace: String,
    /// A JSON list of resources (group, kind, namespace, name).
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Say as whom the hub would act.
    #[arg(long)]
    service_account: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin proj windows check windows.yaml --app web.yaml --checks times.json")]
pub(crate) struct WindowsCheck {
    /// A list of windows.
    #[arg(value_name = "WINDOWS.yaml")]
    windows: PathBuf,
    /// The application.
    #[arg(long, value_name = "FILE")]
    app: PathBuf,
    /// A JSON list of times (time, manual, startedAt).
    #[arg(long, value_name = "FILE")]
    checks: PathBuf,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(command: &Command) -> CommandResult {
    match command {
        Command::Check(args) => check(args),
        Command::Windows(WindowsCommand::Check(args)) => check_windows(args),
    }
}

fn check(args: &Check) -> CommandResult {
    let application: Application = typed(&args.application)?;
    let project: AppProject = typed(&args.project)?;
    validate(&project).map_err(|error| {
        Diagnostic::user("InvalidProject", "the project is not valid").because(&error)
    })?;
    let secrets = match &args.cluster_secrets {
        Some(path) => output::read_documents(path)?,
        None => Vec::new(),
    };
    let clusters = KnownClusters::new(registered(&secrets, &args.namespace), true);
    let rules = Rules::of(&project);
    let reasons: Vec<_> = rules
        .refusals(&application, &clusters)
        .iter()
        .map(ToString::to_string)
        .collect();
    let own = application
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let namespace_permitted = rules.permits_application_in(own, &args.namespace);
    let mut answer = Map::new();
    let permitted = reasons.is_empty() && namespace_permitted;
    answer.insert("permitted".into(), json!(permitted));
    answer.insert("reasons".into(), json!(reasons));
    answer.insert("namespacePermitted".into(), json!(namespace_permitted));
    if let Ok(cluster) = resolve(&application.spec.destination, &clusters) {
        if let Some(path) = &args.resources {
            let resources: Vec<ResourceKey> = json_file(path)?;
            let verdicts: Vec<_> = resources
                .iter()
                .map(|key| rules.permits_resource(key, cluster))
                .collect();
            answer.insert("resources".into(), json!(verdicts));
        }
        if args.service_account {
            match service_account(&project, &application, cluster, false) {
                Ok(account) => {
                    answer.insert("serviceAccount".into(), json!(account.unwrap_or_default()))
                }
                Err(error) => answer.insert("serviceAccountError".into(), json!(error.to_string())),
            };
        }
    }
    let answer = Value::Object(answer);
    output::document(args.output, &answer, || argosy_yaml::to_string(&answer))?;
    Ok(Outcome::Success)
}

/// The clusters of the Secrets that count: in the hub's namespace, with the cluster label.
fn registered(secrets: &[Value], namespace: &str) -> Vec<KnownCluster> {
    secrets
        .iter()
        .filter(|secret| {
            secret.namespace() == namespace
                && secret.label(names::label::SECRET_TYPE)
                    == Some(names::label::SECRET_TYPE_CLUSTER)
        })
        .map(|secret| {
            let server = field(secret, "server").unwrap_or_default();
            KnownCluster {
                name: field(secret, "name").unwrap_or_else(|| server.clone()),
                server,
                project: field(secret, "project"),
            }
        })
        .collect()
}

/// A field of a Secret, from `stringData` or decoded from `data`; empty ones count as absent.
fn field(secret: &Value, name: &str) -> Option<String> {
    let plain = secret["stringData"][name].as_str().map(str::to_owned);
    let encoded = || {
        let data = BASE64.decode(secret["data"][name].as_str()?).ok()?;
        String::from_utf8(data).ok()
    };
    plain.or_else(encoded).filter(|text| !text.is_empty())
}

/// One time to check.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    time: Timestamp,
    #[serde(default)]
    manual: bool,
    started_at: Option<Timestamp>,
}

fn check_windows(args: &WindowsCheck) -> CommandResult {
    let list = output::read_document(&args.windows)?;
    let list = windows::read(&list).map_err(|error| {
        Diagnostic::user("FileMalformed", "this is no list of windows")
            .at(args.windows.display().to_string())
            .because(&error)
    })?;
    let windows = Windows::of(&typed(&args.app)?, &list).map_err(|error| {
        Diagnostic::user("InvalidWindow", "a window is not valid").because(&error)
    })?;
    let moments: Vec<Moment> = json_file(&args.checks)?;
    let attempt = |moment: &Moment| Attempt {
        manual: moment.manual,
        started_at: moment.started_at,
    };
    let results: Vec<_> = moments
        .iter()
        .map(|moment| {
            json!({
                "canSync": windows.verdict(attempt(moment), moment.time).may_sync(),
                "active": windows.active(moment.time).count(),
            })
        })
        .collect();
    let answer = json!({"matching": windows.len(), "results": results});
    output::document(args.output, &answer, || {
        let told: Vec<_> = moments
            .iter()
            .map(|moment| {
                let lines = windows::explain(&windows, attempt(moment), moment.time);
                format!("{}: {}", moment.time, lines.join("\n  "))
            })
            .collect();
        told.join("\n")
    })?;
    Ok(Outcome::Success)
}
