//! `argosy repo test URL`.

use clap::Parser;
use serde_json::json;

use super::{Known, Tester};
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, Outcome, output};
use crate::source::shown_url;

/// Asks a repository, from where the command runs, whether it accepts what the hub has for it.
///
/// It need not be registered. The exit code is 1 if it does not.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy repo test https://git.example.com/fleet.git")]
pub(crate) struct Args {
    /// The repository's URL or name.
    repository: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The project whose registration to use.
    #[arg(long)]
    project: Option<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let known = Known::read(&args.hub).await?;
    let project = args.project.as_deref();
    let repository = match known.find(&args.repository, project) {
        Ok((_, registered)) => known.effective(&registered),
        Err(absent) if args.repository.contains("://") || args.repository.contains('@') => {
            drop(absent);
            known
                .repositories
                .find(&args.repository, project.unwrap_or_default())
        }
        Err(absent) => return Err(absent),
    };
    let shown = shown_url(&repository.url);
    let credentials = repository.credentials.shown();
    let (error, outcome) = match Tester::new()?.ask(&repository).await {
        Ok(()) => (None, Outcome::Success),
        Err(error) => (Some(error.to_string()), Outcome::Negative),
    };
    let answer = json!({
        "repository": shown, "answers": error.is_none(), "credentials": credentials, "error": error,
    });
    output::document(args.output, &answer, || {
        error.unwrap_or_else(|| format!("{shown} answers (credentials: {credentials})"))
    })?;
    Ok(outcome)
}
