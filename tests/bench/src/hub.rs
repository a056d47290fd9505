//! The hub as a child process.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context as _, bail};
use serde_json::json;

/// A running hub; ends when this is dropped.
pub(crate) struct Hub {
    child: Child,
    address: String,
}

impl Hub {
    /// Starts a hub that logs to a file in `folder`.
    pub(crate) fn start(program: &Path, kubeconfig: &Path, folder: &Path) -> anyhow::Result<Self> {
        // The port is free until somebody else asks for one.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = File::create(folder.join("hub.log"))?;
        let child = Command::new(program)
            .arg("hub")
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--data")
            .arg(folder.join("data"))
            .args(["--listen", &address])
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Self { child, address })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Tells it of a push to `main`, as a git server does.
    pub(crate) fn push(&self, repository: &str) -> anyhow::Result<()> {
        let event = json!({
            "ref": "refs/heads/main",
            "repository": {"html_url": repository, "default_branch": "main"},
        })
        .to_string();
        let head =
            "POST /api/webhook HTTP/1.1\r\nX-GitHub-Event: push\r\nContent-Type: application/json";
        self.ask(head, &event).map(drop)
    }

    /// The sum of a metric over the series whose labels contain `labels`.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> anyhow::Result<f64> {
        let text = self.ask("GET /metrics HTTP/1.1", "")?;
        let series = text.lines().filter_map(|line| line.rsplit_once(' '));
        let wanted = series.filter(|(series, _)| {
            let (of, with) = series.split_once('{').unwrap_or((series, ""));
            of == name && with.contains(labels)
        });
        Ok(wanted
            .filter_map(|(_, value)| value.parse::<f64>().ok())
            .sum())
    }

    fn ask(&self, head: &str, body: &str) -> anyhow::Result<String> {
        let mut connection = TcpStream::connect(&self.address)?;
        write!(
            connection,
            "{head}\r\nHost: hub\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("`{head}` was answered with {answer}");
        }
        Ok(answer)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
