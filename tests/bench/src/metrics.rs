//! `bench metrics`: what a scrape of a large fleet costs, and what metrics cost a hub that syncs.
//!
//! The applications are at rest, as after a restart; each sync since would add series.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use prometheus::{IntCounterVec, Opts};
use serde_json::{Value, json};

use crate::clusters::Clusters;
use crate::figures::{figure, ms, say, until};
use crate::fleet;
use crate::hub::Hub;
use crate::usage;

/// How often the metrics are scraped to know what one scrape costs.
const SCRAPES: u32 = 10;

/// How often Prometheus scrapes where nobody says otherwise but a little oftener.
const INTERVAL: Duration = Duration::from_secs(15);

const MIB: f64 = 1024.0 * 1024.0;

#[derive(Args)]
pub(crate) struct Options {
    /// How many applications.
    #[arg(long, default_value_t = 50_000)]
    applications: usize,
}

pub(crate) async fn run(program: &Path, options: &Options) -> anyhow::Result<()> {
    let clusters = Clusters::simulated(1).await?;
    let client = &clusters.hub().client;
    fleet::prepare_hub(client).await?;
    fleet::apply_all(client, (0..options.applications).map(application)).await?;
    let folder = tempfile::tempdir()?;
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, clusters.hub().kubeconfig())?;
    say(&format!("{} applications", options.applications))?;
    // The first hub writes what it thinks of them; the second finds it written.
    for (mode, targets) in [("each", ["1000", "20"]), ("sums", ["1000", "0.2"])] {
        let flags = ["--metrics-applications", mode];
        let hub = Hub::start_with(program, &kubeconfig, folder.path(), &flags)?;
        until("all applications were looked at", async || {
            // It does not listen at once, and has many answers to give meanwhile.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let looked_at = hub.metric("argocd_app_reconcile_count", "");
            Ok(looked_at.is_ok_and(|count| count >= as_number(options.applications)))
        })
        .await?;
        rest(&hub).await?;
        report(&hub, mode, targets).with_context(|| {
            let log = std::fs::read_to_string(folder.path().join("hub.log"));
            format!("the hub said:\n{}", log.unwrap_or_default())
        })?;
    }
    Ok(())
}

/// Waits until the hub has taken in what it wrote itself.
async fn rest(hub: &Hub) -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_secs(1);
    until("the hub rests", async || {
        let before = usage::cpu(hub.process())?;
        tokio::time::sleep(LOOK).await;
        let used = usage::cpu(hub.process())?.saturating_sub(before);
        Ok(used < LOOK / 20)
    })
    .await
}

fn report(hub: &Hub, mode: &str, [time, size]: [&str; 2]) -> anyhow::Result<()> {
    let text = hub.exposition()?;
    let scrape = Scrape::measure(hub)?;
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    let name = |what: &str| format!("{mode}: {what}");
    figure(&name("series"), as_number(series), "", "")?;
    figure(&name("time of a scrape"), ms(scrape.took), "ms", time)?;
    figure(&name("hub CPU of a scrape"), ms(scrape.cpu), "ms", "")?;
    figure(&name("size"), as_number(text.len()) / MIB, "MiB", size)?;
    let zipped = as_number(scrape.bytes) / MIB;
    figure(&name("size on the wire, zipped"), zipped, "MiB", "")
}

/// What one scrape costs on the average.
struct Scrape {
    took: Duration,
    cpu: Duration,
    bytes: usize,
}

impl Scrape {
    fn measure(hub: &Hub) -> anyhow::Result<Self> {
        let before = usage::cpu(hub.process())?;
        let (mut took, mut bytes) = (Duration::ZERO, 0);
        for _ in 0..SCRAPES {
            let scrape = hub.scrape()?;
            took += scrape.0;
            bytes = scrape.1;
        }
        let used = usage::cpu(hub.process())?.saturating_sub(before);
        Ok(Self {
            took: took / SCRAPES,
            cpu: used / SCRAPES,
            bytes,
        })
    }
}

/// Tells which share metrics have in the CPU time that a hub used over some time: what it counted,
/// and the scrapes that Prometheus would have made.
pub(crate) fn share(hub: &Hub, over: Duration) -> anyhow::Result<()> {
    let used = usage::cpu(hub.process())?;
    let scrapes = (over.as_secs_f64() / INTERVAL.as_secs_f64()).max(1.0);
    let scraped = Scrape::measure(hub)?.cpu.as_secs_f64() * scrapes;
    let counted = counts(&hub.exposition()?) * counting()?.as_secs_f64();
    let share = (scraped + counted) / used.as_secs_f64().max(f64::EPSILON) * 100.0;
    figure("share of metrics in the hub's CPU", share, "%", "2")
}

/// How often something was counted, by the sum of all that was.
fn counts(exposition: &str) -> f64 {
    let series = exposition.lines().filter(|line| !line.starts_with('#'));
    let counted = series.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let name = series.split_once('{').map_or(series, |(name, _)| name);
        let is_count = name.ends_with("_total") || name.ends_with("_count");
        value.parse::<f64>().ok().filter(|_| is_count)
    });
    counted.sum()
}

/// What it costs to count something that has as many labels as the family that has the most.
fn counting() -> anyhow::Result<Duration> {
    const TIMES: u32 = 100_000;
    let labels = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let counter = IntCounterVec::new(Opts::new("counted", "Counted."), &labels)?;
    let before = usage::own_cpu()?;
    for _ in 0..TIMES {
        counter.with_label_values(&labels).inc();
    }
    Ok(usage::own_cpu()?.saturating_sub(before) / TIMES)
}

/// One that is at rest, on a cluster that nobody has registered: nothing is to be done about it.
fn application(index: usize) -> Value {
    let team = index % 100;
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": format!("team-{team:02}-service-{index:05}"), "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": format!("https://git.example.com/team-{team:02}/deploy.git"),
                "path": "deploy", "targetRevision": "main",
            },
            "destination": {
                "server": format!("https://cluster-{:02}.example.com:6443", index % 20),
                "namespace": format!("team-{team:02}"),
            },
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
        "status": {"operationState": {
            "phase": "Succeeded", "message": "successfully synced (all tasks run)",
            "operation": {"sync": {"revision": "a".repeat(40)}},
            "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z",
        }},
    })
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn as_number(count: usize) -> f64 {
    count as f64
}
