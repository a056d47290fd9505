//! Why an application does not sync now, and what would release it: what conditions say, together
//! with what only the clock and the other applications know.
//!
//! Nothing here decides; each answer is taken from the same function that the hub decides with.

use argosy_crds::application::{ApplicationCondition, OperationState};
use argosy_crds::codes::{SyncStatusCode, appset_condition, condition};
use argosy_crds::{Application, ApplicationSet};
use jiff::Timestamp;
use serde::Serialize;

use crate::gate::CLOSED;
use crate::graph::{AppKey, Chain, Graph};
use crate::object::names;
use crate::operation::{RetryPolicy, SelfHealBackoff};
use crate::windows::{self, Windows};

/// One reason, with those behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What holds the application back.
    pub reason: String,
    /// What would release it; empty where the reasons behind it say so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub released: String,
    /// The reasons behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Self>,
}

impl Reason {
    fn new(reason: impl Into<String>, released: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            released: released.into(),
            because: Vec::new(),
        }
    }
}

/// What the answer rests on.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The application.
    pub application: &'a Application,
    /// The set that generates it, if one does.
    pub set: Option<&'a ApplicationSet>,
    /// The graph of the fleet.
    pub graph: &'a Graph,
    /// The windows of its project that concern it.
    pub windows: &'a Windows,
    /// Time.
    pub now: Timestamp,
}

/// Everything that holds an application back; empty if nothing does.
pub fn reasons(about: Circumstances<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(left_alone(about.application));
    reasons.extend(conditions(about.application));
    reasons.extend(dependencies(about));
    reasons.extend(window(about));
    reasons.extend(operation(about));
    reasons.extend(automation(about.application));
    reasons.extend(about.set.and_then(guard));
    reasons
}

fn left_alone(application: &Application) -> Option<Reason> {
    let value = application.annotation(names::SKIP_RECONCILE)?;
    let reason = format!("{}: {value}", names::SKIP_RECONCILE);
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
        .then(|| Reason::new(reason, "when the annotation is removed"))
}

/// What conditions say, but for dependencies, which the graph tells in full.
fn conditions(application: &Application) -> Vec<Reason> {
    let conditions = application
        .status
        .iter()
        .flat_map(|status| &status.conditions);
    let name = name_of(application);
    conditions
        .filter_map(|condition| of_condition(condition, name))
        .collect()
}

fn name_of(application: &Application) -> &str {
    application.metadata.name.as_deref().unwrap_or_default()
}

fn of_condition(condition: &ApplicationCondition, name: &str) -> Option<Reason> {
    let released = match condition.type_.as_str() {
        condition::INVALID_SPEC_ERROR => "when the spec is corrected".to_owned(),
        condition::COMPARISON_ERROR | condition::UNKNOWN_ERROR => {
            "when the error is gone".to_owned()
        }
        condition::ROLLED_BACK => format!(
            "by a commit that renders something else, or by a person: argosy app rollback {name} --resume"
        ),
        condition::PAUSED => format!("at that time, or by a person: argosy app resume {name}"),
        condition::SYNC_ERROR => {
            format!("by a new commit, or by a person: argosy app sync {name}")
        }
        condition::APPROVAL_NEEDED => {
            format!("by a person: argosy app approve {name}, with the plan that is named here")
        }
        condition::DELETION_ERROR | condition::DELETION_BLOCKED => {
            format!("when the obstacle is gone, or by a person: argosy app delete {name} --abandon")
        }
        _ => return None,
    };
    let reason = format!("{}: {}", condition.type_, condition.message);
    Some(Reason::new(reason, released))
}

fn dependencies(about: Circumstances<'_>) -> Vec<Reason> {
    let metadata = &about.application.metadata;
    let key = AppKey::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    );
    if let Some(cycle) = about.graph.cycle_of(&key) {
        let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
        return vec![Reason::new(
            format!("a cycle of dependencies: {}", names.join(" -> ")),
            "when one of these dependencies is removed",
        )];
    }
    let chain = about.graph.why(&key);
    if !chain.is_empty() {
        return chain.iter().map(of_chain).collect();
    }
    // The hub knows of commits that nobody else does.
    let mut said = about
        .application
        .status
        .iter()
        .flat_map(|status| &status.conditions);
    let waiting = said.find(|one| one.type_ == condition::WAITING);
    let released = |message: &str| {
        if message.starts_with(CLOSED) {
            "when the gate opens; the sync fails if it does not in its time"
        } else {
            "when that is synced and healthy"
        }
    };
    waiting
        .map(|one| Reason::new(one.message.clone(), released(&one.message)))
        .into_iter()
        .collect()
}

fn of_chain(chain: &Chain) -> Reason {
    let because: Vec<_> = chain.because.iter().map(of_chain).collect();
    let released = if because.is_empty() {
        "when that is synced and healthy"
    } else {
        ""
    };
    Reason {
        because,
        ..Reason::new(format!("BlockedBy: {}", chain.unmet), released)
    }
}

fn window(about: Circumstances<'_>) -> Option<Reason> {
    let attempt = windows::Attempt::default();
    if about.windows.verdict(attempt, about.now).may_sync() {
        return None;
    }
    let told = windows::explain(about.windows, attempt, about.now);
    let reason = format!("sync windows: {}", told.join("; "));
    let mut changes = about.windows.iter().filter_map(|(_, window)| {
        if window.is_active(about.now) {
            window.closes_after(about.now)
        } else {
            window.opens_after(about.now)
        }
    });
    let first = changes.by_ref().min();
    let released = first.map_or_else(String::new, |at| format!("not before {at:.0}"));
    Some(Reason::new(reason, released))
}

fn operation(about: Circumstances<'_>) -> Option<Reason> {
    let status = about.application.status.as_ref()?;
    let state = status.operation_state.as_ref()?;
    if state.phase.is_completed() {
        let is_out_of_sync = status.sync.status == SyncStatusCode::OutOfSync;
        return is_out_of_sync.then(|| healing(state, about.now)).flatten();
    }
    let finished = state.finished_at.as_ref();
    let policy = RetryPolicy::read(state.operation.retry.as_ref()).ok();
    let reason = format!("operation {}: {}", state.phase, state.message);
    Some(match (finished, policy) {
        (Some(finished), Some(policy)) => {
            let at = finished.0.saturating_add(policy.delay(state.retry_count));
            let at = at.unwrap_or(Timestamp::MAX);
            Reason::new(
                reason,
                format!("retry #{} begins at {at:.0}", state.retry_count),
            )
        }
        _ => Reason::new(reason, "when it ends"),
    })
}

/// The wait before drift is healed again.
fn healing(state: &OperationState, now: Timestamp) -> Option<Reason> {
    let sync = state.operation.sync.as_ref()?;
    let attempts = sync.auto_heal_attempts_count;
    let delay = SelfHealBackoff::default().delay(attempts);
    let due = state.finished_at.as_ref()?.0.saturating_add(delay).ok()?;
    (attempts > 0 && now < due).then(|| {
        Reason::new(
            format!("drift came back after {attempts} attempts to heal it"),
            format!("it is healed again at {due:.0}"),
        )
    })
}

fn automation(application: &Application) -> Option<Reason> {
    let policy = application.spec.sync_policy.as_ref();
    let is_automated = policy.is_some_and(argosy_crds::application::SyncPolicy::is_automated);
    let status = application.status.as_ref()?;
    let differs = status.sync.status == SyncStatusCode::OutOfSync;
    (!is_automated && differs).then(|| {
        let released = format!("by a person: argosy app sync {}", name_of(application));
        Reason::new("automated sync is off", released)
    })
}

fn guard(set: &ApplicationSet) -> Option<Reason> {
    let mut conditions = set.status.iter().flat_map(|status| &status.conditions);
    let waiting = conditions
        .find(|one| one.type_ == appset_condition::APPROVAL_NEEDED && one.status == "True")?;
    let name = set.metadata.name.as_deref().unwrap_or_default();
    Some(Reason::new(
        format!(
            "the ApplicationSet {name} waits for approval: {}",
            waiting.message
        ),
        format!("by a person: argosy appset approve {name}"),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::AppNode;

    fn application(name: &str, more: &serde_json::Value) -> Application {
        let mut application = json!({
            "metadata": {"name": name, "namespace": "argocd", "annotations": {}},
            "spec": {"source": {"repoURL": "https://git.example.com/a"}, "destination": {"name": "dev"},
                "syncPolicy": {"automated": {}}},
        });
        for (key, value) in more.as_object().unwrap() {
            for (field, value) in value.as_object().unwrap() {
                application[key][field] = value.clone();
            }
        }
        serde_json::from_value(application).unwrap()
    }

    #[test]
    fn the_whole_chain_is_told_with_what_releases_it() {
        let on = |name: &str| json!({"metadata": {"annotations": {"argosy.dev/depends-on": name}}});
        let degraded = json!({"status": {"sync": {"status": "Synced"}, "health": {
            "status": "Degraded", "lastTransitionTime": "2026-03-04T05:06:07Z"}}});
        let web = application("web", &on("api"));
        let fleet = [
            application("db", &degraded),
            application("api", &on("db")),
            web.clone(),
        ];
        let graph = Graph::build(fleet.iter().map(|app| AppNode::of(app, None)));
        let windows = Windows::of(&web, &[]).unwrap();
        let found = reasons(Circumstances {
            application: &web,
            set: None,
            graph: &graph,
            windows: &windows,
            now: Timestamp::UNIX_EPOCH,
        });
        let expected = json!([{
            "reason": "BlockedBy: argocd/api (not compared yet)",
            "because": [{
                "reason": "BlockedBy: argocd/db (health Degraded since 2026-03-04T05:06:07Z)",
                "released": "when that is synced and healthy",
            }],
        }]);
        assert_eq!(serde_json::to_value(found).unwrap(), expected);
    }

    #[test]
    fn a_retry_tells_its_time_and_no_automation_is_told() {
        let mut web = application(
            "web",
            &json!({"status": {"sync": {"status": "OutOfSync"}, "operationState": {
                "phase": "Running", "message": "refused", "retryCount": 1,
                "finishedAt": "2026-03-04T05:06:07Z", "operation": {"retry": {"limit": 5}}}}}),
        );
        web.spec.sync_policy = None;
        let windows = Windows::of(&web, &[]).unwrap();
        let found = reasons(Circumstances {
            application: &web,
            set: None,
            graph: &Graph::default(),
            windows: &windows,
            now: Timestamp::UNIX_EPOCH,
        });
        let texts: Vec<_> = found
            .iter()
            .map(|one| format!("{} / {}", one.reason, one.released))
            .collect();
        assert_eq!(
            texts,
            [
                "operation Running: refused / retry #1 begins at 2026-03-04T05:06:17Z",
                "automated sync is off / by a person: argosy app sync web",
            ]
        );
    }
}
