//! The requests that change a workload cluster: apply, replace, delete.
//!
//! One apply per object, without a read before it: what an apply returns is what lives there from
//! then on. Nothing here decides what is applied, and nothing retries: the plan does both.

use argosy_crds::names::FIELD_MANAGER;
use argosy_engine::normalise;
use argosy_engine::object::{Gvk, ObjectExt as _, ResourceKey};
use argosy_engine::sync::Propagation;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy, ValidationDirective,
};
use kube::{Api, Client};
use serde_json::Value;

/// How an object is written.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is one independent sync option of Argo CD's API"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// Whether unknown and duplicate fields are an error; `Validate=true`.
    pub validate: bool,
    /// Whether the object is replaced as a whole; `Replace=true`.
    pub replace: bool,
    /// Whether it is deleted and created again where it cannot be changed; `Force=true`.
    pub force: bool,
}

/// Why a request did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The HTTP status; 0 when no answer came.
    pub code: u16,
    /// Kubernetes' reason, such as `Invalid`.
    pub reason: String,
    /// Kubernetes' words.
    pub message: String,
}

impl Failure {
    /// Whether no answer came: the cluster, not the request, is at fault.
    pub fn is_unreachable(&self) -> bool {
        self.code == 0
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// A task that cannot be carried out as it stands.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            reason: "BadRequest".to_owned(),
            message: message.into(),
        }
    }

    /// A kind that the cluster does not serve.
    pub(super) fn unserved(gvk: &Gvk) -> Self {
        Self {
            code: 404,
            reason: "NotFound".to_owned(),
            message: format!(
                "the cluster does not serve {} {}; is its CustomResourceDefinition installed?",
                gvk.api_version(),
                gvk.kind
            ),
        }
    }

    fn is_immutable(&self) -> bool {
        self.code == 422 && self.message.contains("immutable") || self.code == 409
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
            other => Self {
                code: 0,
                reason: "Unreachable".to_owned(),
                message: crate::diagnostic::chain(&other),
            },
        }
    }
}

/// How far a deletion has come when it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The object is gone.
    Gone,
    /// It waits for its finalizers or for what it owns.
    Terminating,
}

/// Where an object lives.
pub struct Place {
    client: Client,
    resource: ApiResource,
    namespace: Option<String>,
}

impl Place {
    /// Objects of a kind, in a namespace if the kind has any.
    pub fn new(client: &Client, resource: &ApiResource, namespace: Option<&str>) -> Self {
        Self {
            client: client.clone(),
            resource: resource.clone(),
            namespace: namespace.map(str::to_owned),
        }
    }

    /// Writes `object` and returns it as the cluster has it.
    pub async fn apply(&self, object: &Value, options: ApplyOptions) -> Result<Value, Failure> {
        let written = if options.replace {
            self.replace(object, options).await
        } else {
            self.server_side_apply(object, options).await
        };
        match written {
            Err(failure) if options.force && !options.dry_run && failure.is_immutable() => {
                self.recreate(object).await
            }
            written => written,
        }
    }

    /// Deletes an object; one that does not exist is deleted. With `uid`, only that very object.
    pub async fn delete(
        &self,
        name: &str,
        uid: Option<&str>,
        propagation: Propagation,
        dry_run: bool,
    ) -> Result<Deleted, Failure> {
        let params = DeleteParams {
            dry_run,
            propagation_policy: Some(policy(propagation)),
            preconditions: uid.map(|uid| Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match self
            .api()
            .delete(name, &params)
            .await
            .map_err(Failure::from)
        {
            Ok(answer) if answer.is_left() => Ok(Deleted::Terminating),
            Ok(_) => Ok(Deleted::Gone),
            Err(failure) if failure.is_not_found() => Ok(Deleted::Gone),
            Err(failure) => Err(failure),
        }
    }

    /// Reads an object; `None` if it does not exist.
    pub async fn get(&self, name: &str) -> Result<Option<Value>, Failure> {
        match self.api().get_opt(name).await {
            Ok(Some(object)) => self.value(object).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates an object.
    pub async fn create(&self, object: &Value) -> Result<Value, Failure> {
        let wanted: DynamicObject =
            serde_json::from_value(object.clone()).map_err(|error| malformed(&error))?;
        let params = PostParams {
            dry_run: false,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        let created = self.api().create(&params, &wanted).await?;
        self.value(created)
    }

    /// Changes the status of an object by a JSON merge patch; kinds without a status of its own
    /// are refused as not found.
    pub async fn merge_status(&self, name: &str, patch: &Value) -> Result<Value, Failure> {
        let object = self
            .api()
            .patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        self.value(object)
    }

    /// Changes an object by a JSON merge patch.
    pub async fn merge(&self, name: &str, patch: &Value) -> Result<Value, Failure> {
        let object = self
            .api()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        self.value(object)
    }

    async fn server_side_apply(
        &self,
        object: &Value,
        options: ApplyOptions,
    ) -> Result<Value, Failure> {
        let params = PatchParams {
            dry_run: options.dry_run,
            force: true,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(validation(options.validate)),
        };
        let applied = self
            .api()
            .patch(
                object.name(),
                &params,
                &Patch::Apply(normalise::written(object)),
            )
            .await?;
        self.value(applied)
    }

    async fn replace(&self, object: &Value, options: ApplyOptions) -> Result<Value, Failure> {
        let params = PostParams {
            dry_run: options.dry_run,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        let mut wanted: DynamicObject =
            serde_json::from_value(object.clone()).map_err(|error| malformed(&error))?;
        let written = match self.get(object.name()).await? {
            Some(live) => {
                wanted.metadata.resource_version = Some(live.resource_version().to_owned());
                self.api().replace(object.name(), &params, &wanted).await?
            }
            None => self.api().create(&params, &wanted).await?,
        };
        self.value(written)
    }

    async fn recreate(&self, object: &Value) -> Result<Value, Failure> {
        self.delete(object.name(), None, Propagation::Background, false)
            .await?;
        self.create(object).await
    }

    fn api(&self) -> Api<DynamicObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &self.resource),
            None => Api::all_with(self.client.clone(), &self.resource),
        }
    }

    fn value(&self, mut object: DynamicObject) -> Result<Value, Failure> {
        object.types.get_or_insert_with(|| kube::api::TypeMeta {
            api_version: self.resource.api_version.clone(),
            kind: self.resource.kind.clone(),
        });
        serde_json::to_value(object).map_err(|error| malformed(&error))
    }
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure {
        code: 400,
        reason: "BadRequest".to_owned(),
        message: error.to_string(),
    }
}

fn validation(strict: bool) -> ValidationDirective {
    if strict {
        ValidationDirective::Strict
    } else {
        ValidationDirective::Ignore
    }
}

fn policy(propagation: Propagation) -> PropagationPolicy {
    match propagation {
        Propagation::Foreground => PropagationPolicy::Foreground,
        Propagation::Background => PropagationPolicy::Background,
        Propagation::Orphan => PropagationPolicy::Orphan,
    }
}

/// What kubectl would print of a write, such as `deployment.apps/web serverside-applied`.
pub(super) fn written_message(key: &ResourceKey, word: &str) -> String {
    let kind = key.kind.to_lowercase();
    if key.group.is_empty() {
        format!("{kind}/{} {word}", key.name)
    } else {
        format!("{kind}.{}/{} {word}", key.group, key.name)
    }
}
