//! Logs: human or JSON, filtered as `RUST_LOG` says, to standard error or a file.
//!
//! A message reads alone and carries its facts as fields (`application`, `cluster`); it is logged
//! once, where it is handled. Secrets and the contents of manifests never reach a log.

use std::fs::File;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The form of the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// Starts logging; `default` is the filter where `RUST_LOG` says nothing. A second call has no
/// effect.
pub fn start(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A subscriber that is already there was put there by a test.
    let _ = match format {
        LogFormat::Text => logs
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}

/// Starts logging to a file, as text; otherwise as [`start`].
pub fn start_in(file: File, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_target(false);
    let _ = logs.try_init();
}
