//! `argosy appset lint FILE…`: what is likely wrong with sets, before they are applied.

mod hub;
mod offline;

use std::path::{Path, PathBuf};

use argosy_crds::ApplicationSet;
use argosy_generators::lint::{Finding, Level, Subject, lint};
use argosy_generators::{Error, Expansion, Facts, Settings};
use clap::Parser;
use serde_json::{Value, json};

use super::offline::OfflineArgs;
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome, block_on};
use crate::diagnostic::Diagnostic;

/// Find what is likely wrong with ApplicationSets.
///
/// That is parameters that no generator yields, values that nothing names, patterns and selectors
/// that match nothing, patches that replace lists, names that repeat. The hub's clusters and repositories are asked; with --offline only what the given files tell.
/// What is not known is not judged.
///
/// Exit status: 0 without errors, 1 with at least one.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  argosy appset lint fleet.yaml
  argosy appset lint sets/*.yaml --offline --repo https://git.example.com/fleet=. -o json")]
pub(crate) struct Args {
    /// The ApplicationSets' manifests.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    hub: HubArgs,
    #[command(flatten)]
    offline: OfflineArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

/// What was found in one file.
struct Linted {
    file: String,
    set: String,
    findings: Vec<Finding>,
}

impl Linted {
    fn new(file: &Path, set: &ApplicationSet, findings: Vec<Finding>) -> Self {
        Self {
            file: file.display().to_string(),
            set: set.metadata.name.clone().unwrap_or_default(),
            findings,
        }
    }
}

pub(crate) fn run(args: &Args) -> CommandResult {
    if args.offline.offline {
        print(args.output, &offline::lint(args)?)
    } else {
        block_on(async { print(args.output, &hub::lint(args).await?) })
    }
}

/// Runs the rules on a set with what its expansion came to.
fn findings(
    set: &ApplicationSet,
    facts: &Facts,
    expansion: &Result<Expansion, Error>,
    settings: &Settings,
) -> Vec<Finding> {
    lint(&Subject {
        set,
        facts,
        expansion,
        settings,
    })
}

fn print(form: Format, linted: &[Linted]) -> CommandResult {
    output::document(form, &document(linted), || table(linted))?;
    let mut all = linted.iter().flat_map(|one| &one.findings);
    Ok(if all.any(|finding| finding.level == Level::Error) {
        Outcome::Negative
    } else {
        Outcome::Success
    })
}

fn table(linted: &[Linted]) -> String {
    let all: usize = linted.iter().map(|one| one.findings.len()).sum();
    if all == 0 {
        return format!("{} without findings", files(linted.len()));
    }
    let mut table = plain_table();
    table.set_header(["FILE", "LEVEL", "RULE", "WHERE", "WHY", "FIX"]);
    for one in linted {
        for finding in &one.findings {
            table.add_row([
                one.file.as_str(),
                finding.level.as_str(),
                finding.rule,
                &finding.place,
                &finding.message,
                &finding.fix,
            ]);
        }
    }
    trimmed(&table)
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

fn document(linted: &[Linted]) -> Value {
    let files: Vec<_> = linted
        .iter()
        .map(|one| {
            let findings: Vec<_> = one
                .findings
                .iter()
                .map(|finding| {
                    json!({
                        "level": finding.level.as_str(), "rule": finding.rule,
                        "where": finding.place, "why": finding.message, "fix": finding.fix,
                    })
                })
                .collect();
            json!({"file": one.file, "set": one.set, "findings": findings})
        })
        .collect();
    Value::Array(files)
}

/// Reads the manifests that the command names.
fn sets(args: &Args) -> Result<Vec<(&PathBuf, ApplicationSet)>, Diagnostic> {
    let files = args.files.iter();
    files
        .map(|file| Ok((file, super::read(file, &args.hub.namespace)?)))
        .collect()
}
