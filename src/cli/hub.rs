//! `argosy hub`.

use std::net::SocketAddr;
use std::path::PathBuf;

use argosy_engine::normalise::quantity::Quantity;
use clap::Parser;
use futures::future::try_join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client};

use super::hub_access::HubArgs;
use super::leader_args::LeaderArgs;
use super::metrics_args::MetricsArgs;
use super::otlp_args::OtlpArgs;
use super::plugins_args::PluginsArgs;
use super::{CommandResult, Outcome, output};
use crate::config::HubConfig;
use crate::diagnostic::Diagnostic;
use crate::hub::Hub;
use crate::server;
use crate::setup;
use crate::telemetry::{self, LogFormat};

/// Runs a hub on a Kubernetes cluster.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy hub --install-crds
  argosy hub --context fleet --data /var/lib/argosy --log-format json")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// Where mirrors of repositories are kept; a cache that may be deleted.
    #[arg(long, env = "ARGOSY_DATA", default_value = "/var/lib/argosy")]
    data: PathBuf,
    /// How much disk the mirrors may take together, such as `20Gi`; those that no application follows
    /// make room for others.
    #[arg(long, env = "ARGOSY_GIT_QUOTA", value_name = "SIZE", value_parser = bytes, default_value = "6Gi")]
    git_quota: u64,
    /// Where to serve metrics, health checks and webhooks.
    #[arg(long, env = "ARGOSY_LISTEN", default_value_t = HubConfig::LISTEN)]
    listen: SocketAddr,
    /// How many applications of one cluster are worked on at once.
    #[arg(long, default_value_t = 8)]
    workers_per_cluster: usize,
    /// Install or update the custom resource definitions at the start.
    #[arg(long)]
    install_crds: bool,
    /// Watch other namespaces, too: those that `application.namespaces` and
    /// `applicationsetcontroller.namespaces` in argocd-cmd-params-cm name.
    #[arg(long)]
    any_namespace: bool,
    /// Write nothing at all, and compare every verdict with the status that an Argo CD wrote: the
    /// log, the metrics `argosy_shadow_*` and `/api/shadow` tell where they differ.
    #[arg(long, conflicts_with = "install_crds")]
    shadow: bool,
    #[command(flatten)]
    plugins: PluginsArgs,
    #[command(flatten)]
    leader: LeaderArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    otlp: OtlpArgs,
    /// The form of the logs.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let logs = telemetry::start(args.log_format, "info");
    let otlp = args.otlp.settings()?;
    let client = args.hub.client().await?;
    if args.install_crds {
        setup::install_crds(&client).await?;
    }
    check_crds(&client).await?;
    if !args.shadow {
        setup::namespace(&client, &args.hub.namespace).await?;
    }
    let config = HubConfig {
        namespace: args.hub.namespace.clone(),
        git_quota: args.git_quota,
        listen: args.listen,
        workers_per_cluster: args.workers_per_cluster.max(1),
        any_namespace: args.any_namespace,
        plugins: args.plugins.folder(),
        metrics: args.metrics.config(),
        logs,
        otlp,
        shadow: args.shadow,
        candidate: args.leader.candidate()?,
        ..HubConfig::new(args.data)
    };
    let hub = Hub::start(config, client)?;
    let address = server::serve(&hub).await?;
    hub.advertise(args.leader.reached_at(address));
    output::note(format!("the hub serves on http://{address}"));
    let is_lost = tokio::select! {
        biased;
        () = super::interrupted() => false,
        () = hub.stopped() => true,
    };
    output::note("shutting down");
    hub.shut_down().await;
    if is_lost {
        return Err(lease_lost());
    }
    Ok(Outcome::Success)
}

/// Nothing but a lost lease stops a hub that nobody interrupts.
fn lease_lost() -> Diagnostic {
    Diagnostic::remote("LeaseLost", "this hub no longer leads and has ended").fix(
        "start it again, which its pod does by itself: it then stands by for the one that leads",
    )
}

/// Reads a size as Kubernetes writes it.
fn bytes(text: &str) -> Result<u64, &'static str> {
    let amount = Quantity::parse(text).map(|size| size.amount());
    let bytes = amount.and_then(|(value, exponent)| {
        let scale = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
        u64::try_from(value.checked_mul(scale)?).ok()
    });
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or("write a size such as 500Mi or 20Gi")
}

/// Makes sure that the API server knows Argo CD's kinds, before anything waits for them in vain.
async fn check_crds(client: &Client) -> Result<(), Diagnostic> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let names = ["applications", "applicationsets", "appprojects"];
    let names = names.map(|name| format!("{name}.{}", argosy_crds::names::GROUP));
    // A whole definition is a megabyte.
    let found = names.iter().map(|name| api.get_metadata_opt(name));
    let found = try_join_all(found).await.map_err(|error| {
        super::hub_access::failed("cannot look for the custom resource definitions", &error)
    })?;
    match names.iter().zip(found).find(|(_, found)| found.is_none()) {
        Some((name, _)) => Err(Diagnostic::config(
            "CrdsMissing",
            format!("the definition `{name}` is not installed"),
        )
        .fix("start with --install-crds, or apply the files in crds/ with kubectl")),
        None => Ok(()),
    }
}
