//! Benchmarks of a hub that runs as a process of its own, so that what is measured is what is
//! shipped. `cargo xtask bench` builds the hub and starts this.

mod appset;
mod clusters;
mod compare;
mod figures;
mod fleet;
mod hub;
mod metrics;
mod render;
mod requests;
mod sync;
mod tools;
mod usage;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Benchmarks of the hub")]
struct Arguments {
    /// The hub's program.
    #[arg(long)]
    argosy: PathBuf,
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// The expansion of large ApplicationSets, and a hub with many of them.
    Appset(appset::Options),
    /// A fleet's first sync, a heal and a commit.
    Sync(sync::Options),
    /// Scrapes of a large fleet's metrics.
    Metrics(metrics::Options),
    /// Comparisons, and live objects in memory.
    Compare(compare::Options),
    /// What commits and refreshes cost the render cache.
    Render(render::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Nothing has installed another one before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match arguments.benchmark {
        Benchmark::Appset(options) => appset::run(&arguments.argosy, &options).await,
        Benchmark::Sync(options) => sync::run(&arguments.argosy, &options).await,
        Benchmark::Metrics(options) => metrics::run(&arguments.argosy, &options).await,
        Benchmark::Compare(options) => compare::run(&options),
        Benchmark::Render(options) => render::run(&options).await,
    }
}
