//! `argosy appset list`.

use argosy_crds::ApplicationSet;
use clap::Parser;
use kube::Api;
use kube::api::ListParams;

use super::show;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;

/// How many sets one request asks for, as kubectl does.
const PAGE: u32 = 500;

/// Lists ApplicationSets.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy appset list -l team=web -o wide")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// Only sets with these labels, such as `env=prod,team!=web`.
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Only sets whose template names one of these projects.
    #[arg(short, long)]
    project: Vec<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api::<ApplicationSet>().await?;
    let mut items = all(&api, args.selector).await?;
    items.retain(|set| {
        let project = show::project(set);
        args.project.is_empty() || args.project.contains(&project)
    });
    Listing {
        items: &items,
        resource: "applicationset.argoproj.io",
        name: show::name,
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

/// All sets, page by page.
pub(super) async fn all(
    api: &Api<ApplicationSet>,
    selector: Option<String>,
) -> Result<Vec<ApplicationSet>, Diagnostic> {
    let mut params = ListParams {
        label_selector: selector,
        ..ListParams::default().limit(PAGE)
    };
    let mut items = Vec::new();
    loop {
        let page = api
            .list(&params)
            .await
            .map_err(|error| failed("cannot list ApplicationSets", &error))?;
        items.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(items),
        }
    }
}

const COLUMNS: [Column<ApplicationSet>; 9] = [
    Column {
        heading: "NAME",
        wide: false,
        cell: show::name,
    },
    Column {
        heading: "PROJECT",
        wide: false,
        cell: show::project,
    },
    Column {
        heading: "SYNCPOLICY",
        wide: false,
        cell: show::policy,
    },
    Column {
        heading: "APPLICATIONS",
        wide: false,
        cell: show::applications,
    },
    Column {
        heading: "HEALTH",
        wide: false,
        cell: show::health,
    },
    Column {
        heading: "CONDITIONS",
        wide: false,
        cell: show::conditions,
    },
    Column {
        heading: "STRATEGY",
        wide: true,
        cell: show::strategy,
    },
    Column {
        heading: "REPO",
        wide: true,
        cell: show::repo,
    },
    Column {
        heading: "PATH",
        wide: true,
        cell: show::path,
    },
];
