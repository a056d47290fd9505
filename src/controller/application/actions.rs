//! Actions on the live objects of an application, as a person asks for them.
//!
//! Nothing is done that the application's project does not permit, and nothing is retried.

use std::sync::Arc;

use argosy_engine::actions::{self, Action, Impact, Operation, Parameters};
use argosy_engine::object::{ObjectExt as _, ResourceKey};
use argosy_engine::project::Rules;
use serde_json::{Value, json};

use super::differences::application;
use super::observe::{Observation, observe};
use crate::executor::{Failure, Place};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// A live object and the actions that it offers.
pub struct Offered {
    /// The object.
    pub key: ResourceKey,
    /// Its actions, by name.
    pub actions: Vec<Action>,
}

/// The selected live objects of an application, with their actions.
///
/// # Errors
/// Why they cannot be told.
pub async fn offered(
    hub: &Arc<Hub>,
    name: &ObjectName,
    selects: &(dyn Fn(&ResourceKey) -> bool + Sync),
) -> Result<Vec<Offered>, String> {
    let observation = look(hub, name).await?;
    let live = observation.live.seen().into_iter().flatten();
    live.filter(|object| is_own(&observation, object))
        .filter(|object| selects(&object.resource_key()))
        .map(|object| {
            let key = object.resource_key();
            let overrides = &observation.settings.overrides;
            let actions = actions::list(object, overrides, observation.at)
                .map_err(|error| format!("{key}: {error}"))?;
            Ok(Offered { key, actions })
        })
        .collect()
}

/// Runs an action on a live object of an application; says what was done, a line an object.
///
/// # Errors
/// Why it was not done.
pub async fn run(
    hub: &Arc<Hub>,
    name: &ObjectName,
    key: &ResourceKey,
    action: &str,
    parameters: &Parameters,
) -> Result<Vec<String>, String> {
    let observation = look(hub, name).await?;
    let mut live = observation.live.seen().into_iter().flatten();
    let object = live
        .find(|object| object.resource_key() == *key && is_own(&observation, object))
        .ok_or_else(|| format!("{key} is no live object of {name}"))?;
    let overrides = &observation.settings.overrides;
    let impacts = actions::run(object, action, parameters, overrides, observation.at)
        .map_err(|error| error.to_string())?;
    // All of them or none: what is not permitted is found before anything is written.
    let permitted: Vec<_> = impacts
        .iter()
        .map(|impact| place(&observation, impact))
        .collect::<Result<_, _>>()?;
    let mut done = Vec::new();
    for (impact, place) in impacts.iter().zip(permitted) {
        done.push(write(&observation, impact, &place).await?);
    }
    Ok(done)
}

async fn look(hub: &Arc<Hub>, name: &ObjectName) -> Result<Observation, String> {
    let application = application(hub, name)?;
    let observation = observe(hub, name, &application).await;
    observation.map_err(|obstacle| obstacle.message)
}

fn is_own(observation: &Observation, object: &Value) -> bool {
    observation
        .settings
        .tracking
        .owns(object, &observation.instance)
}

/// Where an action's object lives, if the project permits it there.
fn place(observation: &Observation, impact: &Impact) -> Result<Place, String> {
    let object = &impact.resource;
    let (gvk, key) = (object.gvk(), object.resource_key());
    let kind = observation
        .served
        .kind(&gvk.group, &gvk.version, &gvk.kind)
        .ok_or_else(|| format!("the cluster does not serve {gvk}"))?;
    let rules = Rules::of(&observation.project);
    let permitted = rules
        .permit(key, kind.namespaced, &observation.known)
        .map_err(|denied| denied.to_string())?;
    let namespace = kind
        .namespaced
        .then_some(permitted.get().namespace.as_str());
    let client = observation.actor.as_ref().map_err(Clone::clone)?;
    Ok(Place::new(client, &kind.resource, namespace))
}

async fn write(
    observation: &Observation,
    impact: &Impact,
    place: &Place,
) -> Result<String, String> {
    let object = &impact.resource;
    let key = object.resource_key();
    let failed = |failure: Failure| format!("{key}: {failure}");
    let (written, word) = match impact.operation {
        Operation::Create => (place.create(object).await.map_err(failed)?, "created"),
        Operation::Patch => {
            let live = place.get(object.name()).await.map_err(failed)?;
            let live = live.ok_or_else(|| format!("{key} does not exist any more"))?;
            let changes =
                actions::merge_patch(&without_bookkeeping(&live), &without_bookkeeping(object));
            let Some(patch) = changes else {
                return Ok(format!("{key} unchanged"));
            };
            let patched = patch_both(place, object.name(), patch).await;
            (patched.map_err(failed)?, "patched")
        }
    };
    observation.cluster.live.wrote(&written);
    Ok(format!("{key} {word}"))
}

/// Changes an object, its status by the way that its kind has for it.
async fn patch_both(place: &Place, name: &str, mut patch: Value) -> Result<Value, Failure> {
    let status = patch
        .as_object_mut()
        .and_then(|fields| fields.remove("status"));
    let Some(status) = status.map(|status| json!({"status": status})) else {
        return place.merge(name, &patch).await;
    };
    if patch.as_object().is_some_and(|fields| !fields.is_empty()) {
        place.merge(name, &patch).await?;
    }
    match place.merge_status(name, &status).await {
        Err(failure) if failure.is_not_found() => place.merge(name, &status).await,
        patched => patched,
    }
}

/// What happened to the object since it was seen is not the action's doing.
fn without_bookkeeping(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    object
}
