//! What a chart and a kustomization cost as the hub renders them, from files in memory to objects,
//! beside what the tool's own engine takes in process, from files in a folder to text.

use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use argosy_crds::ApplicationSource;
use argosy_render::{Environment, MemoryTree, Request, Tools, Tree, render};
use serde_json::json;

use crate::figures::{figure, ms, say};
use crate::usage;

/// Where `cargo xtask bench` says that the worker is.
const WORKER: &str = "ARGOSY_RENDER_WORKER";

/// Where it says that the program is that measures the tools' own engines.
const ENGINES: &str = "ARGOSY_ENGINES";

/// How often the hub and the engine take turns: the speed of a machine changes within seconds.
const TURNS: u32 = 10;

/// Renders that nobody measures: the first one starts a worker.
const WARM_UP: u32 = 5;

/// A tool, and the files that it renders.
struct Case {
    name: &'static str,
    tool: &'static str,
    /// The directory of the source.
    path: &'static str,
    files: Vec<(String, String)>,
}

pub(crate) fn run(rounds: u32) -> anyhow::Result<()> {
    let program = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let (Some(worker), Some(engines)) = (program(WORKER), program(ENGINES)) else {
        return say(&format!(
            "{WORKER} or {ENGINES} names no program: neither Helm nor Kustomize is measured"
        ));
    };
    let folder = worker.parent().context("the worker lies in a folder")?;
    let tools = Tools::on_path(folder.as_os_str());
    for case in [chart(), own_chart()?, kustomization(), own_kustomization()?] {
        let (mut hub, mut engine) = (Cost::default(), Duration::ZERO);
        for _ in 0..TURNS {
            hub += measure(&case, &tools, rounds.div_ceil(TURNS))?;
            engine += alone(&case, &engines, rounds.div_ceil(TURNS))?;
        }
        let cost = |what: &str, cost: Duration| {
            figure(
                &format!("{}: {what}", case.name),
                ms(cost / TURNS),
                "ms",
                "",
            )
        };
        cost("a render takes", hub.wall)?;
        cost("CPU", hub.own + hub.worker)?;
        cost("CPU of it that the worker takes", hub.worker)?;
        cost("CPU of the tool's own engine", engine)?;
        let ratio = (hub.own + hub.worker).as_secs_f64() / engine.as_secs_f64();
        figure(&format!("{}: the ratio", case.name), ratio, "", "1.2")?;
    }
    Ok(())
}

/// A chart of five objects.
fn chart() -> Case {
    let template = |number: u32| {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-NUMBER\n  \
            labels: {{- toYaml .Values.labels | nindent 4 }}\ndata:\n  \
            {{- range $key, $value := .Values.data }}\n  {{ $key }}: {{ $value | quote }}\n  {{- end }}\n";
        (
            format!("templates/{number}.yaml"),
            text.replace("NUMBER", &number.to_string()),
        )
    };
    let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let mut files = vec![
        text("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        text(
            "values.yaml",
            "labels: {app: web, team: shop}\ndata: {a: 1, b: two, c: three}\n",
        ),
    ];
    files.extend((0..5).map(template));
    Case {
        name: "five templates",
        tool: "helm",
        path: ".",
        files,
    }
}

/// The chart that brings a hub to a cluster.
fn own_chart() -> anyhow::Result<Case> {
    Ok(Case {
        name: "the hub's chart",
        tool: "helm",
        path: ".",
        files: deployed("helm/argosy")?,
    })
}

/// The kustomization of a hub that is highly available.
fn own_kustomization() -> anyhow::Result<Case> {
    Ok(Case {
        name: "the hub's kustomization",
        tool: "kustomize",
        path: "overlays/ha",
        files: deployed("kustomize")?,
    })
}

/// All files below a folder of `deploy`.
fn deployed(folder: &str) -> anyhow::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(folder);
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path)?;
                files.push((path.strip_prefix(&root)?.display().to_string(), text));
            }
        }
    }
    Ok(files)
}

/// A kustomization of five objects.
fn kustomization() -> Case {
    let object = |number: u32| {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{a: '1'}}\n"
        );
        (format!("{number}.yaml"), text)
    };
    let root = "resources: [0.yaml, 1.yaml, 2.yaml, 3.yaml, 4.yaml]\nnamePrefix: web-\n\
        labels: [{pairs: {app: web}}]\nnamespace: shop\n";
    let mut files = vec![("kustomization.yaml".to_owned(), root.to_owned())];
    files.extend((0..5).map(object));
    Case {
        name: "five resources",
        tool: "kustomize",
        path: ".",
        files,
    }
}

/// What one render costs.
#[derive(Default)]
struct Cost {
    wall: Duration,
    /// The processor time of the hub itself.
    own: Duration,
    /// The processor time of its worker.
    worker: Duration,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.own += other.own;
        self.worker += other.worker;
    }
}

/// What a render costs as the hub makes it, from a tree in memory to objects.
fn measure(case: &Case, tools: &Tools, rounds: u32) -> anyhow::Result<Cost> {
    let files = case.files.iter();
    let tree = files.fold(MemoryTree::default(), |tree, (path, text)| {
        tree.file(path, text.as_bytes())
    });
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let source: ApplicationSource =
        serde_json::from_value(json!({"repoURL": "https://git", "path": case.path}))?;
    let environment = Environment::default();
    let request = Request::new(&source, "web", &environment);
    for _ in 0..WARM_UP {
        render(Arc::clone(&tree), &request, tools)?;
    }
    let workers =
        || -> anyhow::Result<Duration> { usage::children()?.into_iter().map(usage::cpu).sum() };
    let (own, worker, began) = (usage::own_cpu()?, workers()?, Instant::now());
    for _ in 0..rounds {
        render(Arc::clone(&tree), &request, tools)?;
    }
    let each = |whole: Duration| whole / rounds.max(1);
    Ok(Cost {
        wall: each(began.elapsed()),
        own: each(usage::own_cpu()?.saturating_sub(own)),
        worker: each(workers()?.saturating_sub(worker)),
    })
}

/// The processor time that the tool's own engine takes in process, for the case's files in a folder.
fn alone(case: &Case, engines: &Path, rounds: u32) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    for (path, text) in &case.files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
        fs::write(file, text)?;
    }
    let run = Command::new(engines)
        .arg(case.tool)
        .arg(folder.path().join(case.path))
        .arg(rounds.max(1).to_string())
        .stderr(Stdio::inherit())
        .output()?;
    let nanos = String::from_utf8(run.stdout)?;
    let nanos = nanos.trim().parse();
    Ok(Duration::from_nanos(nanos.with_context(|| {
        format!("{} {} did not measure", engines.display(), case.tool)
    })?))
}
