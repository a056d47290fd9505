//! The webhook endpoint: a push or a pull request wakes the applications and sets that it concerns.
//!
//! It is answered as soon as it is understood; what it wakes is done by the controllers. A payload
//! decides nothing but who looks again.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_facts::Secret as Credential;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::hand_on::hand_on;
use super::payload::Room;
use crate::hub::Hub;
use crate::source::webhook::{Headers, WebhookError, WebhookSecrets, parse, parse_pull_request};

/// Takes a webhook of any provider.
pub(super) async fn webhook(
    State((hub, room)): State<(Arc<Hub>, Room)>,
    request: Request,
) -> Response {
    let handling = hub.metrics.webhooks.handling();
    let (head, body) = request.into_parts();
    let limit = hub.fleet.settings().max_webhook_payload;
    let answer = match room.receive(&head.headers, body, limit).await {
        Ok(payload) => taken(&hub, &head.headers, payload.bytes.clone())
            .await
            .into_response(),
        Err(refusal) => refusal.into_response(),
    };
    handling.answered(answer.status().as_u16());
    answer
}

async fn taken(hub: &Arc<Hub>, headers: &HeaderMap, body: Bytes) -> (StatusCode, String) {
    if hub.leads() {
        answer(hub, headers, &body).await
    } else {
        hand_on(hub, "/api/webhook", headers, body).await
    }
}

async fn answer(hub: &Arc<Hub>, headers: &HeaderMap, body: &[u8]) -> (StatusCode, String) {
    let readable = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers = Headers::new(readable);
    let secrets = match secrets(hub).await {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::warn!(
                error = crate::diagnostic::chain(&error),
                "the webhook secrets cannot be read"
            );
            let answer = "the webhook secrets cannot be read; nothing was done";
            return (StatusCode::SERVICE_UNAVAILABLE, answer.to_owned());
        }
    };
    match take(hub, &headers, body, &secrets) {
        Ok(()) => (StatusCode::OK, String::new()),
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, error.to_string())
        }
    }
}

/// Wakes who is concerned by the delivery.
fn take(
    hub: &Arc<Hub>,
    headers: &Headers,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<(), WebhookError> {
    if let Some(event) = parse_pull_request(headers, body, secrets) {
        hub.take_pull_request(&event);
    } else if let Some(event) = parse(headers, body, secrets)? {
        hub.take_push(&event);
    }
    Ok(())
}

/// The secrets that were agreed on with the providers, from Argo CD's own Secret.
async fn secrets(hub: &Hub) -> kube::Result<WebhookSecrets> {
    let api: Api<Secret> = Api::namespaced(hub.client.clone(), &hub.config.namespace);
    let data = api
        .get_opt("argocd-secret")
        .await?
        .and_then(|secret| secret.data);
    let mut data: BTreeMap<_, _> = data.unwrap_or_default();
    let mut take = |key: &str| {
        let value = data.remove(key)?;
        Some(Credential::new(String::from_utf8(value.0).ok()?)).filter(|value| !value.is_empty())
    };
    Ok(WebhookSecrets {
        github: take("webhook.github.secret"),
        gitlab: take("webhook.gitlab.secret"),
        gogs: take("webhook.gogs.secret"),
        bitbucket_uuid: take("webhook.bitbucket.uuid"),
        bitbucket_server: take("webhook.bitbucketserver.secret"),
        azure_devops: take("webhook.azuredevops.username")
            .zip(take("webhook.azuredevops.password")),
    })
}
