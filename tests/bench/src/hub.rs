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
        let mut connection = TcpStream::connect(&self.address)?;
        write!(
            connection,
            "POST /api/webhook HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nX-GitHub-Event: push\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{event}",
            event.len()
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("the webhook was answered with {answer}");
        }
        Ok(())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
