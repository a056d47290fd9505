//! Logs: human or JSON, filtered as `RUST_LOG` says, to standard error or a file.
//!
//! A message reads alone and carries its facts as fields (`application`, `cluster`); it is logged
//! once, where it is handled. Secrets and the contents of manifests never reach a log. The filter
//! can be changed while the logs are written; one that cannot be read leaves it as it is.

use std::fmt;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, reload};

use crate::diagnostic::{Diagnostic, nearest};

/// The levels of a filter.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Argo CD's words for levels that are called otherwise here.
const ARGO_CD: [(&str, &str); 3] = [("warning", "warn"), ("fatal", "error"), ("panic", "error")];

/// The form of the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// The logs of this process, whose filter can be changed. Those that were never started take any
/// filter and heed none.
#[derive(Clone, Default)]
pub struct Logs(Option<Arc<Started>>);

struct Started {
    /// The filter that they were started with.
    first: String,
    current: Mutex<String>,
    put: Put,
}

type Put = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

impl Logs {
    fn new<S: 'static>(first: String, handle: reload::Handle<EnvFilter, S>) -> Self {
        Self(Some(Arc::new(Started {
            current: Mutex::new(first.clone()),
            first,
            put: Box::new(move |filter| handle.reload(filter)),
        })))
    }

    /// Filters what is logged from now on by `wanted`, or as at the start where nothing is wanted.
    /// Returns the filter if it is another than before.
    pub fn filter(&self, wanted: Option<&str>) -> Result<Option<String>, Diagnostic> {
        let Some(started) = &self.0 else {
            return Ok(None);
        };
        let wanted = wanted.unwrap_or(&started.first);
        let filter = read_filter(wanted)?;
        let mut current = started
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *current == wanted {
            return Ok(None);
        }
        (started.put)(filter).map_err(|error| {
            Diagnostic::config("LogFilterFailed", "the log filter cannot be changed")
                .because(&error)
        })?;
        wanted.clone_into(&mut current);
        Ok(Some(wanted.to_owned()))
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logs")
    }
}

/// Reads a filter as `RUST_LOG` has it: levels, for everything or for single targets, with commas
/// between them. Argo CD's names of levels are read, too.
///
/// A word alone that looks like a level is taken for a slip: it would be the name of a target
/// otherwise, and nothing else would be logged.
pub fn read_filter(text: &str) -> Result<EnvFilter, Diagnostic> {
    let refused = |why: &str| {
        Diagnostic::user("LogFilterRefused", format!("`{text}` is no log filter: {why}")).fix(
            "name a level, such as `debug`, or levels by target, such as `info,argosy::source=debug`",
        )
    };
    let mut directives = Vec::new();
    for directive in text.split(',').map(str::trim) {
        let level = directive.to_ascii_lowercase();
        if let Some((_, ours)) = ARGO_CD.iter().find(|(theirs, _)| *theirs == level) {
            directives.push(*ours);
            continue;
        }
        let is_word = !directive.contains(['=', '[', ':', '_']);
        let is_level = LEVELS.contains(&level.as_str()) || level.parse::<u8>().is_ok_and(|n| n < 6);
        if directive.is_empty() {
            return Err(refused("there is nothing in it, or between two commas"));
        }
        if let Some(near) = nearest(&level, LEVELS).filter(|_| is_word && !is_level) {
            let why = format!("`{directive}` is no level; did you mean `{near}`?");
            return Err(refused(&why));
        }
        directives.push(directive);
    }
    EnvFilter::builder()
        .parse(directives.join(","))
        .map_err(|error| refused(&error.to_string()))
}

/// The filter to start with, and its text: what `RUST_LOG` says, or `default` where it says nothing
/// that can be read.
fn first(default: &str) -> (String, EnvFilter) {
    let said = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let said = said.and_then(|text| read_filter(&text).ok().map(|filter| (text, filter)));
    said.unwrap_or_else(|| (default.to_owned(), EnvFilter::new(default)))
}

/// Starts logging; `default` is the filter where `RUST_LOG` says nothing. A second call has no
/// effect.
pub fn start(format: LogFormat, default: &str) -> Logs {
    let (first, filter) = first(default);
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A subscriber that is already there was put there by a test.
    match format {
        LogFormat::Text => {
            let logs = logs
                .with_ansi(AutoStream::choice(&std::io::stderr()) != ColorChoice::Never)
                .with_target(false)
                .with_filter_reloading();
            let handle = logs.reload_handle();
            let _ = logs.try_init();
            Logs::new(first, handle)
        }
        LogFormat::Json => {
            let logs = logs.json().flatten_event(true).with_filter_reloading();
            let handle = logs.reload_handle();
            let _ = logs.try_init();
            Logs::new(first, handle)
        }
    }
}

/// Starts logging to a file, as text; otherwise as [`start`].
pub fn start_in(file: File, default: &str) -> Logs {
    let (first, filter) = first(default);
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_target(false)
        .with_filter_reloading();
    let handle = logs.reload_handle();
    let _ = logs.try_init();
    Logs::new(first, handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_rust_log_s_and_levels_argo_cd_s_too() {
        for filter in [
            "info",
            "DEBUG",
            "3",
            "warn,argosy::source=debug",
            "argosy=trace,kube_client=off",
            "argosy",
            "warning",
            "fatal",
        ] {
            let read = read_filter(filter);
            assert!(read.is_ok(), "{filter}: {}", read.unwrap_err());
        }
        assert_eq!(read_filter("warning").unwrap().to_string(), "warn");
    }

    #[test]
    fn a_slip_is_refused_with_what_was_meant() {
        let told = |filter: &str| read_filter(filter).unwrap_err().to_string();
        assert!(told("debgu").contains("did you mean `debug`?"));
        assert!(told("info,wran").contains("did you mean `warn`?"));
        assert!(told("argosy=loud").contains("`argosy=loud` is no log filter"));
        assert!(told("").contains("nothing in it"));
        assert!(told("info,").contains("between two commas"));
    }

    #[test]
    fn what_cannot_be_read_leaves_the_filter_and_nothing_brings_back_the_first() {
        let (_layer, handle) =
            reload::Layer::<_, tracing_subscriber::Registry>::new(read_filter("info").unwrap());
        let logs = Logs::new("info".to_owned(), handle.clone());
        let now = || handle.with_current(ToString::to_string).unwrap();
        let wanted = "argosy=debug";
        assert_eq!(logs.filter(Some(wanted)).unwrap().as_deref(), Some(wanted));
        assert_eq!(logs.filter(Some(wanted)).unwrap(), None);
        assert!(logs.filter(Some("argosy=loud")).is_err());
        assert_eq!(now(), wanted);
        assert_eq!(logs.filter(None).unwrap().as_deref(), Some("info"));
        assert_eq!(now(), "info");
    }
}
