//! The words in which tables and details describe a set.

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::{ApplicationSetCondition, ApplicationsSyncPolicy};
use argosy_crds::codes::appset_condition;

/// Its name.
pub(super) fn name(set: &ApplicationSet) -> String {
    set.metadata.name.clone().unwrap_or_default()
}

/// The project that its template names.
pub(super) fn project(set: &ApplicationSet) -> String {
    set.spec.template.spec.project_or_default().to_owned()
}

/// What it may do to its Applications.
pub(super) fn policy(set: &ApplicationSet) -> String {
    let policy = set.spec.sync_policy.as_ref();
    let policy = policy.and_then(|policy| policy.applications_sync);
    match policy.unwrap_or_default() {
        ApplicationsSyncPolicy::Sync => "sync",
        ApplicationsSyncPolicy::CreateOnly => "create-only",
        ApplicationsSyncPolicy::CreateUpdate => "create-update",
        ApplicationsSyncPolicy::CreateDelete => "create-delete",
    }
    .to_owned()
}

/// How many Applications it has.
pub(super) fn applications(set: &ApplicationSet) -> String {
    let count = set
        .status
        .as_ref()
        .map_or(0, |status| status.resources_count);
    count.to_string()
}

/// The verdict that its conditions amount to.
pub(super) fn health(set: &ApplicationSet) -> String {
    let health = set.status.as_ref().and_then(|status| status.health.status);
    health.map_or_else(|| "Unknown".to_owned(), |code| code.to_string())
}

/// The conditions that stand out: those that hold, but for those that should.
pub(super) fn standing_out(set: &ApplicationSet) -> impl Iterator<Item = &ApplicationSetCondition> {
    const AS_IT_SHOULD_BE: [&str; 2] = [
        appset_condition::PARAMETERS_GENERATED,
        appset_condition::RESOURCES_UP_TO_DATE,
    ];
    let conditions = set.status.iter().flat_map(|status| &status.conditions);
    conditions.filter(|one| one.status == "True" && !AS_IT_SHOULD_BE.contains(&one.type_.as_str()))
}

/// The types of the conditions that stand out; `<none>` without any.
pub(super) fn conditions(set: &ApplicationSet) -> String {
    let types: Vec<_> = standing_out(set).map(|one| one.type_.as_str()).collect();
    if types.is_empty() {
        "<none>".to_owned()
    } else {
        types.join(",")
    }
}

/// In which order its Applications are rolled out.
pub(super) fn strategy(set: &ApplicationSet) -> String {
    let strategy = set.spec.strategy.as_ref();
    strategy
        .map(|strategy| strategy.type_.clone())
        .filter(|type_| !type_.is_empty())
        .unwrap_or_else(|| "AllAtOnce".to_owned())
}

/// The repositories of its template.
pub(super) fn repo(set: &ApplicationSet) -> String {
    let sources = set.spec.template.spec.sources();
    let repos: Vec<_> = sources
        .iter()
        .map(|source| source.repo_url.as_str())
        .collect();
    repos.join(",")
}

/// The paths or charts of its template.
pub(super) fn path(set: &ApplicationSet) -> String {
    let sources = set.spec.template.spec.sources();
    let paths = sources.iter().map(|source| {
        if source.chart.is_empty() {
            source.path.as_str()
        } else {
            source.chart.as_str()
        }
    });
    paths.collect::<Vec<_>>().join(",")
}
