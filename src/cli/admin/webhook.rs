//! `argosy admin webhook simulate`: which applications a delivery would refresh.

use std::path::PathBuf;

use argosy_crds::Application;
use argosy_glob::list;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::{
    cli::{
        CommandResult, Outcome,
        output::{self, Format},
    },
    diagnostic::Diagnostic,
    source::webhook::{Headers, PushEvent, Target, WebhookError, WebhookSecrets, parse},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show which applications a delivery would refresh.
    Simulate(Args),
}

#[derive(ClapArgs)]
#[command(after_help = "Example:
  argosy admin webhook simulate --headers headers.json --body push.json --apps apps.yaml")]
pub(crate) struct Args {
    /// The file with the delivery's headers, a JSON object.
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The file with the delivery's body.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The file with the Applications.
    #[arg(long, value_name = "FILE")]
    apps: PathBuf,
    /// The hub's own namespace.
    #[arg(short, long, env = "ARGOSY_NAMESPACE", default_value = "argocd")]
    namespace: String,
    /// Further namespaces in which applications count: globs or /expressions/.
    #[arg(long, value_delimiter = ',')]
    application_namespaces: Vec<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(super) fn run(command: Command) -> CommandResult {
    let Command::Simulate(args) = command;
    let headers = output::read_document(&args.headers)?;
    let headers = headers
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let body = output::read(&args.body)?;
    let delivery = parse(
        &Headers::new(headers),
        body.as_bytes(),
        &WebhookSecrets::default(),
    );
    let applications = output::read_documents(&args.apps)?;
    let (status, refreshed) = match &delivery {
        Ok(event) => (200, refreshed(event.as_ref(), applications, &args)?),
        Err(error) => {
            output::note(WebhookError::to_string(error));
            (error.status(), Vec::new())
        }
    };
    let answer = json!({"status": status, "refreshed": &refreshed});
    output::document(args.output, &answer, || {
        format!("status {status}\n{}", refreshed.join("\n"))
    })?;
    Ok(Outcome::Success)
}

fn refreshed(
    event: Option<&PushEvent>,
    applications: Vec<Value>,
    args: &Args,
) -> Result<Vec<String>, Diagnostic> {
    let Some(event) = event else {
        return Ok(Vec::new());
    };
    let target = Target::new(event);
    let mut refreshed = Vec::new();
    for application in applications {
        let app: Application = serde_json::from_value(application).map_err(|error| {
            Diagnostic::user("ApplicationMalformed", "a document is not an Application")
                .at(args.apps.display().to_string())
                .because(&error)
        })?;
        let namespace = app.metadata.namespace.as_deref().unwrap_or(&args.namespace);
        let watched = namespace == args.namespace
            || list::matches(
                &args.application_namespaces,
                namespace,
                list::Syntax::Regexp,
            );
        if watched && target.concerns(&app).is_some() {
            let name = app.metadata.name.as_deref().unwrap_or_default();
            refreshed.push(format!("{namespace}/{name}"));
        }
    }
    refreshed.sort();
    Ok(refreshed)
}
