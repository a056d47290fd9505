//! The program `argosy`, run as a person runs it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

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

/// The program, which goes on until this is dropped.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// Starts the program with a kubeconfig.
    pub(crate) fn start(kubeconfig: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_argosy"))
            .args(args)
            .env("KUBECONFIG", kubeconfig)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = (Arc::<Mutex<Vec<String>>>::default(), child.stderr.take());
        let saying = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(lines.unwrap()).lines() {
                saying.lock().unwrap().push(line.unwrap_or_default());
            }
        });
        Self { child, said }
    }

    /// How many lines of its log and errors hold a text so far.
    pub(crate) fn says(&self, text: &str) -> usize {
        let said = self.said.lock().unwrap();
        said.iter().filter(|line| line.contains(text)).count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
