//! The hub as a child process.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

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
        Self::start_with(program, kubeconfig, folder, &[])
    }

    /// As [`Self::start`], with more flags.
    pub(crate) fn start_with(
        program: &Path,
        kubeconfig: &Path,
        folder: &Path,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
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
            .args(flags)
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
        let text = self.exposition()?;
        let series = text.lines().filter_map(|line| line.rsplit_once(' '));
        let wanted = series.filter(|(series, _)| {
            let (of, with) = series.split_once('{').unwrap_or((series, ""));
            of == name && with.contains(labels)
        });
        Ok(wanted
            .filter_map(|(_, value)| value.parse::<f64>().ok())
            .sum())
    }

    /// All metrics, after the head of the answer.
    pub(crate) fn exposition(&self) -> anyhow::Result<String> {
        self.ask("GET /metrics HTTP/1.1", "")
    }

    /// Scrapes the metrics as Prometheus does; how long that took, and how many bytes came.
    pub(crate) fn scrape(&self) -> anyhow::Result<(Duration, usize)> {
        let since = Instant::now();
        let answer = self.raw("GET /metrics HTTP/1.1\r\nAccept-Encoding: gzip", "")?;
        Ok((since.elapsed(), answer.len()))
    }

    fn ask(&self, head: &str, body: &str) -> anyhow::Result<String> {
        let answer = String::from_utf8(self.raw(head, body)?)?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("`{head}` was answered with {answer}");
        }
        Ok(answer)
    }

    fn raw(&self, head: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let mut connection = TcpStream::connect(&self.address)?;
        write!(
            connection,
            "{head}\r\nHost: hub\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
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
