//! `argosy repo get URL`.

use std::fmt::Write as _;

use clap::Parser;

use super::{Known, Registered, Tester};
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};

/// Shows one repository and whether it answers here, from where the command runs.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy repo get https://git.example.com/fleet.git")]
pub(crate) struct Args {
    /// The repository's URL or name.
    repository: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The project that it is registered for, where there are several.
    #[arg(long)]
    project: Option<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let known = Known::read(&args.hub).await?;
    let (secret, repository) = known.find(&args.repository, args.project.as_deref())?;
    let effective = known.effective(&repository);
    let state = Tester::new()?.ask(&effective).await.into();
    let shown = Registered {
        credentials: effective.credentials.shown(),
        ..Registered::new(secret, &repository, state)
    };
    output::document(args.output, &shown, || text(&shown))?;
    Ok(Outcome::Success)
}

fn text(repository: &Registered) -> String {
    let state = &repository.connection_state;
    let flag = |is_set: bool| if is_set { "true" } else { "" };
    let facts = [
        ("Repo", repository.repo.as_str()),
        ("Type", repository.kind),
        ("Name", &repository.name),
        ("Project", repository.project.as_deref().unwrap_or_default()),
        ("Credentials", &repository.credentials),
        ("Insecure", flag(repository.insecure)),
        ("OCI", flag(repository.enable_oci)),
        ("LFS", flag(repository.enable_lfs)),
        ("Secret", &repository.secret),
        ("Status", state.status),
        ("Message", &state.message),
    ];
    let mut text = String::new();
    for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:<15}{value}", format!("{label}:"));
    }
    text
}
