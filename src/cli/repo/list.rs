//! `argosy repo list`.

use clap::Parser;

use super::{Known, Registered, secret, shown};
use crate::cli::hub_access::HubArgs;
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};

/// Lists the registered repositories and whether they answer here, from where the command runs.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy repo list")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// List the credentials for many repositories instead.
    #[arg(long)]
    creds: bool,
    /// Do not ask the repositories.
    #[arg(long)]
    skip_test: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let known = Known::read(&args.hub).await?;
    let kind = if args.creds {
        secret::TEMPLATE
    } else {
        secret::REPOSITORY
    };
    let asks = !args.creds && !args.skip_test && args.output != ListFormat::Name;
    let repositories = shown(&known, kind, asks).await?;
    Listing {
        items: &repositories,
        resource: "repository",
        name: |repository| repository.repo.clone(),
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

const COLUMNS: [Column<Registered>; 8] = [
    Column {
        heading: "TYPE",
        wide: false,
        cell: |repository| repository.kind.to_owned(),
    },
    Column {
        heading: "NAME",
        wide: false,
        cell: |repository| repository.name.clone(),
    },
    Column {
        heading: "REPO",
        wide: false,
        cell: |repository| repository.repo.clone(),
    },
    Column {
        heading: "STATUS",
        wide: false,
        cell: |repository| repository.connection_state.status.to_owned(),
    },
    Column {
        heading: "PROJECT",
        wide: false,
        cell: |repository| repository.project.clone().unwrap_or_default(),
    },
    Column {
        heading: "MESSAGE",
        wide: false,
        cell: |repository| repository.connection_state.message.clone(),
    },
    Column {
        heading: "CREDENTIALS",
        wide: true,
        cell: |repository| repository.credentials.clone(),
    },
    Column {
        heading: "SECRET",
        wide: true,
        cell: |repository| repository.secret.clone(),
    },
];
