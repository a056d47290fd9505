//! `bench render`: what a commit and a refresh cost the render cache, and whether it ever lies.
//!
//! The hub's own cache renders a repository of plain manifests on disk; what it does is held against
//! renders that know no cache. Times are processor time of the one thread that does the work.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use argosy::blocking::Blocking;
use argosy::clock::Clock;
use argosy::cluster::Served;
use argosy::controller::application::renders::{Renders, Wanted};
use argosy::disk::Disk;
use argosy::http::Network;
use argosy::metrics::{Metrics, MetricsConfig};
use argosy::source::{GitTree, Limits, Remotes, Repositories, Repository, Sources};
use argosy_crds::ApplicationSource;
use argosy_render::{
    Enabled, Environment, Fetched, Render, RenderError, Request, Tools, Tree, render,
};
use argosy_test_support::WorkTree;
use clap::Args;
use serde_json::json;

use crate::figures::{figure, ms, say};
use crate::{tools, usage};

#[derive(Args)]
pub(crate) struct Options {
    /// How many directories with an application each the repository has.
    #[arg(long, default_value_t = 1_000)]
    applications: usize,
    /// How many commits touch one directory each.
    #[arg(long, default_value_t = 500)]
    commits: usize,
    /// How many applications look at one commit that does not concern them.
    #[arg(long, default_value_t = 3_000)]
    refreshes: usize,
    /// How many pushes and renders go on at once.
    #[arg(long, default_value_t = 200)]
    pushes: usize,
    /// How often a chart and a kustomization are rendered.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    cold(options.applications).await?;
    refresh(options.applications, options.refreshes).await?;
    let ledger = commits(options.applications, options.commits).await?;
    ledger.say(options.commits)?;
    tools::run(options.rounds)?;
    let checked = pushes(options.applications.min(50), options.pushes).await?;
    say(&format!(
        "{checked} renders during {} pushes, each the same as a fresh one of its commit",
        options.pushes
    ))
}

/// A repository with a directory for each application, and a cache over it.
struct World {
    work: WorkTree,
    sources: Sources,
    repository: Repository,
    renders: Renders,
    tools: Tools,
    applications: Vec<ApplicationSource>,
    /// How often each directory was changed.
    changes: u64,
    _folder: tempfile::TempDir,
}

/// A commit, and its files.
#[derive(Clone)]
struct Commit {
    sha: String,
    tree: GitTree,
}

impl World {
    /// A repository of `count` directories of five objects; every seventh imports a file that lies
    /// elsewhere.
    fn create(count: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let work = WorkTree::create(folder.path().join("repository"));
        for number in 0..count {
            for object in 0..5 {
                work.write(&format!("{}/{object}.yaml", path(number)), &map(object, 0));
            }
            if number % 7 == 0 {
                let program = "local shared = import '../../lib/shared.libsonnet'; shared('j')";
                work.write(&format!("{}/j.jsonnet", path(number)), program);
            }
        }
        work.write("lib/shared.libsonnet", &library(0));
        work.commit(&[("README.md", "A fleet.\n")]);
        let source = |number: usize| {
            let source =
                json!({"repoURL": work.url(), "path": path(number), "targetRevision": "main"});
            Ok(serde_json::from_value(source)?)
        };
        let applications = (0..count).map(source).collect::<anyhow::Result<_>>()?;
        let repository = Repositories::default().unregistered(&work.url());
        Ok(Self {
            sources: sources(&folder.path().join("mirrors"))?,
            repository,
            renders: cache(&folder.path().join("cache"))?,
            tools: Tools::default(),
            applications,
            changes: 0,
            work,
            _folder: folder,
        })
    }

    /// The newest commit, read as a hub reads it.
    async fn newest(&self) -> anyhow::Result<Commit> {
        let sha = self.sources.resolve(&self.repository, "main").await?.sha;
        let tree = self.sources.tree(&self.repository, &sha).await?;
        Ok(Commit {
            sha: sha.to_string(),
            tree,
        })
    }

    async fn commit(&self, files: &[(&str, &str)]) -> anyhow::Result<Commit> {
        let sha = self.work.commit(files);
        let sha = argosy::source::Sha::parse(&sha).context("git prints a commit's id")?;
        let tree = self.sources.tree(&self.repository, &sha).await?;
        Ok(Commit {
            sha: sha.to_string(),
            tree,
        })
    }

    /// Changes one directory at random: a manifest, a file that nothing reads, a new manifest, or what
    /// some of them import.
    async fn change(&mut self, chance: &mut Chance) -> anyhow::Result<Commit> {
        self.changes += 1;
        let (number, version) = (chance.below(self.applications.len()), self.changes);
        let at = path(number);
        let (file, text) = match chance.below(20) {
            0 => ("lib/shared.libsonnet".to_owned(), library(version)),
            1..4 => (format!("{at}/notes.txt"), format!("{version}\n")),
            4..7 => (format!("{at}/n{version}.yaml"), map(version, version)),
            _ => (format!("{at}/{}.yaml", chance.below(5)), map(0, version)),
        };
        self.commit(&[(&file, &text)]).await
    }

    /// What the cache gives for an application.
    fn cached(
        &self,
        application: &ApplicationSource,
        at: &Commit,
    ) -> Result<Arc<Render>, RenderError> {
        let (environment, fetched, served) = (
            Environment::default(),
            Fetched::default(),
            Served::default(),
        );
        self.renders.get(&Wanted {
            source: application,
            app_name: &application.path,
            environment: &environment,
            content: &at.sha,
            tree: Arc::new(at.tree.clone()),
            refs: None,
            fetched: &fetched,
            values_file_schemes: "",
            namespace: "default",
            kube_version: "",
            served: &served,
            enabled: Enabled::default(),
            kustomize_build_options: "",
            kustomize_versions: &[],
            plugin_exclusions: &[],
            tools: &self.tools,
        })
    }

    /// What comes out without a cache.
    fn fresh(&self, application: &ApplicationSource, at: &Commit) -> Result<Render, RenderError> {
        let tree: Arc<dyn Tree> = Arc::new(at.tree.clone());
        let environment = Environment::default();
        let request = Request::new(application, &application.path, &environment);
        render(tree, &request, &self.tools)
    }
}

fn sources(mirrors: &Path) -> anyhow::Result<Sources> {
    std::fs::create_dir(mirrors)?;
    let (network, clock) = (Network::system(), Clock::system());
    let remotes = Remotes::mirrored(mirrors, u64::MAX)?;
    Ok(Sources::new(
        remotes,
        network,
        clock,
        Blocking::Pool,
        Limits::default(),
    ))
}

fn cache(folder: &Path) -> anyhow::Result<Renders> {
    let metrics = Metrics::new(&MetricsConfig::default())?;
    Ok(Renders::open(&Disk::below(folder), metrics.renders)?)
}

fn path(number: usize) -> String {
    format!("apps/a{number:04}")
}

fn map(name: impl std::fmt::Display, version: u64) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{name}\n  labels: {{app: web}}\ndata:\n  version: '{version}'\n"
    )
}

fn library(version: u64) -> String {
    format!(
        "function(name) {{apiVersion: 'v1', kind: 'ConfigMap', metadata: {{name: name}}, data: {{version: '{version}'}}}}\n"
    )
}

/// Numbers that are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

/// What commits cost, and what they had to.
#[derive(Debug, Default, PartialEq)]
struct Ledger {
    /// How many renders the cache made.
    made: u64,
    /// How many applications read something that had changed, as renders without a cache tell.
    due: u64,
    /// How many commits had the cache render something else than those.
    wrong: u64,
    /// How often the cache gave other manifests than a render without it.
    lies: u64,
    cpu: Duration,
}

impl Ledger {
    fn say(&self, commits: usize) -> anyhow::Result<()> {
        say(&format!(
            "{commits} commits: {} renders, {} due; {} commits with others; {} wrong manifests",
            self.made, self.due, self.wrong, self.lies
        ))?;
        let each = ms(self.cpu) / f64::from(u32::try_from(commits)?.max(1));
        figure("CPU of all applications for such a commit", each, "ms", "")?;
        ensure!(self.wrong == 0 && self.lies == 0, "the cache is wrong");
        Ok(())
    }
}

/// Commits that touch one directory each, held against renders of both commits without a cache.
async fn commits(applications: usize, commits: usize) -> anyhow::Result<Ledger> {
    let mut world = World::create(applications)?;
    let (mut chance, mut ledger) = (Chance(7), Ledger::default());
    let mut former: BTreeMap<String, Render> = BTreeMap::new();
    let start = world.newest().await?;
    for application in &world.applications {
        world.cached(application, &start)?;
        former.insert(application.path.clone(), world.fresh(application, &start)?);
    }
    for _ in 0..commits {
        let commit = world.change(&mut chance).await?;
        let before = world.renders.counts().rendered;
        let began = usage::own_cpu()?;
        let given: Vec<_> = world
            .applications
            .iter()
            .map(|application| world.cached(application, &commit))
            .collect::<Result<_, _>>()?;
        ledger.cpu += usage::own_cpu()?.saturating_sub(began);
        let made = world.renders.counts().rendered - before;
        let mut due = 0;
        for (application, given) in world.applications.iter().zip(given) {
            let fresh = world.fresh(application, &commit)?;
            ledger.lies += u64::from(fresh.manifests != given.manifests);
            let known = former.get(&application.path);
            due += u64::from(known.is_none_or(|known| known.reads != fresh.reads));
            former.insert(application.path.clone(), fresh);
        }
        ledger.made += made;
        ledger.due += due;
        ledger.wrong += u64::from(made != due);
    }
    Ok(ledger)
}

/// Renders of whatever is newest while somebody pushes; how many were held against a fresh one.
async fn pushes(applications: usize, pushes: usize) -> anyhow::Result<u64> {
    let mut world = World::create(applications)?;
    let mut chance = Chance(11);
    let mut known = vec![world.newest().await?];
    let mut checked = 0;
    for _ in 0..pushes {
        let commit = world.change(&mut chance).await?;
        known.push(commit);
        let world = &world;
        // Some are behind, as applications are whose turn comes late.
        let jobs: Vec<_> = (0..8)
            .map(|_| {
                let back = chance.below(known.len().min(6));
                let application = &world.applications[chance.below(applications)];
                (application, &known[known.len() - 1 - back])
            })
            .collect();
        let same = std::thread::scope(|scope| {
            let run = |(application, commit): (&'_ ApplicationSource, &'_ Commit)| {
                let given = world.cached(application, commit)?;
                let fresh = world.fresh(application, commit)?;
                Ok::<_, RenderError>(given.manifests == fresh.manifests)
            };
            let running: Vec<_> = jobs
                .into_iter()
                .map(|job| scope.spawn(move || run(job)))
                .collect();
            let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined.collect::<Vec<_>>()
        });
        for one in same {
            let one = one.map_err(|_| anyhow::anyhow!("a render panicked"))??;
            ensure!(
                one,
                "the cache gave other manifests than those of the commit"
            );
            checked += 1;
        }
    }
    Ok(checked)
}

/// The first render of every directory.
async fn cold(applications: usize) -> anyhow::Result<()> {
    let world = World::create(applications)?;
    let start = world.newest().await?;
    let began = usage::own_cpu()?;
    for application in &world.applications {
        world.cached(application, &start)?;
    }
    let took = usage::own_cpu()?.saturating_sub(began);
    let what = format!("CPU of {applications} directories of five objects, cold");
    figure(&what, ms(took), "ms", "2000 ms")
}

/// Applications that look at a commit that changed nothing that they read.
async fn refresh(directories: usize, applications: usize) -> anyhow::Result<()> {
    let world = World::create(directories)?;
    let start = world.newest().await?;
    let all = || world.applications.iter().cycle().take(applications);
    for application in all() {
        world.cached(application, &start)?;
    }
    let before = world.renders.counts().rendered;
    let commit = world.commit(&[("README.md", "Another fleet.\n")]).await?;
    let began = usage::own_cpu()?;
    for application in all() {
        world.cached(application, &commit)?;
    }
    let took = usage::own_cpu()?.saturating_sub(began);
    ensure!(
        world.renders.counts().rendered == before,
        "a commit that concerns nobody was rendered"
    );
    let what = format!("CPU of {applications} applications, a commit elsewhere");
    figure(&what, ms(took), "ms", "1000 ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commits_render_what_they_change_and_nothing_else() {
        let ledger = commits(15, 20).await.unwrap();
        assert_eq!((ledger.wrong, ledger.lies), (0, 0), "{ledger:?}");
        assert!(ledger.made == ledger.due && ledger.due > 0, "{ledger:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn renders_during_pushes_are_those_of_their_commits() {
        assert_eq!(pushes(8, 10).await.unwrap(), 80);
    }
}
