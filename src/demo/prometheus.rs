//! Prometheus beside a hub, where it is installed: it scrapes the hub's metrics and judges them by
//! the alerts and recording rules that come with it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::diagnostic::Diagnostic;

/// What Prometheus judges by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The file of alerts.
    pub alerts: Cow<'static, str>,
    /// The file of recording rules.
    pub records: Cow<'static, str>,
}

impl Default for Rules {
    /// The rules that come with the hub.
    fn default() -> Self {
        Self {
            alerts: include_str!("../../dashboards/alerts/alerts.yaml").into(),
            records: include_str!("../../dashboards/alerts/records.yaml").into(),
        }
    }
}

/// How long it may take to open its port.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Prometheus; it ends when this is dropped.
pub struct Prometheus {
    /// Where it serves its page and its API.
    pub address: SocketAddr,
    _child: Child,
}

impl Prometheus {
    /// Starts Prometheus with its files in `folder`; it scrapes `hub`, and judges what it found by
    /// the rules, at this interval.
    ///
    /// # Errors
    /// `PrometheusMissing` where it is not installed.
    pub async fn start(
        folder: &Path,
        hub: SocketAddr,
        interval: Duration,
        rules: &Rules,
    ) -> Result<Self, Diagnostic> {
        configure(folder, hub, interval, rules).map_err(|error| {
            Diagnostic::config("DataUnusable", "cannot write Prometheus' configuration")
                .at(folder.display().to_string())
                .because(&error)
        })?;
        let mut child = Command::new("prometheus")
            .current_dir(folder)
            .args(["--config.file=prometheus.yaml", "--storage.tsdb.path=data"])
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=info"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| missing(&error))?;
        let failed = || Diagnostic::remote("PrometheusFailed", "Prometheus did not start");
        let mut lines = BufReader::new(child.stderr.take().ok_or_else(failed)?).lines();
        let address = tokio::time::timeout(PATIENCE, listening(&mut lines))
            .await
            .ok()
            .flatten()
            .ok_or_else(failed)?;
        // Somebody has to read what it says, or it waits until somebody does.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            address,
            _child: child,
        })
    }

    /// Where its page of alerts is: Debian's package has the old pages alone, which others no longer
    /// have.
    pub async fn alerts_page(&self) -> String {
        let page = format!("http://{}/alerts", self.address);
        let answer = reqwest::get(&page).await;
        if answer.is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND) {
            return format!("http://{}/classic/alerts", self.address);
        }
        page
    }
}

/// Writes the configuration and the rules.
fn configure(
    folder: &Path,
    hub: SocketAddr,
    interval: Duration,
    rules: &Rules,
) -> std::io::Result<()> {
    let interval = format!("{}ms", interval.as_millis().max(1));
    let config = json!({
        "global": {
            "scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval,
        },
        "rule_files": ["alerts.yaml", "records.yaml"],
        "scrape_configs": [{
            "job_name": "argosy", "static_configs": [{"targets": [hub.to_string()]}],
        }],
    });
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("alerts.yaml"), rules.alerts.as_bytes())?;
    std::fs::write(folder.join("records.yaml"), rules.records.as_bytes())?;
    // JSON is YAML, too.
    std::fs::write(folder.join("prometheus.yaml"), config.to_string())
}

/// The address that it says it listens on.
async fn listening(lines: &mut Lines<BufReader<ChildStderr>>) -> Option<SocketAddr> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = address_in(&line) {
            return Some(address);
        }
    }
    None
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, said) = line.split_once("msg=\"Listening on\"")?;
    let (_, address) = said.split_once("address=")?;
    address.split(' ').next()?.trim_matches('"').parse().ok()
}

fn missing(error: &std::io::Error) -> Diagnostic {
    Diagnostic::config("PrometheusMissing", "Prometheus cannot be started")
        .because(error)
        .fix("install it so that `prometheus` is on the PATH: `apt install prometheus`, `brew install prometheus`, or https://prometheus.io/download/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_what_prometheus_logs() {
        let line = r#"ts=2026-01-01T00:00:00.000Z caller=tls_config.go:232 level=info component=web msg="Listening on" address=127.0.0.1:39133"#;
        assert_eq!(address_in(line), "127.0.0.1:39133".parse().ok());
        assert_eq!(address_in("level=info msg=\"Starting\""), None);
    }
}
