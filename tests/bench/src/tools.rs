//! What a chart and a kustomization cost as the hub renders them, beside what the library alone takes
//! that the worker links: the difference is ours.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use argosy_crds::ApplicationSource;
use argosy_render::{Environment, MemoryTree, Request, Tools, Tree, render};
use serde_json::{Value, json};

use crate::figures::{figure, ms, say};
use crate::usage;

/// Where `cargo xtask bench` says that the worker is.
const WORKER: &str = "ARGOSY_RENDER_WORKER";

/// What Helm is told at least, as the hub tells it.
const HELM: &[&str] = &["template", ".", "--name-template=web", "--include-crds"];

/// What Kustomize is told.
const KUSTOMIZE: &[&str] = &["build", "."];

/// Renders that nobody measures: the first one starts a worker.
const WARM_UP: u32 = 5;

/// A tool, what it is told, and the files that it renders.
struct Case {
    name: &'static str,
    tool: &'static str,
    arguments: &'static [&'static str],
    /// The directory of the source.
    path: &'static str,
    files: Vec<(String, String)>,
}

pub(crate) fn run(rounds: u32) -> anyhow::Result<()> {
    let Some(worker) = std::env::var_os(WORKER).map(PathBuf::from) else {
        return say(&format!(
            "{WORKER} names no worker: neither Helm nor Kustomize is measured"
        ));
    };
    let folder = worker.parent().context("the worker lies in a folder")?;
    let tools = Tools::on_path(folder.as_os_str());
    for case in [chart(), own_chart()?, kustomization(), own_kustomization()?] {
        let hub = hub(&case, &tools, rounds)?;
        let jobs = cost_of_jobs(&case, &[case.arguments], &worker, rounds)?;
        let empty_jobs = cost_of_jobs(&case, &[], &worker, rounds)?;
        let library = jobs.saturating_sub(empty_jobs);
        let name = case.name;
        figure(&format!("{name}: a render takes"), ms(hub.wall), "ms", "")?;
        figure(&format!("{name}: CPU"), ms(hub.cpu()), "ms", "")?;
        figure(
            &format!("{name}: CPU of it that the worker takes"),
            ms(hub.worker),
            "ms",
            "",
        )?;
        figure(
            &format!("{name}: CPU of the library alone"),
            ms(library),
            "ms",
            "",
        )?;
        let ratio = hub.cpu().as_secs_f64() / library.as_secs_f64();
        figure(&format!("{name}: the ratio"), ratio, "", "1.2")?;
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
        arguments: HELM,
        path: ".",
        files,
    }
}

/// The chart that brings a hub to a cluster.
fn own_chart() -> anyhow::Result<Case> {
    Ok(Case {
        name: "the hub's chart",
        tool: "helm",
        arguments: HELM,
        path: ".",
        files: deployed("helm/argosy")?,
    })
}

/// The kustomization of a hub that is highly available.
fn own_kustomization() -> anyhow::Result<Case> {
    Ok(Case {
        name: "the hub's kustomization",
        tool: "kustomize",
        arguments: KUSTOMIZE,
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
        arguments: KUSTOMIZE,
        path: ".",
        files,
    }
}

/// What one render costs.
struct Cost {
    wall: Duration,
    /// The processor time of the hub itself.
    own: Duration,
    /// The processor time of its worker.
    worker: Duration,
}

impl Cost {
    fn cpu(&self) -> Duration {
        self.own + self.worker
    }
}

/// What a render costs as the hub makes it, from a tree in memory to objects.
fn hub(case: &Case, tools: &Tools, rounds: u32) -> anyhow::Result<Cost> {
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

/// The processor time that a worker takes for a job with these commands, with nobody between. A job
/// without commands costs what it takes to bring the files.
fn cost_of_jobs(
    case: &Case,
    commands: &[&[&str]],
    worker: &Path,
    rounds: u32,
) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let mut process = Command::new(worker)
        .arg(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut questions = process.stdin.take().context("a worker takes jobs")?;
    let answers = process.stdout.take().context("a worker answers")?;
    let files = case.files.iter();
    let files = files.map(|(path, text)| json!({"path": format!("/x/{path}"), "size": text.len()}));
    let header = json!({
        "tool": case.tool,
        "commands": commands,
        "folder": Path::new("/x").join(case.path).components().collect::<PathBuf>(),
        "files": files.collect::<Vec<_>>(),
    });
    let contents: String = case.files.iter().map(|(_, text)| text.as_str()).collect();
    let job = format!("{header}\n{contents}");
    let mut lines = BufReader::new(answers).lines();
    let mut ask = || -> anyhow::Result<()> {
        questions.write_all(job.as_bytes())?;
        let line = lines.next().context("the worker ended")??;
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => bail!("{}: {error}", case.tool),
            None => Ok(()),
        }
    };
    for _ in 0..WARM_UP {
        ask()?;
    }
    let before = usage::cpu(process.id())?;
    for _ in 0..rounds {
        ask()?;
    }
    let used = usage::cpu(process.id())?.saturating_sub(before);
    drop(questions);
    process.wait()?;
    Ok(used / rounds.max(1))
}
