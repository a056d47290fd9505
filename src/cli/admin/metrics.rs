//! `argosy admin metrics`.

use clap::Parser;

use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::{Diagnostic, Kind};
use crate::metrics;

/// Print the page that documents all metrics of the hub.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy admin metrics > docs/reference/metrics.md")]
pub(crate) struct Args;

pub(super) fn run(_: &Args) -> CommandResult {
    let declarations = metrics::declarations().map_err(|error| {
        Diagnostic::new(
            Kind::Internal,
            "MetricsFailed",
            "cannot declare the metrics",
        )
        .because(&error)
    })?;
    output::line(metrics::page(&declarations).trim_end());
    Ok(Outcome::Success)
}
