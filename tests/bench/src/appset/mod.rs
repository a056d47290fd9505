//! `bench appset`: what it costs to expand a large set, and what a push or a changed cluster costs a
//! hub with many sets.

mod expansion;
mod sets;

use std::path::Path;

use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// How many clusters the largest matrix has.
    #[arg(long, default_value_t = 500)]
    clusters: usize,
    /// How many directories each matrix has.
    #[arg(long, default_value_t = 200)]
    directories: usize,
    /// How many sets the hub has.
    #[arg(long, default_value_t = 500)]
    sets: usize,
    /// Expand one matrix in this process and print what it took, for the benchmark itself.
    #[arg(long, hide = true)]
    expand: Option<usize>,
    /// With `--expand`: Go templates.
    #[arg(long, hide = true)]
    go: bool,
}

pub(crate) async fn run(program: &Path, options: &Options) -> anyhow::Result<()> {
    if let Some(clusters) = options.expand {
        return expansion::measure(clusters, options.directories, options.go);
    }
    expansion::run(options.clusters, options.directories)?;
    sets::run(program, options.sets).await
}
