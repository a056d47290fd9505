//! Names and marks: which application an object belongs to, and which applications are left alone.

use argosy_crds::{Application, names};
use argosy_engine::object::names as keys;
use jiff::Timestamp;
use serde_json::Value;

use crate::fleet::{ObjectName, Settings};

pub(super) use argosy_engine::application::instance_name as engine_instance_name;

/// The instance name of an application, by which its objects are tracked.
pub(super) fn instance_name(name: &ObjectName, hub_namespace: &str) -> String {
    engine_instance_name(&name.namespace, &name.name, hub_namespace)
}

/// The application of an instance name.
pub fn name_of_instance(instance: &str, hub_namespace: &str) -> ObjectName {
    // Neither a namespace nor a name has an underscore.
    match instance.split_once('_') {
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => ObjectName::new(hub_namespace, instance),
    }
}

/// Which application instance an object says it belongs to.
pub fn owner_of(object: &Value, settings: &Settings) -> Option<String> {
    settings.tracking.owner(object)
}

/// Whether a person has approved deletions at `since` or later.
pub(super) fn is_approved_since(application: &Application, since: Timestamp) -> bool {
    let approved = application
        .annotation(keys::DELETION_APPROVED)
        .and_then(|text| text.parse::<Timestamp>().ok());
    approved.is_some_and(|approved| approved >= since)
}

/// Whether the application asks not to be looked at.
pub(super) fn is_skipped(application: &Application) -> bool {
    let value = application.annotation(names::annotation::SKIP_RECONCILE);
    value.is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}
