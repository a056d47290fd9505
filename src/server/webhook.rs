//! The webhook endpoint: a push or a pull request wakes the applications and sets that it concerns.
//!
//! It is answered as soon as it is understood; what it wakes is done by the controllers. A payload
//! decides nothing but who looks again.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_facts::Secret as Credential;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::hand_on::hand_on;
use crate::hub::Hub;
use crate::source::webhook::{Headers, WebhookError, WebhookSecrets, parse, parse_pull_request};

/// The largest webhook that is read; Argo CD's default.
const MAX_PAYLOAD: usize = 50 * 1024 * 1024;

/// Takes a webhook of any provider.
pub(super) async fn webhook(State(hub): State<Arc<Hub>>, request: Request) -> (StatusCode, String) {
    let handling = hub.metrics.webhooks.handling();
    let (head, body) = request.into_parts();
    let headers = head.headers;
    let answer = if let Some(body) = payload(&headers, body).await {
        taken(&hub, &headers, body).await
    } else {
        let why = format!("the payload is larger than {MAX_PAYLOAD} bytes, or broke off");
        (StatusCode::PAYLOAD_TOO_LARGE, why)
    };
    handling.answered(answer.0.as_u16());
    answer
}

/// A payload of a sane size; one that says itself that it has another is not read at all.
async fn payload(headers: &HeaderMap, body: Body) -> Option<Bytes> {
    let told = headers
        .get(CONTENT_LENGTH)
        .and_then(|told| told.to_str().ok());
    let told: Option<usize> = told.and_then(|told| told.parse().ok());
    if told.is_some_and(|told| told > MAX_PAYLOAD) {
        return None;
    }
    to_bytes(body, MAX_PAYLOAD).await.ok()
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
