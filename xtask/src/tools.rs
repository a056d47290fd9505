//! Builds the programs that tests run and keeps them in a cache: what is in the cache under a
//! name was built from exactly what the name says.

mod go;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use go::Go;

const HELM: &str = "v4.2.4";
const KUSTOMIZE: &str = "v5.8.1";

/// A program that tests run.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Tool {
    /// etcd and kube-apiserver in one binary.
    ControlPlane,
    /// Helm.
    Helm,
    /// Kustomize.
    Kustomize,
    /// Helm's and Kustomize's libraries in a process that stays.
    Worker,
    /// What measures these libraries by themselves; benchmarks alone need it.
    Engines,
}

impl Tool {
    /// What tests need.
    pub(crate) const TESTED: [Self; 4] = [
        Self::ControlPlane,
        Self::Helm,
        Self::Kustomize,
        Self::Worker,
    ];

    /// Returns the environment variable that tells tests where the program is. Where it is set
    /// already, nothing is built.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::ControlPlane => "ARGOSY_CONTROLPLANE",
            Self::Helm => "ARGOSY_HELM",
            Self::Kustomize => "ARGOSY_KUSTOMIZE",
            Self::Worker => "ARGOSY_RENDER_WORKER",
            Self::Engines => "ARGOSY_ENGINES",
        }
    }
}

/// Builds the given tools, or all that tests need, and prints one path a line.
pub(crate) fn print(tools: &[Tool]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let tools = if tools.is_empty() {
        &Tool::TESTED
    } else {
        tools
    };
    for tool in tools {
        writeln!(std::io::stdout(), "{}", ensure(*tool)?.display())?;
    }
    Ok(())
}

/// Returns the program's path, having built it where it is missing.
pub(crate) fn ensure(tool: Tool) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(tool.variable()) {
        return Ok(PathBuf::from(path));
    }
    let cache = cache()?;
    let (folder, file) = match tool {
        Tool::ControlPlane => (
            own_folder("controlplane", &control_plane_source())?,
            "argosy-controlplane",
        ),
        Tool::Helm => (format!("helm-{HELM}"), "helm"),
        Tool::Kustomize => (format!("kustomize-{KUSTOMIZE}"), "kustomize"),
        Tool::Worker => (
            own_folder("render-worker", &worker_source())?,
            "argosy-render-worker",
        ),
        Tool::Engines => (own_folder("engines", &engines_source())?, "argosy-engines"),
    };
    let path = cache.join(folder).join(file);
    if path.exists() {
        return Ok(path);
    }
    // Tests of several processes may ask at once; one builds, the others wait.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    if !path.exists() {
        build(tool, &cache, &path)?;
    }
    Ok(path)
}

fn build(tool: Tool, cache: &Path, path: &Path) -> anyhow::Result<()> {
    let go = Go::find(cache)?;
    let folder = path.parent().context("a cached file has a folder")?;
    let file = path.file_name().context("a cached file has a name")?;
    // Built beside its place and moved there when it is whole.
    let unfinished = cache.join("unfinished");
    std::fs::create_dir_all(&unfinished)?;
    match tool {
        Tool::ControlPlane => {
            crate::stage::say("building the control plane, six minutes on two cores");
            go.build(
                &control_plane_source(),
                &unfinished.join(file),
                &version_flags()?,
            )?;
        }
        Tool::Helm => go.install(&format!("helm.sh/helm/v4/cmd/helm@{HELM}"), &unfinished)?,
        Tool::Kustomize => {
            let package = format!("sigs.k8s.io/kustomize/kustomize/v5@{KUSTOMIZE}");
            go.install(&package, &unfinished)?;
        }
        Tool::Worker => {
            crate::stage::say("building the render worker, two minutes on two cores");
            go.build(&worker_source(), &unfinished.join(file), "-s -w")?;
        }
        Tool::Engines => go.build(&engines_source(), &unfinished.join(file), "-s -w")?,
    }
    std::fs::create_dir_all(folder)?;
    std::fs::rename(unfinished.join(file), path)
        .with_context(|| format!("move the program to {}", path.display()))
}

fn control_plane_source() -> PathBuf {
    crate::root().join("tests/controlplane")
}

fn worker_source() -> PathBuf {
    crate::root().join("crates/render/worker")
}

fn engines_source() -> PathBuf {
    crate::root().join("tests/bench/engines")
}

/// The folder in the cache for a program of our own; its name holds the hash of what it is built
/// from.
fn own_folder(name: &str, source: &Path) -> anyhow::Result<String> {
    let entries = std::fs::read_dir(source)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("list {}", source.display()))?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|path| path.is_file());
    files.sort_by_key(|path| (path.extension() != Some("go".as_ref()), path.clone()));
    let mut hash = Sha256::new();
    for path in files {
        hash.update(std::fs::read(&path).with_context(|| format!("read {}", path.display()))?);
    }
    let digest = format!("{:x}", hash.finalize());
    Ok(format!("{name}-{}", &digest[..16]))
}

/// Linker flags that tell the server its own version, which it otherwise does not know.
fn version_flags() -> anyhow::Result<String> {
    let module = std::fs::read_to_string(control_plane_source().join("go.mod"))?;
    let version = module
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"))
        .context("tests/controlplane/go.mod requires k8s.io/kubernetes")?;
    let [major, minor, _] = version.split('.').collect::<Vec<_>>()[..] else {
        bail!("k8s.io/kubernetes has the version {version}, not MAJOR.MINOR.PATCH");
    };
    let package = "k8s.io/component-base/version";
    Ok(format!(
        "-s -w -X {package}.gitVersion=v{version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    ))
}

/// Returns the folder of the cache, `$ARGOSY_CACHE` or `~/.cache/argosy`.
fn cache() -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("ARGOSY_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir()
            .context("set ARGOSY_CACHE or HOME")?
            .join(".cache/argosy"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

/// Programs that tests run and the Debian packages that they are in.
const PROGRAMS: [(&str, &str); 8] = [
    ("git", "git"),
    ("gpg", "gpg"),
    ("ssh", "openssh-client"),
    ("sshd", "openssh-server"),
    ("docker-registry", "docker-registry"),
    ("kubectl", "kubernetes-client"),
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
];

/// Installs programs where they are missing and apt-get is at hand.
pub(crate) fn ensure_programs() -> anyhow::Result<()> {
    for (program, package) in PROGRAMS {
        if exists(program) {
            continue;
        }
        crate::stage::say(&format!("installing {program} (Debian package {package})"));
        let install = ["install", "--yes", "--no-install-recommends", package];
        let done = exists("apt-get")
            && run(Command::new("apt-get").args(["update", "--quiet=2"]))
            && run(Command::new("apt-get")
                .args(install)
                .env("DEBIAN_FRONTEND", "noninteractive")
                // Tests start what they need themselves: no service comes up with a package.
                .env("RUNLEVEL", "1"));
        if !done {
            bail!(
                "{program} is missing and could not be installed: install it (Debian package {package})"
            );
        }
    }
    Ok(())
}

fn exists(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    // Servers lie where only the superuser's path leads.
    let mut folders = std::env::split_paths(&paths).chain(["/usr/sbin".into()]);
    folders.any(|folder| folder.join(program).is_file())
}

fn run(command: &mut Command) -> bool {
    command
        .stdout(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
