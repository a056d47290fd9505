//! The objects that a sync writes: what git says, but for what is not the sync's business.

use std::borrow::Cow;
use std::collections::BTreeSet;

use argosy_engine::compare;
use argosy_engine::object::ResourceKey;
use argosy_engine::sync::{Selector, SyncOptions};
use serde_json::Value;

use super::assess::{self, Assessment};
use super::observe::Observation;

/// The desired objects without those that other applications keep, and with the live values of what
/// is ignored where the options ask for that.
pub(super) fn objects(
    observation: &Observation,
    assessment: &Assessment,
    options: &SyncOptions,
    selected: &[Selector],
) -> Result<Vec<Value>, String> {
    let kept = kept_by_others(assessment, options.fail_on_shared_resource)?;
    let mut objects = observation.objects.clone();
    if options.respect_ignore_differences {
        respect(assessment, observation, selected, &mut objects)?;
    }
    let mut place = 0..;
    objects.retain(|_| place.next().is_none_or(|at| !kept.contains(&at)));
    Ok(objects)
}

/// The desired objects, by their places, that belong to another application, which keeps them; an
/// error if the sync is to fail because of them.
fn kept_by_others(assessment: &Assessment, fail: bool) -> Result<BTreeSet<usize>, String> {
    let compared = assessment.comparison.iter();
    let shared: Vec<_> = compared
        .flat_map(|comparison| &comparison.resources)
        .filter(|resource| resource.kept_by.is_some())
        .collect();
    match shared.first() {
        Some(first) if fail => Err(format!(
            "Shared resource found: {}/{} belongs to application {}; take it out of one of them, or \
             sync without FailOnSharedResource=true",
            first.key.kind,
            first.key.name,
            first.kept_by.as_deref().unwrap_or_default()
        )),
        _ => Ok(shared.iter().filter_map(|one| one.desired).collect()),
    }
}

/// Puts the live values of what is ignored into the objects that live; an error where nobody can tell
/// what that is of an object that the sync would write.
fn respect(
    assessment: &Assessment,
    observation: &Observation,
    selected: &[Selector],
    objects: &mut [Value],
) -> Result<(), String> {
    let rules = assess::rules(observation, &assessment.ignore);
    let compared = assessment.comparison.iter();
    for resource in compared.flat_map(|comparison| &comparison.resources) {
        let both = assess::both(observation, resource);
        let (Some(at), Some((desired, live))) = (resource.desired, both) else {
            continue;
        };
        match compare::respecting(desired, live, rules) {
            Ok(Cow::Owned(respected)) => objects[at] = respected,
            Err(error) if is_selected(&resource.key, selected) => {
                return Err(format!(
                    "cannot tell what RespectIgnoreDifferences leaves alone of {}/{}: {error}",
                    resource.key.kind, resource.key.name
                ));
            }
            Ok(Cow::Borrowed(_)) | Err(_) => {}
        }
    }
    Ok(())
}

/// Whether a sync of `selected` concerns the resource; one of nothing in particular concerns all.
fn is_selected(key: &ResourceKey, selected: &[Selector]) -> bool {
    selected.is_empty() || selected.iter().any(|one| one.selects(key))
}
