//! `bench sync`: what it costs to bring up a fleet, to heal an object, to follow a commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use argosy_test_support::WorkTree;
use clap::Args;
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::json;
use tokio::sync::mpsc;

use crate::clusters::Clusters;
use crate::figures::{PATIENCE, figure, ms, say, until};
use crate::fleet::{self, OBJECTS};
use crate::hub::Hub;
use crate::metrics;
use crate::requests::Requests;
use crate::usage;

/// How long nothing has to happen before what happened is counted.
const QUIET: Duration = Duration::from_secs(3);
/// How long the applications that a commit changes may take to say so; the others follow seconds later.
const SETTLED: Duration = Duration::from_secs(1);
/// How long it may take until the first of the others is told.
const TOLD: Duration = Duration::from_mins(1);

#[derive(Args)]
pub(crate) struct Options {
    /// Simulated API servers, in this process, instead of real ones.
    #[arg(long)]
    sim: bool,
    /// Real kube-apiservers, which is the default.
    #[arg(long, conflicts_with = "sim")]
    real: bool,
    /// How many applications.
    #[arg(long, default_value_t = 300)]
    applications: usize,
    /// On how many workload clusters they are.
    #[arg(long, default_value_t = 4)]
    clusters: usize,
}

pub(crate) async fn run(program: &Path, options: &Options) -> anyhow::Result<()> {
    let directories = options.applications.div_ceil(options.clusters.max(1));
    let applications = directories * options.clusters;
    let clusters = if options.sim {
        Clusters::simulated(options.clusters + 1).await?
    } else {
        Clusters::real(options.clusters + 1).await?
    };
    let folder = tempfile::tempdir()?;
    let tree = WorkTree::create(folder.path().join("repository"));
    fleet::commit(&tree, directories);
    fleet::prepare(&clusters, &tree.url(), directories).await?;
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, clusters.hub().kubeconfig())?;
    let mut seen = watch(&clusters);
    drain(&mut seen, QUIET).await;

    say(&format!(
        "{applications} applications of {OBJECTS} objects on {} {} clusters",
        options.clusters,
        if options.sim { "simulated" } else { "real" }
    ))?;
    let before = Snapshot::take(&clusters).await?;
    let hub = Hub::start(program, &kubeconfig, folder.path())?;
    let first = first_sync(&mut seen, applications).await.with_context(|| {
        let log = std::fs::read_to_string(folder.path().join("hub.log"));
        format!("the hub said:\n{}", log.unwrap_or_default())
    })?;
    let after = Snapshot::take(&clusters).await?;
    report(&hub, &first, &before, &after, applications)?;
    metrics::share(&hub, first.settled)?;
    heal(&clusters, directories).await?;
    drain(&mut seen, QUIET).await;
    commit(&clusters, &hub, &tree, directories - 1).await?;
    revision(&mut seen, &hub, applications).await?;
    idle(&hub).await
}

/// An application as a watch saw it.
struct Seen {
    name: String,
    synced: bool,
    at: Instant,
}

/// Watches the applications.
fn watch(clusters: &Clusters) -> mpsc::UnboundedReceiver<Seen> {
    let (tell, seen) = mpsc::unbounded_channel();
    let client = &clusters.hub().client;
    let api = fleet::objects(
        client,
        "argoproj.io/v1alpha1",
        "Application",
        Some("argocd"),
    );
    tokio::spawn(async move {
        let mut events = watcher(api, watcher::Config::default()).boxed();
        while let Ok(Some(event)) = events.try_next().await {
            if let Event::Apply(object) | Event::InitApply(object) = event {
                let synced = object.data["status"]["sync"]["status"] == "Synced";
                let name = object.metadata.name.unwrap_or_default();
                let at = Instant::now();
                if tell.send(Seen { name, synced, at }).is_err() {
                    return;
                }
            }
        }
    });
    seen
}

async fn drain(seen: &mut mpsc::UnboundedReceiver<Seen>, quiet: Duration) {
    while tokio::time::timeout(quiet, seen.recv()).await.is_ok() {}
}

struct FirstSync {
    first: Duration,
    all: Duration,
    /// When the last write was seen.
    settled: Duration,
    writes: usize,
}

/// Follows the applications until all of them are synced and nothing is written any more.
async fn first_sync(
    seen: &mut mpsc::UnboundedReceiver<Seen>,
    applications: usize,
) -> anyhow::Result<FirstSync> {
    let start = Instant::now();
    let mut synced: BTreeMap<String, Duration> = BTreeMap::new();
    let (mut writes, mut settled) = (0, Duration::ZERO);
    loop {
        let complete = synced.len() == applications;
        let wait = if complete { QUIET } else { PATIENCE };
        match tokio::time::timeout(wait, seen.recv()).await {
            Ok(Some(one)) => {
                let at = one.at.duration_since(start);
                (writes, settled) = (writes + 1, at);
                if one.synced {
                    synced.entry(one.name).or_insert(at);
                }
            }
            Err(_) if complete => break,
            _ => bail!(
                "only {} of {applications} applications are synced",
                synced.len()
            ),
        }
    }
    Ok(FirstSync {
        first: synced.values().min().copied().unwrap_or_default(),
        all: synced.values().max().copied().unwrap_or_default(),
        settled,
        writes,
    })
}

/// What the API servers have done so far.
struct Snapshot {
    hub: Requests,
    workloads: Requests,
    hub_cpu: Duration,
    workloads_cpu: Duration,
}

impl Snapshot {
    async fn take(clusters: &Clusters) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for cluster in &clusters.all {
            let used = cluster.process.map(usage::cpu).transpose()?;
            let requests = match cluster.process {
                Some(_) => Requests::read(&cluster.client).await?,
                None => Requests::default(),
            };
            all.push((requests, used.unwrap_or_default()));
        }
        let (hub, hub_cpu) = all.remove(0);
        let mut workloads = Requests::default();
        for (requests, _) in &all {
            workloads.add(requests);
        }
        Ok(Self {
            hub,
            workloads,
            hub_cpu,
            workloads_cpu: all.iter().map(|(_, used)| *used).sum(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(
    hub: &Hub,
    first: &FirstSync,
    before: &Snapshot,
    after: &Snapshot,
    applications: usize,
) -> anyhow::Result<()> {
    let each = applications as f64;
    let cpu = usage::cpu(hub.process())?;
    let (peak, now) = usage::memory(hub.process())?;
    let own = after.hub.since(&before.hub);
    let workloads = after.workloads.since(&before.workloads);
    figure("first application Synced", ms(first.first), "ms", "300")?;
    figure("all applications Synced", ms(first.all), "ms", "")?;
    figure("last write of an application", ms(first.settled), "ms", "")?;
    figure("hub CPU per application", ms(cpu) / each, "ms", "10")?;
    figure("hub memory, at most", peak as f64, "MiB", "80")?;
    figure("hub memory, afterwards", now as f64, "MiB", "")?;
    figure(
        "writes per application, seen by a watch",
        first.writes as f64 / each,
        "",
        "3",
    )?;
    if own.total() > 0 {
        let writes = own.writes_of("applications") as f64;
        figure(
            "writes per application, counted by the API server",
            writes / each,
            "",
            "3",
        )?;
        let requests = workloads.total() as f64 / (each * OBJECTS as f64);
        figure(
            "requests to workload clusters per object",
            requests,
            "",
            "1.3",
        )?;
        let used = after.hub_cpu.saturating_sub(before.hub_cpu);
        figure(
            "hub's API server CPU per application",
            ms(used) / each,
            "ms",
            "",
        )?;
        let used = after.workloads_cpu.saturating_sub(before.workloads_cpu);
        figure(
            "workload API servers' CPU per application",
            ms(used) / each,
            "ms",
            "",
        )?;
        say(&format!("  hub's API server: {}", own.line()))?;
        say(&format!("  workload API servers: {}", workloads.line()))?;
    }
    Ok(())
}

/// How many objects drift at once.
const DRIFTED: usize = 20;

/// Edits objects of as many applications and waits until they are as before.
async fn heal(clusters: &Clusters, directories: usize) -> anyhow::Result<()> {
    let places = (0..directories).flat_map(|directory| {
        let each = clusters.workloads().iter();
        each.map(move |cluster| (fleet::directory(directory), &cluster.client))
    });
    let maps: Vec<_> = places
        .take(1 + DRIFTED)
        .map(|(namespace, client)| fleet::objects(client, "v1", "ConfigMap", Some(&namespace)))
        .collect();
    // What drifts again so soon would wait: these are others.
    let (one, others) = maps.split_at(1.min(maps.len()));
    let took = drift(one).await?;
    figure("a drifted object healed", ms(took), "ms", "50")?;
    let took = drift(others).await?;
    let name = format!("{} drifted objects healed", others.len());
    figure(&name, ms(took), "ms", "200")
}

/// Edits these objects at once; how long it takes from then on until all are as before.
async fn drift(maps: &[Api<DynamicObject>]) -> anyhow::Result<Duration> {
    let edit = Patch::Merge(json!({"data": {"LOG_LEVEL": "debug"}}));
    let params = PatchParams::default();
    let edits = maps.iter().map(|map| map.patch("web", &params, &edit));
    try_join_all(edits).await?;
    let since = Instant::now();
    until("the drift is healed", async || {
        let maps = try_join_all(maps.iter().map(|map| map.get("web"))).await?;
        Ok(maps
            .iter()
            .all(|map| map.data["data"]["LOG_LEVEL"] == "info"))
    })
    .await?;
    Ok(since.elapsed())
}

/// Commits to one directory and waits until every cluster has it.
async fn commit(
    clusters: &Clusters,
    hub: &Hub,
    tree: &WorkTree,
    index: usize,
) -> anyhow::Result<()> {
    let namespace = fleet::directory(index);
    let path = format!("{namespace}/objects.yaml");
    tree.commit(&[(&path, &fleet::manifests("a new greeting"))]);
    let before = usage::cpu(hub.process())?;
    let since = Instant::now();
    hub.push(&tree.url())?;
    let arrived = |map: &DynamicObject| map.data["data"]["GREETING"] == "a new greeting";
    for cluster in clusters.workloads() {
        let maps = fleet::objects(&cluster.client, "v1", "ConfigMap", Some(&namespace));
        until("the commit is live", async || {
            Ok(arrived(&maps.get("web").await?))
        })
        .await?;
    }
    figure(
        "a commit live on all clusters",
        ms(since.elapsed()),
        "ms",
        "250",
    )?;
    tokio::time::sleep(SETTLED).await;
    let used = usage::cpu(hub.process())?.saturating_sub(before);
    figure("hub CPU of that commit", ms(used), "ms", "70")
}

/// Follows the applications that the commit does not change and that are told of its revision
/// later, over some time, until nothing is written any more.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn revision(
    seen: &mut mpsc::UnboundedReceiver<Seen>,
    hub: &Hub,
    applications: usize,
) -> anyhow::Result<()> {
    let before = usage::cpu(hub.process())?;
    let mut writes = 0;
    let mut wait = TOLD;
    while let Ok(Some(_)) = tokio::time::timeout(wait, seen.recv()).await {
        writes += 1;
        if writes >= applications {
            wait = QUIET;
        }
    }
    let used = usage::cpu(hub.process())?.saturating_sub(before);
    figure(
        "writes of applications after that commit",
        f64::from(u32::try_from(writes)?),
        "",
        "",
    )?;
    let each = ms(used) / applications as f64;
    figure("hub CPU to tell each its revision", each, "ms", "")
}

/// What a hub costs that has nothing to do.
async fn idle(hub: &Hub) -> anyhow::Result<()> {
    let before = usage::cpu(hub.process())?;
    let watched = Duration::from_secs(10);
    tokio::time::sleep(watched).await;
    let used = usage::cpu(hub.process())?.saturating_sub(before);
    figure(
        "hub CPU when idle",
        ms(used) / watched.as_secs_f64(),
        "ms/s",
        "",
    )
}
