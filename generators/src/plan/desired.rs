//! An Application as it should be, made from what was generated and what is there.

use std::collections::BTreeMap;

use argosy_crds::names::annotation;
use argosy_crds::{Application, ApplicationSet};

use super::owner;
use crate::normalise::normalise;

/// Finalizers of hooks, by their beginning; other controllers add and remove them.
const FOREIGN_FINALIZERS: [&str; 2] = ["pre-delete-finalizer", "post-delete-finalizer"];
/// Annotations by which others talk to the Application's controllers.
const FOREIGN_ANNOTATIONS: [&str; 9] = [
    annotation::NOTIFIED,
    annotation::REFRESH,
    annotation::HYDRATE,
    annotation::PAUSED_UNTIL,
    annotation::PAUSE_REASON,
    annotation::PAUSED_BY,
    annotation::ABANDON,
    annotation::APPROVED_PLAN,
    annotation::ROLLBACK,
];

/// Metadata keys whose live values stay, for all sets of a hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreservedKeys {
    /// Keys of annotations.
    pub annotations: Vec<String>,
    /// Keys of labels.
    pub labels: Vec<String>,
}

/// The Application to create.
pub(crate) fn created(set: &ApplicationSet, generated: &Application) -> Application {
    let mut app = generated.clone();
    normalise(&mut app.spec);
    app.metadata.owner_references = Some(vec![owner::reference(set)]);
    app
}

/// `live` with the generated spec, labels, annotations and finalizers; all else, and what is to be
/// preserved, stays.
pub(super) fn merged(
    set: &ApplicationSet,
    generated: &Application,
    live: &Application,
    preserved: &PreservedKeys,
) -> Application {
    let own = set.spec.preserved_fields.clone().unwrap_or_default();
    let keys = |hub: &[String], own: &[String]| [hub, own].concat();
    let mut annotations = keys(&preserved.annotations, &own.annotations);
    annotations.extend(FOREIGN_ANNOTATIONS.map(str::to_owned));
    let labels = keys(&preserved.labels, &own.labels);

    let mut app = live.clone();
    app.spec = generated.spec.clone();
    normalise(&mut app.spec);
    let (from, to) = (&generated.metadata, &mut app.metadata);
    to.annotations = overlay(
        from.annotations.as_ref(),
        to.annotations.as_ref(),
        &annotations,
    );
    to.labels = overlay(from.labels.as_ref(), to.labels.as_ref(), &labels);
    let mut finalizers = from.finalizers.clone().unwrap_or_default();
    for finalizer in to.finalizers.iter().flatten() {
        let is_foreign = FOREIGN_FINALIZERS
            .iter()
            .any(|start| finalizer.starts_with(start));
        if is_foreign && !finalizers.contains(finalizer) {
            finalizers.push(finalizer.clone());
        }
    }
    to.finalizers = Some(finalizers).filter(|finalizers| !finalizers.is_empty());
    app.metadata.owner_references = Some(owner::with_controller(set, live));
    app
}

type Texts = BTreeMap<String, String>;

fn overlay(generated: Option<&Texts>, live: Option<&Texts>, preserved: &[String]) -> Option<Texts> {
    let mut texts = generated.cloned().unwrap_or_default();
    for key in preserved {
        if let Some(value) = live.and_then(|live| live.get(key)) {
            texts.insert(key.clone(), value.clone());
        }
    }
    Some(texts).filter(|texts| !texts.is_empty())
}

/// Whether a write would change nothing: absent and empty are the same, and specs are compared in
/// their normal form.
pub(super) fn is_same(merged: &Application, live: &Application) -> bool {
    let mut live = live.clone();
    normalise(&mut live.spec);
    let mut merged = merged.clone();
    normalise(&mut merged.spec);
    for metadata in [&mut live.metadata, &mut merged.metadata] {
        metadata.annotations = metadata.annotations.take().filter(|m| !m.is_empty());
        metadata.labels = metadata.labels.take().filter(|m| !m.is_empty());
        metadata.finalizers = metadata.finalizers.take().filter(|m| !m.is_empty());
        metadata.owner_references = metadata.owner_references.take().filter(|m| !m.is_empty());
    }
    merged == live
}
