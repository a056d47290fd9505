//! `argosy up --data DIR`: a hub with its own embedded cluster, kept on disk, for managing real
//! clusters from a laptop or a small server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use serde_json::json;

use super::metrics_args::MetricsArgs;
use super::otlp_args::OtlpArgs;
use super::output::{self, Format};
use super::plugins_args::PluginsArgs;
use super::{CommandResult, Outcome, interrupted};
use crate::config::HubConfig;
use crate::embedded::{DataDir, Embedded, Options};
use crate::hub::Hub;
use crate::telemetry::{self, LogFormat};

/// Runs a hub on an embedded cluster whose state is kept in a directory.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy up --data ~/argosy -o json")]
pub(crate) struct Args {
    /// The directory of its state, kubeconfig and caches.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The port of its API server on this machine [default: any that is free].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Where it serves metrics, health checks and webhooks.
    #[arg(long, value_name = "ADDRESS", default_value_t = HubConfig::LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    plugins: PluginsArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    otlp: OtlpArgs,
    /// The form of the logs.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// The form of the answer, which tells the address and the kubeconfig.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let logs = telemetry::start(args.log_format, "warn,argosy=info");
    let otlp = args.otlp.settings()?;
    let data = DataDir::open(&args.data)?;
    let options = Options {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port),
        persist: true,
    };
    let embedded = Embedded::start(&data, &options).await?;
    let mut config = HubConfig::new(data.path("cache"));
    config.listen = args.listen;
    config.plugins = args.plugins.folder();
    config.metrics = args.metrics.config();
    config.logs = logs;
    config.otlp = otlp;
    let hub = Hub::start(config, embedded.client.clone())?;
    let address = crate::server::serve(&hub).await?;
    let kubeconfig = embedded.write_kubeconfig(&data, &[])?;
    let (address, kubeconfig) = (format!("http://{address}"), kubeconfig.display());
    let told = json!({"address": address, "kubeconfig": kubeconfig.to_string()});
    output::document(args.output, &told, || {
        format!("hub at {address}\nkubeconfig: {kubeconfig}")
    })?;
    interrupted().await;
    hub.shut_down().await;
    Ok(Outcome::Success)
}
