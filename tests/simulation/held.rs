//! Objects that somebody keeps from going: with a finalizer that is nobody's but theirs.

use argosy_test_support::wait::resource;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::world::{Deployed, World};

/// The finalizer of whoever holds something.
const FINALIZER: &str = "example.com/held";

/// The object that keeps a namespace from going.
const KEEPER: &str = "keeper";

/// An object that is held.
pub(crate) struct Held {
    cluster: String,
    namespace: String,
    kind: (&'static str, &'static str),
    name: String,
    uid: Option<String>,
}

impl Held {
    /// Holds one of the objects that applications have, if it is there and its cluster takes it.
    pub(crate) async fn object(world: &World, pick: usize) -> Option<Self> {
        let deployed = world.deployed();
        let place = deployed.get(pick % deployed.len().max(1))?;
        let items: Vec<_> = world.plan.directories[&place.directory].lasting().collect();
        let (item, _) = items.get(pick % items.len().max(1))?;
        let kind = (item.shape.api_version(), item.shape.kind());
        let mut held = Self::of(place, kind, &item.name);
        let api = held.api(world);
        let there = api.get_opt(&held.name).await.ok()??;
        if there.metadata.finalizers.is_some() || there.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let hold = json!({"metadata": {
            "finalizers": [FINALIZER], "resourceVersion": there.metadata.resource_version}});
        let params = PatchParams::default();
        let there = api.patch(&held.name, &params, &Patch::Merge(hold)).await;
        held.uid = there.ok()?.metadata.uid;
        Some(held)
    }

    /// Deletes the namespace of an application, with something held in it, if its cluster takes it
    /// and nobody else has anything there.
    pub(crate) async fn namespace(world: &World, pick: usize) -> Option<Self> {
        let mut deployed = world.deployed();
        let beside = world.plan.applications.iter();
        let shared: Vec<_> = beside.filter(|one| one.has_neighbour).collect();
        deployed.retain(|place| shared.iter().all(|one| one.name != place.namespace));
        let place = deployed.get(pick % deployed.len().max(1))?;
        let mut held = Self::of(place, ("v1", "ConfigMap"), KEEPER);
        let keeper: DynamicObject =
            serde_json::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": KEEPER, "finalizers": [FINALIZER]}}))
            .unwrap();
        let params = PostParams::default();
        let made = held.api(world).create(&params, &keeper).await;
        held.uid = made.ok()?.metadata.uid;
        let namespaces: Api<DynamicObject> =
            Api::all_with(world.client(&place.cluster), &resource("v1", "Namespace"));
        let params = DeleteParams::default();
        // Where that fails the keeper alone is there for a while.
        let _ = namespaces.delete(&place.namespace, &params).await;
        Some(held)
    }

    /// Lets go of it. What is returned tells that somebody else has done so, who must not.
    pub(crate) async fn release(&self, world: &World) -> kube::Result<Option<String>> {
        let api = self.api(world);
        let Some(there) = api.get_opt(&self.name).await? else {
            return Ok(Some(self.told("is gone")));
        };
        let mut finalizers = there.metadata.finalizers.unwrap_or_default();
        if there.metadata.uid != self.uid || !finalizers.iter().any(|one| one == FINALIZER) {
            return Ok(Some(self.told("has lost its finalizer")));
        }
        finalizers.retain(|one| one != FINALIZER);
        let free = json!({"metadata": {
            "finalizers": finalizers, "resourceVersion": there.metadata.resource_version}});
        let params = PatchParams::default();
        api.patch(&self.name, &params, &Patch::Merge(free)).await?;
        if self.name == KEEPER {
            // Where the namespace stayed, so does what was in it.
            match api.delete(&self.name, &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                other => drop(other?),
            }
        }
        Ok(None)
    }

    fn of(place: &Deployed, kind: (&'static str, &'static str), name: &str) -> Self {
        Self {
            cluster: place.cluster.clone(),
            namespace: place.namespace.clone(),
            kind,
            name: name.to_owned(),
            uid: None,
        }
    }

    fn api(&self, world: &World) -> Api<DynamicObject> {
        let (api_version, kind) = self.kind;
        let client = world.client(&self.cluster);
        Api::namespaced_with(client, &self.namespace, &resource(api_version, kind))
    }

    fn told(&self, what: &str) -> String {
        let Self {
            cluster,
            namespace,
            name,
            ..
        } = self;
        format!("{namespace}/{name} on {cluster}, which somebody holds, {what}")
    }
}
