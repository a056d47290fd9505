//! `argosy version`.

use clap::Parser;
use serde_json::json;

use super::{CommandResult, Outcome, output};

#[derive(Parser)]
#[command(after_help = "Example:
  argosy version -o json")]
pub(crate) struct Args {
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    let version = env!("CARGO_PKG_VERSION");
    output::document(args.output, &json!({ "argosy": version }), || {
        format!("argosy {version}")
    })?;
    Ok(Outcome::Success)
}
