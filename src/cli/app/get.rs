//! `argosy app get NAME`.

use std::fmt::Write as _;

use argosy_crds::application::ResourceStatus;
use argosy_crds::{Application, names};
use argosy_engine::operation::pause_of;
use clap::Parser;
use jiff::Timestamp;

use super::{find, refresh, show};
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome};

/// Shows one application.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy app get web")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// Have the hub look at it anew first.
    #[arg(long)]
    refresh: bool,
    /// Have the hub render and look at it anew first.
    #[arg(long)]
    hard_refresh: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api().await?;
    if args.refresh || args.hard_refresh {
        refresh::refresh(&api, &args.name, args.hard_refresh).await?;
    }
    let app = find(&api, &args.name).await?;
    output::document(args.output, &app, || text(&app))?;
    Ok(Outcome::Success)
}

fn text(app: &Application) -> String {
    let mut text = String::new();
    for (label, value) in facts(app) {
        let _ = writeln!(text, "{:<20}{value}", format!("{label}:"));
    }
    let Some(status) = &app.status else {
        return text;
    };
    for condition in &status.conditions {
        let _ = writeln!(text, "\n{}\n  {}", condition.type_, condition.message);
    }
    if let Some(operation) = &status.operation_state {
        let _ = writeln!(
            text,
            "\nLast operation: {} {}",
            operation.phase, operation.message
        );
    }
    if !status.resources.is_empty() {
        let _ = write!(text, "\n{}", resources(&status.resources));
    }
    text
}

fn facts(app: &Application) -> Vec<(&'static str, String)> {
    let automated = app
        .spec
        .sync_policy
        .as_ref()
        .and_then(|policy| policy.automated.as_ref());
    let heals = app.annotation(names::annotation::SELF_HEAL).is_some();
    let policy = match automated {
        None if heals => "Manual, self-heal".to_owned(),
        None => "Manual".to_owned(),
        Some(automated) if heals && automated.enabled == Some(false) => {
            "Manual or by the rollout of its ApplicationSet, self-heal".to_owned()
        }
        Some(automated) if automated.enabled == Some(false) => {
            "Manual (automation is off)".to_owned()
        }
        Some(automated) => {
            let mut policy = "Automated".to_owned();
            if automated.prunes() {
                policy.push_str(", prune");
            }
            if automated.self_heals() {
                policy.push_str(", self-heal");
            }
            policy
        }
    };
    let pause = pause_of(app, Timestamp::now());
    let health = app
        .status
        .as_ref()
        .map(|status| status.health.message.clone())
        .unwrap_or_default();
    let health = match (show::health(app), health.as_str()) {
        (code, "") => code,
        (code, message) => format!("{code} ({message})"),
    };
    let target = app
        .spec
        .sources()
        .first()
        .map(|source| source.target_revision.clone());
    let mut facts = vec![
        (
            "Name",
            format!(
                "{}/{}",
                app.metadata.namespace.as_deref().unwrap_or_default(),
                show::name(app)
            ),
        ),
        ("Project", app.spec.project_or_default().to_owned()),
        ("Cluster", show::cluster(app)),
        ("Namespace", app.spec.destination.namespace.clone()),
        ("Repo", show::repo(app)),
        (
            "Target",
            target
                .filter(|target| !target.is_empty())
                .unwrap_or_else(|| "HEAD".to_owned()),
        ),
        ("Path", show::path(app)),
        ("Sync Policy", policy),
        (
            "Sync Status",
            format!("{} ({})", show::sync(app), show::revision(app)),
        ),
        ("Health Status", health),
    ];
    facts.extend(pause.map(|pause| ("Paused", pause.message())));
    facts
}

fn resources(resources: &[ResourceStatus]) -> String {
    let mut table = plain_table();
    table.set_header([
        "GROUP",
        "KIND",
        "NAMESPACE",
        "NAME",
        "STATUS",
        "HEALTH",
        "WAVE",
    ]);
    for resource in resources {
        let health = resource.health.as_ref().and_then(|health| health.status);
        let status = match (resource.status, resource.requires_pruning) {
            (Some(code), true) => format!("{code} (requires pruning)"),
            (Some(code), false) => code.to_string(),
            (None, _) => String::new(),
        };
        table.add_row([
            resource.group.clone(),
            resource.kind.clone(),
            resource.namespace.clone(),
            resource.name.clone(),
            status,
            health.map(|code| code.to_string()).unwrap_or_default(),
            resource.sync_wave.to_string(),
        ]);
    }
    trimmed(&table)
}
