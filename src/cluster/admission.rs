//! Which admission webhooks a cluster has: asked when it is first looked at and when a sync wants to
//! know, and believed for a while.

use std::time::Duration;

use argosy_engine::sync::Webhooks;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is believed, and how soon a cluster that gave none is asked again.
const BELIEVED: Duration = Duration::from_mins(1);

/// The admission webhooks of one cluster.
#[derive(Default)]
pub struct Admission(Mutex<Option<(Instant, Webhooks)>>);

impl Admission {
    /// Asks for the webhooks if nobody ever did, so that the first sync need not wait for the answer.
    pub async fn learn(&self, client: &Client) {
        let is_known = self.0.try_lock().map_or(true, |known| known.is_some());
        if !is_known {
            self.webhooks(client).await;
        }
    }

    /// The webhooks; nothing is known of them where the cluster does not tell. They have their say
    /// about each write anyway: to know of them only serves to hear it before.
    pub async fn webhooks(&self, client: &Client) -> Webhooks {
        let mut known = self.0.lock().await;
        if let Some((at, webhooks)) = &*known
            && at.elapsed() < BELIEVED
        {
            return webhooks.clone();
        }
        let webhooks = ask(client).await.unwrap_or_else(|error| {
            tracing::debug!(
                error = crate::diagnostic::chain(&error),
                "the admission webhooks cannot be listed; syncs are not tried before they begin"
            );
            Webhooks::default()
        });
        *known = Some((Instant::now(), webhooks.clone()));
        webhooks
    }
}

async fn ask(client: &Client) -> kube::Result<Webhooks> {
    let (validating, mutating) = tokio::try_join!(
        biased;
        list(client, ApiResource::erase::<ValidatingWebhookConfiguration>(&())),
        list(client, ApiResource::erase::<MutatingWebhookConfiguration>(&())),
    )?;
    Ok(Webhooks::read(&validating, &mutating))
}

async fn list(client: &Client, resource: ApiResource) -> kube::Result<Vec<Value>> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let listed = api.list(&ListParams::default()).await?;
    Ok(listed.items.into_iter().map(|one| one.data).collect())
}
