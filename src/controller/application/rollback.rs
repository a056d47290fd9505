//! Applications that are rolled back: which manifests are in force.

use std::sync::Arc;

use argosy_crds::codes::condition;
use argosy_crds::{Application, ApplicationSource, names};
use argosy_engine::operation::Pin;
use serde_json::{Value, json};

use super::begin::Told;
use super::desired::{Desired, Failure, desired};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Whether an earlier deployment is in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Rollback {
    /// It never was.
    #[default]
    None,
    /// It is.
    Held(Pin),
    /// It was, and a commit has come that renders something else than the refused revision.
    Over,
}

impl Rollback {
    /// What a condition says of it.
    pub(super) fn told(&self) -> Told {
        let Self::Held(pin) = self else {
            return None;
        };
        let message = format!(
            "deployment {} ({}) is in force by the word of {}; revision {} is refused until a commit \
             renders something else",
            pin.id,
            pin.revisions.join(", "),
            pin.by,
            pin.refused.join(", ")
        );
        Some((condition::ROLLED_BACK, message))
    }
}

/// What is in force, where `newest` is what the sources say now.
///
/// Where nobody can tell whether that is still what was refused, it counts as refused.
pub(super) async fn in_force(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
    newest: Desired,
) -> Result<(Desired, Rollback), Failure> {
    let Some(pin) = Pin::of(application) else {
        return Ok((newest, Rollback::None));
    };
    if newest.revisions != pin.refused {
        let refused = desired(hub, name, application, sources, &pin.refused).await;
        if refused.is_ok_and(|refused| !refused.manifests().eq(newest.manifests())) {
            return Ok((newest, Rollback::Over));
        }
    }
    let pinned = desired(hub, name, application, &pin.sources, &pin.revisions).await?;
    Ok((pinned, Rollback::Held(pin)))
}

/// The changes of the object that end a rollback, guarded so that no newer one is ended.
pub(super) fn end(application: &Application) -> Vec<Value> {
    let Some(text) = application.annotation(names::annotation::ROLLBACK) else {
        return Vec::new();
    };
    let path = "/metadata/annotations/argosy.dev~1rollback";
    vec![
        json!({"op": "test", "path": path, "value": text}),
        json!({"op": "remove", "path": path}),
    ]
}

/// The change of the object that begins one.
pub(super) fn begin(pin: &Pin) -> Vec<Value> {
    let text = serde_json::to_string(pin).unwrap_or_default();
    let path = "/metadata/annotations/argosy.dev~1rollback";
    vec![json!({"op": "add", "path": path, "value": text})]
}
