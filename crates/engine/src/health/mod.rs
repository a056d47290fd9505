//! How well one live object does what its kind is for.
//!
//! The order of judges is Argo CD's: an object being deleted, the user's Lua (exact kind, then
//! patterns), the bundled table of custom kinds, the built-in kinds. A kind that no judge knows has
//! no health. This module never looks at desired state, clocks or other objects, so the same object
//! always gets the same answer.

mod aggregate;
mod apiservice;
mod autoscaler;
mod child;
mod claim;
mod cronjob;
mod custom;
mod daemonset;
mod deployment;
mod ingress;
mod job;
mod pod;
mod replicaset;
mod service;
mod statefulset;
mod status;
mod typed;
mod workflow;

use argosy_crds::names::finalizer::HOOK as HOOK_FINALIZER;
use jiff::Timestamp;
use serde_json::Value;

pub use aggregate::{Aggregate, Member, aggregate};
pub use child::of_application;
pub use status::{Health, HealthStatus};
pub use typed::Error;

use typed::Typed;

use crate::object::ObjectExt as _;
use crate::overrides::Overrides;

/// Judges an object by the built-in kinds alone.
///
/// `Ok(None)` means that the kind has no health. An object that cannot be read as its kind, or a
/// version that Kubernetes no longer serves, is an error (and counts as `Unknown`).
pub fn built_in(object: &Value) -> Result<Option<Health>, Error> {
    let (group, version, kind) = group_version_kind(object);
    let judge: fn(&Typed<'_>) -> Result<Health, Error> = match (group, kind) {
        ("apps", "Deployment") => deployment::assess,
        ("apps", "StatefulSet") => statefulset::assess,
        ("apps", "ReplicaSet") => replicaset::assess,
        ("apps", "DaemonSet") => daemonset::assess,
        ("", "Pod") => pod::assess,
        ("", "Service") => service::assess,
        ("", "PersistentVolumeClaim") => claim::assess,
        ("networking.k8s.io" | "extensions", "Ingress") => ingress::assess,
        ("batch", "Job") => job::assess,
        ("batch", "CronJob") => cronjob::assess,
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::assess,
        ("apiregistration.k8s.io", "APIService") => apiservice::assess,
        ("argoproj.io", "Workflow") => workflow::assess,
        _ => return Ok(None),
    };
    let served: &[&str] = match group {
        "autoscaling" => &["v1", "v2"],
        "apiregistration.k8s.io" => &["v1", "v1beta1"],
        "apps" | "" => &["v1"],
        "batch" if kind == "Job" => &["v1"],
        _ => &[],
    };
    if !served.is_empty() && !served.contains(&version) {
        return Err(Error::UnsupportedVersion {
            kind: kind.to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
        });
    }
    judge(&Typed::of(kind, object)).map(Some)
}

/// Judges an object: deletion first, then the user's script, the bundled custom kinds, and the
/// built-in kinds.
///
/// `Ok(None)` means that the kind has no health. An error counts as `Unknown`. `now` is what a
/// script's clock shows.
pub fn assess(
    object: &Value,
    overrides: &Overrides,
    now: Timestamp,
) -> Result<Option<Health>, Error> {
    if let Some(going) = pending_deletion(object) {
        return Ok(Some(going));
    }
    if let Some((script, open_libraries)) = overrides.health_script(object) {
        return crate::lua::health(script, open_libraries, object, now)
            .map(Some)
            .map_err(|error| Error::Check {
                object: format!("{}/{}", object.namespace(), object.name()),
                problem: error.to_string(),
            });
    }
    if let Some(judged) = custom::assess(object) {
        return judged.map(Some);
    }
    built_in(object)
}

/// Whether the object is on its way out, which outweighs every other judgement.
pub fn pending_deletion(object: &Value) -> Option<Health> {
    let metadata = object.get("metadata")?;
    let going = metadata
        .get("deletionTimestamp")
        .is_some_and(|at| !at.is_null());
    let held_as_hook = metadata
        .get("finalizers")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|one| one == HOOK_FINALIZER));
    (going && !held_as_hook).then(|| Health::new(HealthStatus::Progressing, "Pending deletion"))
}

/// Group, version and kind of an object, each empty where the object does not say.
pub(crate) fn group_version_kind(object: &Value) -> (&str, &str, &str) {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let api_version = text("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    (group, version, text("kind"))
}
