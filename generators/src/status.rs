//! What is told of a set in its status: conditions, the Applications it owns, its health.

use argosy_crds::application::{HealthStatus, ResourceStatus};
use argosy_crds::application_set::{ApplicationSetCondition, ApplicationSetStatus};
use argosy_crds::codes::{HealthStatusCode, appset_condition as condition};
use argosy_crds::names::{GROUP, VERSION};
use argosy_crds::{Application, ApplicationSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::plan::is_owned_by;
use crate::rollout::RolloutPlan;

const TRUE: &str = "True";
const FALSE: &str = "False";

/// How a reconcile went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as generated.
    UpToDate,
    /// Parameters were generated, and something after that failed.
    Failed {
        /// A word for programs, of `codes::appset_condition`.
        reason: String,
        /// A sentence for people.
        message: String,
    },
    /// Parameters could not be generated, or templates not rendered.
    NotGenerated {
        /// A word for programs, of `codes::appset_condition`.
        reason: String,
        /// A sentence for people.
        message: String,
    },
}

/// Whether rollouts are used, and how far one is.
#[derive(Clone, Copy, Debug)]
pub enum Rollout<'a> {
    /// They are not: what is told of rollouts is removed.
    None,
    /// Nobody looked: what is told of rollouts is left as it is.
    Kept,
    /// This is how far it is.
    Planned(&'a RolloutPlan),
}

/// The status after a reconcile. Times change only with what they are the times of, so that an
/// equal outcome gives an equal status and nothing needs to be written.
pub fn status(
    set: &ApplicationSet,
    outcome: &Outcome,
    rollout: Rollout<'_>,
    live: &[Application],
    max_resources: usize,
    now: &Time,
) -> ApplicationSetStatus {
    let mut status = set.status.clone().unwrap_or_default();
    for (type_, is_true, reason, message) in conditions(outcome) {
        let condition = ApplicationSetCondition {
            type_: type_.to_owned(),
            status: if is_true { TRUE } else { FALSE }.to_owned(),
            reason,
            message,
            last_transition_time: Some(now.clone()),
        };
        put(&mut status.conditions, condition);
    }
    put_rollout(&mut status, rollout, now);
    status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    let mut resources = resources(set, live);
    status.resources_count = i64::try_from(resources.len()).unwrap_or(i64::MAX);
    resources.truncate(max_resources);
    status.resources = resources;
    status.health = health(&status.conditions, status.health);
    status
}

/// Tells how far the rollout is; what a plan says nothing of does not hold any more.
fn put_rollout(status: &mut ApplicationSetStatus, rollout: Rollout<'_>, now: &Time) {
    const OF_ROLLOUTS: [&str; 3] = [
        condition::ROLLOUT_PROGRESSING,
        condition::INVALID_ROLLOUT_CONFIG,
        condition::ROLLOUT_STOPPED,
    ];
    let told = match rollout {
        Rollout::Kept => return,
        Rollout::None => {
            status.application_status.clear();
            &[]
        }
        Rollout::Planned(plan) => {
            status.application_status.clone_from(&plan.status);
            plan.conditions.as_slice()
        }
    };
    status.conditions.retain(|condition| {
        let type_ = condition.type_.as_str();
        !OF_ROLLOUTS.contains(&type_) || told.iter().any(|told| told.type_ == type_)
    });
    for told in told {
        let condition = ApplicationSetCondition {
            type_: told.type_.to_owned(),
            status: if told.is_true { TRUE } else { FALSE }.to_owned(),
            reason: told.reason.to_owned(),
            message: told.message.clone(),
            last_transition_time: Some(now.clone()),
        };
        put(&mut status.conditions, condition);
    }
}

fn conditions(outcome: &Outcome) -> [(&'static str, bool, String, String); 3] {
    const GENERATED: &str = "Successfully generated parameters for all Applications";
    const UP_TO_DATE: &str = "All applications have been generated successfully";
    let up_to_date = condition::APPLICATION_SET_UP_TO_DATE.to_owned();
    let generated = (
        condition::PARAMETERS_GENERATED,
        true,
        condition::PARAMETERS_GENERATED.to_owned(),
        GENERATED.to_owned(),
    );
    let (reason, message, generated) = match outcome {
        Outcome::UpToDate => {
            return [
                (
                    condition::ERROR_OCCURRED,
                    false,
                    up_to_date.clone(),
                    UP_TO_DATE.to_owned(),
                ),
                generated,
                (
                    condition::RESOURCES_UP_TO_DATE,
                    true,
                    up_to_date,
                    UP_TO_DATE.to_owned(),
                ),
            ];
        }
        Outcome::Failed { reason, message } => (reason, message, generated),
        Outcome::NotGenerated { reason, message } => (
            reason,
            message,
            (
                condition::PARAMETERS_GENERATED,
                false,
                condition::ERROR_OCCURRED.to_owned(),
                message.clone(),
            ),
        ),
    };
    [
        (
            condition::ERROR_OCCURRED,
            true,
            reason.clone(),
            message.clone(),
        ),
        generated,
        (
            condition::RESOURCES_UP_TO_DATE,
            false,
            reason.clone(),
            message.clone(),
        ),
    ]
}

/// Replaces the condition of the same type, keeping its time where nothing else changed.
fn put(conditions: &mut Vec<ApplicationSetCondition>, mut new: ApplicationSetCondition) {
    match conditions.iter_mut().find(|old| old.type_ == new.type_) {
        Some(old) => {
            let is_same = old.status == new.status
                && old.reason == new.reason
                && old.message == new.message
                && old.last_transition_time.is_some();
            if is_same {
                new.last_transition_time
                    .clone_from(&old.last_transition_time);
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

/// The owned Applications, sorted by name.
fn resources(set: &ApplicationSet, live: &[Application]) -> Vec<ResourceStatus> {
    let mut resources: Vec<ResourceStatus> = live
        .iter()
        .filter(|app| is_owned_by(app, set))
        .map(|app| {
            let status = app.status.as_ref();
            ResourceStatus {
                group: GROUP.to_owned(),
                version: VERSION.to_owned(),
                kind: "Application".to_owned(),
                name: app.metadata.name.clone().unwrap_or_default(),
                namespace: app.metadata.namespace.clone().unwrap_or_default(),
                status: status.map(|status| status.sync.status),
                health: status
                    .and_then(|status| status.health.status)
                    .map(|code| HealthStatus {
                        status: Some(code),
                        ..HealthStatus::default()
                    }),
                ..ResourceStatus::default()
            }
        })
        .collect();
    resources.sort_by(|a, b| a.name.cmp(&b.name));
    resources
}

/// The verdict that conditions amount to; its time stays while the verdict does.
fn health(conditions: &[ApplicationSetCondition], old: HealthStatus) -> HealthStatus {
    let find = |type_: &str| {
        conditions
            .iter()
            .find(|condition| condition.type_ == type_ && condition.status == TRUE)
    };
    let verdicts = [
        (condition::ERROR_OCCURRED, HealthStatusCode::Degraded),
        (condition::ROLLOUT_STOPPED, HealthStatusCode::Degraded),
        (
            condition::ROLLOUT_PROGRESSING,
            HealthStatusCode::Progressing,
        ),
        (condition::RESOURCES_UP_TO_DATE, HealthStatusCode::Healthy),
    ];
    let found = verdicts
        .into_iter()
        .find_map(|(type_, code)| Some((code, find(type_)?.message.clone())));
    let (code, message) = found.unwrap_or_else(|| {
        let message = "No status conditions found for ApplicationSet".to_owned();
        (HealthStatusCode::Unknown, message)
    });
    HealthStatus {
        status: Some(code),
        message,
        ..old
    }
}
