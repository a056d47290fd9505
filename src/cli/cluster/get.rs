//! `argosy cluster get NAME`.

use std::fmt::Write as _;

use clap::Parser;

use super::{Registered, find};
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};

/// Shows one cluster.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy cluster get prod")]
pub(crate) struct Args {
    /// The cluster's name or server.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let cluster = find(&args.hub, &args.name).await?;
    output::document(args.output, &cluster, || text(&cluster))?;
    Ok(Outcome::Success)
}

fn text(cluster: &Registered) -> String {
    let info = &cluster.connection;
    let labels: Vec<_> = cluster
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let facts = [
        ("Name", cluster.name.clone()),
        ("Server", cluster.server.clone()),
        ("Version", info.server_version.clone()),
        ("Status", cluster.status()),
        ("Message", info.message.clone()),
        (
            "Last Contact",
            info.last_contact.clone().unwrap_or_default(),
        ),
        ("Applications", info.applications_count.to_string()),
        ("Labels", labels.join(", ")),
        (
            "Namespaces",
            cluster
                .namespaces
                .as_ref()
                .map(|names| names.join(", "))
                .unwrap_or_default(),
        ),
        ("Project", cluster.project.clone().unwrap_or_default()),
        ("Secret", cluster.secret.clone().unwrap_or_default()),
    ];
    let mut text = String::new();
    for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{:<15}{value}", format!("{label}:"));
    }
    text
}
