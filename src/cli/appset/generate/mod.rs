//! `argosy appset generate`: what an ApplicationSet generates.

mod hub;
mod offline;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::Cluster;
use argosy_generators::validate::validate;
use clap::Parser;
use serde_json::{Value, json};

use super::offline::OfflineArgs;
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, block_on, output};
use crate::diagnostic::Diagnostic;

/// Prints the Applications that an ApplicationSet generates.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy appset generate fleet.yaml
  argosy appset generate fleet.yaml --offline --cluster-secrets clusters.yaml -o yaml")]
pub(crate) struct Args {
    /// The ApplicationSet's manifest.
    file: PathBuf,
    #[command(flatten)]
    hub: HubArgs,
    #[command(flatten)]
    offline: OfflineArgs,
    /// Also print which Applications a hub would refuse to create, and why.
    #[arg(long)]
    validate: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    if args.offline.offline {
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
