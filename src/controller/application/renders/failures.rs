//! Renders that failed, kept for a short while.
//!
//! A chart that fails after its 90 seconds must not be tried by every application and at every
//! wake. As long as the files are the same, the error stands, each time twice as long.

use std::time::Duration;

use argosy_render::RenderError;
use tokio::time::Instant;

/// How long a first failure stands, and how long any does at most.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);

/// How many failures are kept.
const CAPACITY: u64 = 10_000;

/// The failures that are kept.
pub(super) struct Failures(moka::sync::Cache<String, Failure>);

#[derive(Clone)]
struct Failure {
    /// Names the files that it failed on.
    files: String,
    error: RenderError,
    at: Instant,
    stands: Duration,
}

impl Default for Failures {
    fn default() -> Self {
        Self(moka::sync::Cache::new(CAPACITY))
    }
}

impl Failures {
    /// The error that stands for these files.
    pub(super) fn get(&self, key: &str, files: &str) -> Option<RenderError> {
        let failure = self.0.get(key).filter(|failure| failure.files == files)?;
        (failure.at.elapsed() < failure.stands).then_some(failure.error)
    }

    /// Keeps an error.
    pub(super) fn keep(&self, key: &str, files: String, error: &RenderError) {
        let former = self.0.get(key).filter(|failure| failure.files == files);
        let stands = former.map_or(FIRST, |former| (former.stands * 2).min(LONGEST));
        let failure = Failure {
            files,
            error: error.clone(),
            at: Instant::now(),
            stands,
        };
        self.0.insert(key.to_owned(), failure);
    }

    /// Forgets an error, or all.
    pub(super) fn forget(&self, key: Option<&str>) {
        match key {
            Some(key) => self.0.invalidate(key),
            None => self.0.invalidate_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_stands_for_its_files_and_each_time_longer() {
        let failures = Failures::default();
        let error = RenderError::NoSuchPath("x".into());
        failures.keep("key", "a".into(), &error);
        assert!(failures.get("key", "a").is_some());
        assert!(failures.get("key", "b").is_none());
        tokio::time::advance(FIRST).await;
        assert!(failures.get("key", "a").is_none());
        failures.keep("key", "a".into(), &error);
        tokio::time::advance(FIRST).await;
        assert!(failures.get("key", "a").is_some());
        failures.forget(Some("key"));
        assert!(failures.get("key", "a").is_none());
    }
}
