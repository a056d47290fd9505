//! `argosy repo rm URL`.

use clap::Parser;
use k8s_openapi::api::core::v1::Secret;

use super::{Known, name_of, secret};
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, Outcome, output, registration};
use crate::diagnostic::Diagnostic;
use crate::source::shown_url;

/// Lets go of a repository, or of credentials for many. Applications that use it stay, and read it
/// anonymously.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy repo rm https://git.example.com/fleet.git")]
pub(crate) struct Args {
    /// The repository's URL or name.
    repository: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The project that it is registered for, where there are several.
    #[arg(long)]
    project: Option<String>,
    /// Let go of the credentials for all repositories below the URL instead.
    #[arg(long, conflicts_with = "project")]
    creds: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let known = Known::read(&args.hub).await?;
    let shown = shown_url(&args.repository);
    let found = if args.creds {
        let mut templates = known.of_kind(secret::TEMPLATE);
        let found = templates.find(|(_, one)| one.is_at(&args.repository));
        found.ok_or_else(|| {
            Diagnostic::user("NotFound", format!("there are no credentials for {shown}"))
                .fix("list them with `argosy repo list --creds`")
        })?
    } else {
        known.find(&args.repository, args.project.as_deref())?
    };
    let api = args.hub.api::<Secret>().await?;
    registration::release(&api, name_of(found.0)).await?;
    output::line(format!("{shown} is let go of"));
    Ok(Outcome::Success)
}
