//! `argosy app list`.

use argosy_crds::Application;
use clap::Parser;
use kube::api::ListParams;

use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};

/// Lists applications.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy app list
  argosy app list -l team=web -o wide")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// Only applications with these labels, such as `env=prod,team!=web`.
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Only applications of these projects.
    #[arg(short, long)]
    project: Vec<String>,
    /// Only applications on this cluster, by name or server.
    #[arg(short, long)]
    cluster: Option<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api::<Application>().await?;
    let params = ListParams {
        label_selector: args.selector,
        ..ListParams::default()
    };
    let list = api
        .list(&params)
        .await
        .map_err(|error| failed("cannot list applications", &error))?;
    let wanted = |application: &Application| {
        let destination = &application.spec.destination;
        (args.project.is_empty()
            || args
                .project
                .iter()
                .any(|name| name == application.spec.project_or_default()))
            && args.cluster.as_ref().is_none_or(|cluster| {
                destination.name == *cluster || destination.server == *cluster
            })
    };
    let items: Vec<_> = list.items.into_iter().filter(wanted).collect();
    Listing {
        items: &items,
        resource: "application.argoproj.io",
        name: super::show::name,
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

const COLUMNS: [Column<Application>; 10] = [
    Column {
        heading: "NAME",
        wide: false,
        cell: super::show::name,
    },
    Column {
        heading: "CLUSTER",
        wide: false,
        cell: super::show::cluster,
    },
    Column {
        heading: "NAMESPACE",
        wide: false,
        cell: |app| app.spec.destination.namespace.clone(),
    },
    Column {
        heading: "PROJECT",
        wide: false,
        cell: |app| app.spec.project_or_default().to_owned(),
    },
    Column {
        heading: "STATUS",
        wide: false,
        cell: super::show::sync,
    },
    Column {
        heading: "HEALTH",
        wide: false,
        cell: super::show::health,
    },
    Column {
        heading: "REVISION",
        wide: false,
        cell: super::show::revision,
    },
    Column {
        heading: "CONDITIONS",
        wide: false,
        cell: super::show::conditions,
    },
    Column {
        heading: "REPO",
        wide: true,
        cell: super::show::repo,
    },
    Column {
        heading: "PATH",
        wide: true,
        cell: super::show::path,
    },
];
