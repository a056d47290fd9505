//! The expansion of a matrix of clusters and directories, each size in a process of its own, so that
//! its peak of memory is its own, too.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use argosy_crds::ApplicationSet;
use argosy_generators::offline::{GitTree, World, generate};
use argosy_generators::{Cluster, Settings};
use serde_json::json;

use crate::figures::{ms, say};
use crate::usage;

/// How many Applications a process makes at least, so that small sets can be timed.
const LEAST: usize = 20_000;

/// Measures both modes at a hundredth, a tenth and the whole of the size.
pub(crate) fn run(clusters: usize, directories: usize) -> anyhow::Result<()> {
    say(&format!(
        "a matrix of up to {clusters} clusters and {directories} directories, eight templated fields each \
         (target for 100,000: at most 2 s and 1024 MiB)"
    ))?;
    say("mode  applications    CPU s   µs each   against the smallest   peak MiB")?;
    for go in [false, true] {
        let mut smallest = None;
        for part in [100, 10, 1] {
            let clusters = clusters.div_ceil(part);
            let measured = in_process_of_its_own(clusters, directories, go)?;
            let each = ms(measured.cpu) * 1000.0 / f64::from(measured.applications);
            let ratio = each / *smallest.get_or_insert(each);
            say(&format!(
                "{:<5} {:>12} {:>8.3} {each:>9.2} {ratio:>22.2} {:>10}",
                if go { "go" } else { "fast" },
                measured.applications,
                measured.cpu.as_secs_f64(),
                measured.peak_mib,
            ))?;
        }
    }
    Ok(())
}

struct Measured {
    applications: u32,
    cpu: Duration,
    peak_mib: u64,
}

fn in_process_of_its_own(
    clusters: usize,
    directories: usize,
    go: bool,
) -> anyhow::Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--argosy", "unused", "appset"]);
    command.args(["--expand", &clusters.to_string()]);
    command.args(["--directories", &directories.to_string()]);
    if go {
        command.arg("--go");
    }
    let output = command.output()?;
    let printed = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success(),
        "the expansion failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut fields = printed.split_whitespace();
    let mut field = || fields.next().context("a figure is missing");
    Ok(Measured {
        applications: field()?.parse()?,
        cpu: Duration::from_nanos(field()?.parse()?),
        peak_mib: field()?.parse()?,
    })
}

/// Expands in this process and prints applications, nanoseconds of processor time for one
/// expansion, and the peak of memory.
pub(crate) fn measure(clusters: usize, directories: usize, go: bool) -> anyhow::Result<()> {
    let set = set(go)?;
    let paths: Vec<String> = (0..directories)
        .map(|index| format!("apps/service-{index}/kustomization.yaml"))
        .collect();
    let world = World {
        projects: ["default".to_owned()].into(),
        clusters: (0..clusters).map(cluster).collect(),
        trees: &|_, _| Ok(Box::new(Paths(paths.clone()))),
    };
    let times = LEAST.div_ceil(clusters * directories);
    let before = usage::own_cpu()?;
    for _ in 0..times {
        let expansion = generate(&set, &world, &Settings::default())?;
        let made = expansion.applications.get().len();
        ensure!(made == clusters * directories, "{made} applications");
    }
    let used = usage::own_cpu()?.saturating_sub(before) / u32::try_from(times)?;
    let (peak, _) = usage::memory(std::process::id())?;
    say(&format!(
        "{} {} {peak}",
        clusters * directories,
        used.as_nanos()
    ))
}

/// A tree of which only the paths matter.
struct Paths(Vec<String>);

impl GitTree for Paths {
    fn paths(&self) -> Vec<String> {
        self.0.clone()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path} is not read"))
    }
}

fn cluster(index: usize) -> Cluster {
    let text = |text: &str| text.to_owned();
    Cluster {
        name: format!("cluster-{index:03}"),
        server: format!("https://cluster-{index:03}.example.com:6443"),
        project: String::new(),
        labels: BTreeMap::from([
            (text("argocd.argoproj.io/secret-type"), text("cluster")),
            (text("env"), text(["dev", "stage", "prod"][index % 3])),
            (text("region"), format!("region-{}", index % 7)),
        ]),
        annotations: BTreeMap::from([(text("example.com/owner"), format!("team-{}", index % 11))]),
    }
}

fn set(go: bool) -> anyhow::Result<ApplicationSet> {
    let tag = |name: &str| {
        if go {
            format!("{{{{.{name}}}}}")
        } else {
            format!("{{{{{name}}}}}")
        }
    };
    let (name, server) = (tag("name"), tag("server"));
    let (directory, path) = (
        tag("path.basename"),
        tag(if go { "path.path" } else { "path" }),
    );
    let (env, region) = (tag("metadata.labels.env"), tag("metadata.labels.region"));
    let directories = json!([{"path": "apps/*"}]);
    let git = json!({"git": {"repoURL": "https://git.example.com/fleet.git", "revision": "HEAD",
                             "directories": directories}});
    let clusters = json!({"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}});
    let set = json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": go,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"matrix": {"generators": [clusters, git]}}],
            "template": {
                "metadata": {
                    "name": format!("{directory}-{name}"),
                    "labels": {"env": env, "app": directory},
                    "annotations": {"example.com/region": region},
                },
                "spec": {
                    "project": "default",
                    "source": {"repoURL": "https://git.example.com/fleet.git", "targetRevision": "HEAD", "path": path,
                               "kustomize": {"namePrefix": format!("{name}-")}},
                    "destination": {"server": server, "namespace": format!("{directory}-{env}")},
                    "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
                },
            },
        },
    });
    Ok(serde_json::from_value(set)?)
}
