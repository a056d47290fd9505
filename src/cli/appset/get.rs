//! `argosy appset get NAME`.

use std::fmt::Write as _;

use argosy_crds::ApplicationSet;
use argosy_crds::application::ResourceStatus;
use clap::Parser;

use super::find::find;
use super::rollout::RolloutView;
use super::show;
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome};

/// Shows one ApplicationSet.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy appset get fleet --rollout")]
pub(crate) struct Args {
    /// The ApplicationSet.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// Show its rollout instead: the steps, and what each application waits for.
    #[arg(long)]
    rollout: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api::<ApplicationSet>().await?;
    let set = find(&api, &args.name).await?;
    if args.rollout {
        let view = RolloutView::of(&set)?;
        output::document(args.output, &view, || view.text())?;
    } else {
        output::document(args.output, &set, || text(&set))?;
    }
    Ok(Outcome::Success)
}

fn text(set: &ApplicationSet) -> String {
    let mut text = String::new();
    let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
    let health = set.status.as_ref().map(|status| &status.health);
    let health = match health.map_or("", |health| health.message.as_str()) {
        "" => show::health(set),
        message => format!("{} ({message})", show::health(set)),
    };
    for (label, value) in [
        ("Name", format!("{namespace}/{}", show::name(set))),
        ("Project", show::project(set)),
        ("Repo", show::repo(set)),
        ("Path", show::path(set)),
        ("Sync Policy", show::policy(set)),
        ("Strategy", show::strategy(set)),
        ("Applications", show::applications(set)),
        ("Health Status", health),
    ] {
        let _ = writeln!(text, "{:<20}{value}", format!("{label}:"));
    }
    for condition in show::standing_out(set) {
        let _ = writeln!(text, "\n{}\n  {}", condition.type_, condition.message);
    }
    let resources = set.status.iter().flat_map(|status| &status.resources);
    let resources: Vec<_> = resources.collect();
    if !resources.is_empty() {
        let _ = write!(text, "\n{}", applications(&resources));
    }
    text
}

fn applications(resources: &[&ResourceStatus]) -> String {
    let mut table = plain_table();
    table.set_header(["APPLICATION", "STATUS", "HEALTH"]);
    for resource in resources {
        let health = resource.health.as_ref().and_then(|health| health.status);
        table.add_row([
            resource.name.clone(),
            resource
                .status
                .map(|code| code.to_string())
                .unwrap_or_default(),
            health.map(|code| code.to_string()).unwrap_or_default(),
        ]);
    }
    trimmed(&table)
}
