//! A commit's message to the hub, in the form of a push event of a git server.

use std::time::Duration;

use serde_json::json;

use crate::diagnostic::Diagnostic;

/// Longer than any hub takes to answer; a commit should not hang on a demo that is suspended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells the hub at `hub` that `reference` of the repository at `url` moved.
pub fn notify(hub: &str, url: &str, reference: &str) -> Result<(), Diagnostic> {
    let branch = reference.trim_start_matches("refs/heads/");
    let event = json!({
        "ref": reference,
        "repository": {"html_url": url, "default_branch": branch},
    });
    let failed = |error: reqwest::Error| {
        Diagnostic::remote(
            "NotifyFailed",
            "the demo's hub was not told about the commit",
        )
        .at(hub)
        .because(&error)
        .fix("if the demo is running, it finds the commit at its next poll")
    };
    reqwest::blocking::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(failed)?
        .post(format!("{hub}/api/webhook"))
        .header("X-GitHub-Event", "push")
        .json(&event)
        .send()
        .and_then(reqwest::blocking::Response::error_for_status)
        .map(drop)
        .map_err(failed)
}
