//! Finds the programs that tests run, and has them built where they are missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A program that tests run.
#[derive(Clone, Copy, Debug)]
pub enum Tool {
    /// etcd and kube-apiserver in one binary.
    ControlPlane,
    /// Helm.
    Helm,
    /// Kustomize.
    Kustomize,
}

impl Tool {
    fn variable(self) -> &'static str {
        match self {
            Self::ControlPlane => "ARGOSY_CONTROLPLANE",
            Self::Helm => "ARGOSY_HELM",
            Self::Kustomize => "ARGOSY_KUSTOMIZE",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "controlplane",
            Self::Helm => "helm",
            Self::Kustomize => "kustomize",
        }
    }
}

/// Returns the path of a program: the one that the environment names, else the cached one. The
/// control plane takes minutes to build the first time.
///
/// # Errors
///
/// Fails when the program has to be built and that fails; the build says why.
pub fn tool(tool: Tool) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(tool.variable()) {
        return Ok(PathBuf::from(path));
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["xtask", "tools", tool.name()])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("run `cargo xtask tools`")?;
    if !output.status.success() {
        bail!(
            "`cargo xtask tools {}` failed; set {} to use another",
            tool.name(),
            tool.variable()
        );
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
