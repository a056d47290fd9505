//! The health of an Application that another one manages: what it says of itself.
//!
//! Argo CD has no check for Applications, and nor have [`super::assess`] and [`super::built_in`]: a
//! sync waits for no child. Only the health of the parent is told by this.

use argosy_crds::names;
use serde_json::Value;

use super::{Health, HealthStatus};
use crate::object::ObjectExt as _;

/// The health that an Application's status tells; `None` for what is none, and for one that tells
/// nothing yet.
pub fn of_application(object: &Value) -> Option<Health> {
    if object.group() != names::GROUP || object.kind() != "Application" {
        return None;
    }
    let health = object.pointer("/status/health")?;
    let status = HealthStatus::parse(health["status"].as_str()?)?;
    let message = health["message"].as_str().unwrap_or_default();
    Some(Health::new(status, message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_application_is_as_well_as_it_says_and_nothing_else_says_so() {
        let of = |version: &str, status: Value| {
            of_application(&json!({"apiVersion": version, "kind": "Application", "status": status}))
        };
        let told = json!({"health": {"status": "Degraded", "message": "Caused by Pod:n/p"}});
        let health = Health::new(HealthStatus::Degraded, "Caused by Pod:n/p");
        assert_eq!(of("argoproj.io/v1alpha1", told.clone()), Some(health));
        assert_eq!(of("argoproj.io/v1alpha1", json!({})), None);
        assert_eq!(of("app.k8s.io/v1beta1", told), None);
    }
}
