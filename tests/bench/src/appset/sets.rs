//! A hub with many sets on one repository: what a push and a changed cluster make it do.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use argosy_test_support::WorkTree;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::clusters::Clusters;
use crate::figures::{figure, ms, say, until};
use crate::fleet::{self, apply_all};
use crate::hub::Hub;
use crate::usage;

/// How many clusters there are, each of which an equal share of the sets selects.
const CLUSTERS: usize = 10;

/// How long no expansion has to happen before what happened is counted.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) async fn run(program: &Path, sets: usize) -> anyhow::Result<()> {
    let clusters = Clusters::simulated(CLUSTERS + 1).await?;
    let folder = tempfile::tempdir()?;
    let tree = WorkTree::create(folder.path().join("repository"));
    let paths: Vec<String> = (0..sets).map(|set| directory(set, "web")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), MANIFEST)).collect();
    tree.commit(&files);
    let client = &clusters.hub().client;
    fleet::prepare_hub(client).await?;
    let secrets = clusters.workloads().iter().enumerate();
    apply_all(
        client,
        secrets.map(|(at, cluster)| secret(cluster.secret(&name(at)), at)),
    )
    .await?;
    apply_all(client, (0..sets).map(|index| set(index, &tree.url()))).await?;
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, clusters.hub().kubeconfig())?;

    say(&format!(
        "{sets} sets on one repository and {CLUSTERS} clusters"
    ))?;
    let hub = Hub::start(program, &kubeconfig, folder.path())?;
    let bench = Bench {
        hub,
        tree,
        clusters,
        sets,
    };
    let begun = Instant::now();
    bench
        .until_application(sets - 1, "web")
        .await
        .with_context(|| {
            let log = std::fs::read_to_string(folder.path().join("hub.log"));
            format!("the hub said:\n{}", log.unwrap_or_default())
        })?;
    bench.until_quiet().await?;
    figure(
        "from the start until all is quiet",
        ms(begun.elapsed().saturating_sub(QUIET)),
        "ms",
        "",
    )?;
    figure("ls-remotes until then", bench.ls_remotes()?, "", "1")?;
    bench.push_elsewhere().await?;
    bench.push_to_one().await?;
    bench.change_a_cluster().await
}

struct Bench {
    hub: Hub,
    tree: WorkTree,
    clusters: Clusters,
    sets: usize,
}

impl Bench {
    /// A push that touches no path that a set reads.
    async fn push_elsewhere(&self) -> anyhow::Result<()> {
        let (cpu, expansions, ls) = (self.cpu()?, self.expansions()?, self.ls_remotes()?);
        self.tree.commit(&[("docs/readme.md", "changed")]);
        let looked = self.looks()?;
        self.hub.push(&self.tree.url())?;
        let since = Instant::now();
        self.until_all_looked(looked).await?;
        figure(
            "a push elsewhere: all sets looked",
            ms(since.elapsed()),
            "ms",
            "",
        )?;
        self.until_quiet().await?;
        figure(
            "a push elsewhere: expansions",
            self.expansions()? - expansions,
            "",
            "0",
        )?;
        figure(
            "a push elsewhere: ls-remotes",
            self.ls_remotes()? - ls,
            "",
            "1",
        )?;
        figure(
            "a push elsewhere: hub CPU",
            ms(self.cpu()?.saturating_sub(cpu)),
            "ms",
            "",
        )
    }

    /// A push that adds a directory to what one set reads.
    async fn push_to_one(&self) -> anyhow::Result<()> {
        let (expansions, ls) = (self.expansions()?, self.ls_remotes()?);
        let set = self.sets / 2;
        self.tree
            .commit(&[(directory(set, "api").as_str(), MANIFEST)]);
        self.hub.push(&self.tree.url())?;
        let since = Instant::now();
        self.until_application(set, "api").await?;
        figure(
            "a push to one set: until its Application",
            ms(since.elapsed()),
            "ms",
            "2000",
        )?;
        self.until_quiet().await?;
        figure(
            "a push to one set: expansions",
            self.expansions()? - expansions,
            "",
            "1",
        )?;
        figure(
            "a push to one set: ls-remotes",
            self.ls_remotes()? - ls,
            "",
            "1",
        )
    }

    /// A cluster Secret with another annotation.
    async fn change_a_cluster(&self) -> anyhow::Result<()> {
        let expansions = self.expansions()?;
        let looked = self.looks()?;
        let secrets = fleet::objects(&self.clusters.hub().client, "v1", "Secret", Some("argocd"));
        let change = json!({"metadata": {"annotations": {"example.com/owner": "somebody else"}}});
        let params = PatchParams::default();
        secrets
            .patch(
                &format!("cluster-{}", name(3)),
                &params,
                &Patch::Merge(change),
            )
            .await?;
        let since = Instant::now();
        self.until_all_looked(looked).await?;
        figure(
            "a changed cluster: all sets looked",
            ms(since.elapsed()),
            "ms",
            "",
        )?;
        self.until_quiet().await?;
        let selecting = (0..self.sets).filter(|set| set % CLUSTERS == 3).count();
        figure(
            "a changed cluster: expansions",
            self.expansions()? - expansions,
            "",
            &selecting.to_string(),
        )
    }

    fn expansions(&self) -> anyhow::Result<f64> {
        self.hub.metric("argosy_appset_expansions_total", "")
    }

    fn looks(&self) -> anyhow::Result<f64> {
        self.hub.metric("argocd_appset_reconcile_count", "")
    }

    fn ls_remotes(&self) -> anyhow::Result<f64> {
        self.hub.metric("argocd_git_request_total", "ls-remote")
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu(self.hub.process())
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
    async fn until_all_looked(&self, before: f64) -> anyhow::Result<()> {
        let due = before + self.sets as f64;
        until("all sets have been looked at", async || {
            Ok(self.looks()? >= due)
        })
        .await
    }

    async fn until_application(&self, set: usize, leaf: &str) -> anyhow::Result<()> {
        let client = &self.clusters.hub().client;
        let kind = ("argoproj.io/v1alpha1", "Application");
        let applications = fleet::objects(client, kind.0, kind.1, Some("argocd"));
        let name = format!("{}-{}-{leaf}", prefix(set), name(set % CLUSTERS));
        until("an Application is there", async || {
            let found: Option<DynamicObject> = applications.get_opt(&name).await?;
            Ok(found.is_some())
        })
        .await
    }

    async fn until_quiet(&self) -> anyhow::Result<()> {
        let mut seen = (self.expansions()?, self.looks()?);
        loop {
            tokio::time::sleep(QUIET).await;
            let now = (self.expansions()?, self.looks()?);
            if now == seen {
                return Ok(());
            }
            seen = now;
        }
    }
}

const MANIFEST: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}"#;

fn name(cluster: usize) -> String {
    format!("cluster-{cluster}")
}

fn prefix(set: usize) -> String {
    format!("set-{set:03}")
}

fn directory(set: usize, leaf: &str) -> String {
    format!("sets/{}/{leaf}/objects.yaml", prefix(set))
}

fn secret(mut secret: Value, at: usize) -> Value {
    secret["metadata"]["labels"]["group"] = json!(format!("group-{at}"));
    secret
}

fn set(index: usize, repository: &str) -> Value {
    let selector = json!({"matchLabels": {"group": format!("group-{}", index % CLUSTERS)}});
    let directories = json!([{"path": format!("sets/{}/*", prefix(index))}]);
    let git = json!({"repoURL": repository, "revision": "main", "directories": directories});
    let children = json!([{"clusters": {"selector": selector}}, {"git": git}]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": prefix(index), "namespace": "argocd"},
        "spec": {
            "goTemplate": true,
            "generators": [{"matrix": {"generators": children}}],
            "template": {
                "metadata": {"name": format!("{}-{{{{.name}}}}-{{{{.path.basename}}}}", prefix(index))},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": repository, "targetRevision": "main", "path": "{{.path.path}}"},
                    "destination": {"name": "{{.name}}", "namespace": "web"},
                },
            },
        },
    })
}
