//! `argosy admin match`: what a glob or a regular expression matches.

use std::path::PathBuf;

use argosy_glob::{gobwas, list};
use serde_json::json;

use super::json_file;
use crate::cli::{CommandResult, Outcome, output};

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin match --pattern 'prod-*' --texts names.json")]
pub(crate) struct Args {
    /// The pattern.
    #[arg(long)]
    pattern: String,
    /// A JSON list of texts.
    #[arg(long, value_name = "FILE")]
    texts: PathBuf,
    /// Read a pattern between slashes as a regular expression.
    #[arg(long)]
    regexp: bool,
    /// A character that `*` and `?` do not match.
    #[arg(long, default_value = "")]
    separator: String,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    let texts: Vec<String> = json_file(&args.texts)?;
    let separators: Vec<char> = args.separator.chars().collect();
    let matched: Vec<bool> = texts
        .iter()
        .map(|text| {
            if args.regexp {
                list::matches(&[&args.pattern], text, list::Syntax::Regexp)
            } else {
                gobwas::matches(&args.pattern, text, &separators)
            }
        })
        .collect();
    output::document(args.output, &json!({"match": matched}), || {
        super::each(&texts, &matched)
    })?;
    Ok(Outcome::Success)
}
