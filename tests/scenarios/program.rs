//! The program `argosy`, run as a person runs it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit status.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) text: String,
    /// What it said of errors.
    pub(crate) error: String,
}

impl Answer {
    /// The text as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Runs the program with a kubeconfig, while the test goes on.
pub(crate) async fn argosy(kubeconfig: &Path, args: &[&str]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argosy"));
    command.args(args).env("KUBECONFIG", kubeconfig);
    let run = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer {
        code: output.status.code().unwrap(),
        text: text(output.stdout),
        error: text(output.stderr),
    }
}
