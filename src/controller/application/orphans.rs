//! What lives in an application's namespace and belongs to no application.
//!
//! Listing a whole namespace takes a request a kind, so it is done only for projects that ask for it or
//! people who do, for metadata alone, and not again for a while.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::app_project::OrphanedResourcesMonitorSettings;
use argosy_engine::object::{GroupKind, ObjectExt as _, ResourceKey};
use argosy_engine::orphans::is_orphaned;
use argosy_engine::project::Rules;
use argosy_facts::Observed;
use futures::StreamExt as _;
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;

use super::differences::application;
use super::observe::{Observation, observe};
use crate::cluster::ServedKind;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How long a listing is used again, by all applications of the namespace.
const FRESH: Duration = Duration::from_mins(10);

/// How many namespaces' listings are kept.
const KEPT: u64 = 10_000;

/// How many kinds are listed at once.
const PARALLEL: usize = 4;

type Listing = Arc<Observed<Vec<Value>>>;

/// What was listed, by server and namespace.
pub(super) struct Orphans(moka::sync::Cache<(String, String), Listing>);

impl Default for Orphans {
    fn default() -> Self {
        let kept = moka::sync::Cache::builder()
            .max_capacity(KEPT)
            .time_to_live(FRESH)
            .build();
        Self(kept)
    }
}

impl Orphans {
    /// The orphaned resources of `namespace`, as far as they could be listed.
    pub(super) async fn of(
        &self,
        observation: &Observation,
        namespace: &str,
    ) -> Observed<Vec<ResourceKey>> {
        if namespace.is_empty() {
            return Observed::complete(Vec::new());
        }
        let place = (observation.known.server.clone(), namespace.to_owned());
        let listed = if let Some(listed) = self.0.get(&place) {
            listed
        } else {
            let listed = Arc::new(list(observation, namespace).await);
            if listed.as_complete().is_some() {
                self.0.insert(place, Arc::clone(&listed));
            }
            listed
        };
        let none = OrphanedResourcesMonitorSettings::default();
        let settings = observation.project.spec.orphaned_resources.as_ref();
        let settings = settings.unwrap_or(&none);
        let wanted: Vec<_> = observation
            .objects
            .iter()
            .map(Value::resource_key)
            .collect();
        let tracking = &observation.settings.tracking;
        (*listed).clone().map(|objects| {
            objects
                .iter()
                .filter(|object| tracking.owner(object).is_none())
                .filter(|object| is_orphaned(object, settings))
                .map(Value::resource_key)
                .filter(|key| {
                    !wanted.contains(key) && !wanted.contains(&key.clone().in_namespace(""))
                })
                .collect()
        })
    }
}

/// What lives beside an application in its namespace, and why not all of that is known.
///
/// # Errors
/// Why nothing is known.
pub async fn orphaned(
    hub: &Arc<Hub>,
    name: &ObjectName,
) -> Result<(Vec<ResourceKey>, Option<String>), String> {
    let application = application(hub, name)?;
    let observation = observe(hub, name, &application).await;
    let observation = observation.map_err(|obstacle| obstacle.message)?;
    let namespace = &application.spec.destination.namespace;
    let found = hub.applications.orphans.of(&observation, namespace).await;
    let gap = found.gap().map(str::to_owned);
    Ok((found.seen().cloned().unwrap_or_default(), gap))
}

/// The metadata of everything in a namespace that the project permits there.
async fn list(observation: &Observation, namespace: &str) -> Observed<Vec<Value>> {
    let rules = Rules::of(&observation.project);
    let server = &observation.known.server;
    let kinds = observation.served.namespaced().filter(|kind| {
        let name = GroupKind::new(&kind.resource.group, &kind.resource.kind);
        let is_noise = matches!(
            kind.resource.kind.as_str(),
            "Event" | "Lease" | "EndpointSlice" | "Endpoints"
        );
        !is_noise
            && !observation.settings.excludes(&name, server)
            && rules.permits_kind(&name, "", true)
    });
    let kinds: Vec<_> = kinds.cloned().collect();
    let mut listings = futures::stream::iter(kinds)
        .map(|kind| async move { (list_kind(observation, &kind, namespace).await, kind) })
        .buffer_unordered(PARALLEL);
    let mut found = Vec::new();
    let mut gap = None;
    while let Some((listing, kind)) = listings.next().await {
        match listing {
            Ok(objects) => found.extend(objects),
            Err(error) => {
                let why = crate::diagnostic::chain(&error);
                gap = Some(format!("{} cannot be listed: {why}", kind.resource.plural));
            }
        }
    }
    match gap {
        None => Observed::complete(found),
        Some(why) => Observed::partial(found, why),
    }
}

async fn list_kind(
    observation: &Observation,
    kind: &ServedKind,
    namespace: &str,
) -> kube::Result<Vec<Value>> {
    let client = observation.cluster.client.clone();
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &kind.resource);
    let listed = api.list_metadata(&ListParams::default()).await?;
    let objects = listed.items.into_iter().map(|object| {
        let metadata = serde_json::to_value(&object.metadata).unwrap_or_default();
        serde_json::json!({
            "apiVersion": kind.resource.api_version, "kind": kind.resource.kind,
            "metadata": metadata,
        })
    });
    Ok(objects.collect())
}
