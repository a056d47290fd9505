//! `argosy app actions`: what an application's live objects offer, and doing it.
//!
//! The command acts on the cluster itself, with the hub's credentials of the cluster and within what
//! the application's project permits.

use argosy_engine::object::ResourceKey;
use clap::{Args, Subcommand};
use serde_json::json;

use super::diff::look_at;
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome};
use crate::controller::application::actions;
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the actions of an application's objects.
    #[command(after_help = "Example:\n  argosy app actions list web --kind Deployment")]
    List(List),
    /// Run an action.
    #[command(
        after_help = "Example:\n  argosy app actions run web restart --kind Deployment --resource-name web"
    )]
    Run(Run),
}

/// The objects that are meant.
#[derive(Args)]
struct Objects {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// Only objects of this kind.
    #[arg(long)]
    kind: Option<String>,
    /// Only objects of this API group.
    #[arg(long)]
    group: Option<String>,
    /// Only objects with this name.
    #[arg(long)]
    resource_name: Option<String>,
    /// Only objects in this namespace.
    #[arg(long)]
    resource_namespace: Option<String>,
}

impl Objects {
    fn selects(&self, key: &ResourceKey) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        is(&self.kind, &key.kind)
            && is(&self.group, &key.group)
            && is(&self.resource_name, &key.name)
            && is(&self.resource_namespace, &key.namespace)
    }
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    objects: Objects,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    objects: Objects,
    /// The action.
    action: String,
    /// Run it on all objects that are selected, not only on a single one.
    #[arg(long)]
    all: bool,
    /// A parameter of the action; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::parameter)]
    param: Vec<(String, String)>,
}

pub(crate) async fn run(command: Command) -> CommandResult {
    match command {
        Command::List(args) => list(args).await,
        Command::Run(args) => act(args).await,
    }
}

fn failed(name: &str, why: String) -> Diagnostic {
    Diagnostic::remote("ActionFailed", format!("no action on `{name}`"))
        .because(&std::io::Error::other(why))
}

async fn list(args: List) -> CommandResult {
    let (hub, name) = look_at(&args.objects.hub, &args.objects.name).await?;
    let selects = |key: &ResourceKey| args.objects.selects(key);
    let found = actions::offered(&hub, &name, &selects).await;
    let found = found.map_err(|why| failed(&args.objects.name, why))?;
    let answer: Vec<_> = found
        .iter()
        .map(|one| {
            json!({
                "group": one.key.group, "kind": one.key.kind,
                "namespace": one.key.namespace, "name": one.key.name,
                "actions": one.actions,
            })
        })
        .collect();
    output::document(args.output, &answer, || {
        let mut table = plain_table();
        table.set_header(["GROUP", "KIND", "NAMESPACE", "NAME", "ACTION", "DISABLED"]);
        for one in &found {
            for action in &one.actions {
                let key = one.key.clone();
                let disabled = action.disabled.to_string();
                table.add_row([
                    key.group,
                    key.kind,
                    key.namespace,
                    key.name,
                    action.name.clone(),
                    disabled,
                ]);
            }
        }
        trimmed(&table)
    })?;
    Ok(Outcome::Success)
}

async fn act(args: Run) -> CommandResult {
    let (hub, name) = look_at(&args.objects.hub, &args.objects.name).await?;
    let selects = |key: &ResourceKey| args.objects.selects(key);
    let offered = actions::offered(&hub, &name, &selects).await;
    let offered = offered.map_err(|why| failed(&args.objects.name, why))?;
    let with =
        |one: &&actions::Offered| one.actions.iter().any(|action| action.name == args.action);
    let mut meant: Vec<_> = offered.iter().filter(with).map(|one| &one.key).collect();
    if meant.is_empty() && offered.len() == 1 {
        // What a user's discovery does not list can be run all the same, on an object that is named.
        meant = offered.iter().map(|one| &one.key).collect();
    }
    if meant.len() > 1 && !args.all {
        let shown: Vec<_> = meant.iter().map(ToString::to_string).collect();
        let what = format!("{} objects have the action `{}`", meant.len(), args.action);
        return Err(Diagnostic::user("ActionAmbiguous", what)
            .at(shown.join(", "))
            .fix("name one with --kind and --resource-name, or add --all"));
    }
    if meant.is_empty() {
        let what = format!("no selected object has the action `{}`", args.action);
        return Err(Diagnostic::user("ActionUnknown", what).fix(format!(
            "see `argosy app actions list {}`",
            args.objects.name
        )));
    }
    let parameters = args.param.into_iter().collect();
    for key in meant {
        let done = actions::run(&hub, &name, key, &args.action, &parameters).await;
        for line in done.map_err(|why| failed(&args.objects.name, why))? {
            output::line(line);
        }
    }
    Ok(Outcome::Success)
}
