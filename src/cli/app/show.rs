//! The words in which tables and details describe an application.

use argosy_crds::Application;

/// Its name.
pub(crate) fn name(app: &Application) -> String {
    app.metadata.name.clone().unwrap_or_default()
}

/// Where it runs, by the name that its destination uses.
pub(crate) fn cluster(app: &Application) -> String {
    let destination = &app.spec.destination;
    if destination.name.is_empty() {
        destination.server.clone()
    } else {
        destination.name.clone()
    }
}

/// Whether it is in sync.
pub(crate) fn sync(app: &Application) -> String {
    app.status.as_ref().map_or_else(
        || "Unknown".to_owned(),
        |status| status.sync.status.to_string(),
    )
}

/// Whether it works.
pub(crate) fn health(app: &Application) -> String {
    let health = app.status.as_ref().and_then(|status| status.health.status);
    health.map_or_else(|| "Unknown".to_owned(), |code| code.to_string())
}

/// Both, in a sentence.
pub(crate) fn verdict(app: &Application) -> String {
    format!("{} is {} and {}", name(app), sync(app), health(app))
}

/// The revision that it was compared to; commits are cut to seven digits.
pub(crate) fn revision(app: &Application) -> String {
    let Some(status) = &app.status else {
        return String::new();
    };
    if status.sync.revisions.is_empty() {
        return short(&status.sync.revision).to_owned();
    }
    let revisions: Vec<_> = status
        .sync
        .revisions
        .iter()
        .map(|revision| short(revision))
        .collect();
    revisions.join(",")
}

/// The types of its conditions; `<none>` without any.
pub(crate) fn conditions(app: &Application) -> String {
    let conditions = app.status.iter().flat_map(|status| &status.conditions);
    let types: Vec<_> = conditions
        .map(|condition| condition.type_.as_str())
        .collect();
    if types.is_empty() {
        "<none>".to_owned()
    } else {
        types.join(",")
    }
}

/// The repositories of its sources.
pub(crate) fn repo(app: &Application) -> String {
    let sources = app.spec.sources();
    let repos: Vec<_> = sources
        .iter()
        .map(|source| source.repo_url.as_str())
        .collect();
    repos.join(",")
}

/// The paths or charts of its sources.
pub(crate) fn path(app: &Application) -> String {
    let sources = app.spec.sources();
    let paths = sources.iter().map(|source| {
        if source.chart.is_empty() {
            source.path.as_str()
        } else {
            source.chart.as_str()
        }
    });
    paths.collect::<Vec<_>>().join(",")
}

/// A commit's first seven digits; anything else whole.
pub(crate) fn short(revision: &str) -> &str {
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { &revision[..7] } else { revision }
}
