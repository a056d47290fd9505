//! What a support bundle holds: each part redacted before it is kept. A part that cannot be had
//! leaves its reason in its place and stops no other.

use std::time::Duration;

use argosy_engine::object::ObjectExt as _;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use kube::api::{ApiResource, ListParams, LogParams};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::Args;
use super::redact::{self, Scrubber};
use crate::cli::admin::backup;
use crate::controller::cluster::INFO_CONFIG_MAP;
use crate::diagnostic::{Diagnostic, Kind, chain};
use crate::http::{Network, Proxy, Reach, Redirects, Terms, Tls};

/// How many lines of each hub's log are taken.
const LOG_LINES: i64 = 10_000;

/// How many Events are taken.
const EVENTS: u32 = 2000;

/// How large an exposition of metrics may be, and how long it may take.
const METRICS: usize = 64 * 1024 * 1024;
const METRICS_PATIENCE: Duration = Duration::from_secs(30);

/// A file of the bundle.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) text: String,
    /// Whether the text is the reason why it is not there.
    pub(super) is_missing: bool,
}

/// All parts.
pub(super) async fn parts(client: &Client, args: &Args) -> Result<Vec<Part>, Diagnostic> {
    let namespace = args.hub.namespace.as_str();
    let mut found = vec![("version.yaml".to_owned(), version(client).await)];
    let mut secrets = Vec::new();
    for kind in backup::kinds() {
        let is_everywhere = args.all_namespaces && backup::is_anywhere(&kind);
        let listed = backup::list(client, &kind, (!is_everywhere).then_some(namespace)).await;
        if kind.kind == "Secret" {
            secrets = listed.as_ref().cloned().unwrap_or_default();
        }
        let listed = listed.map_err(|error| error.one_line());
        let name = match kind.kind.as_str() {
            "ConfigMap" => "settings.yaml".to_owned(),
            _ => format!("{}.yaml", kind.plural),
        };
        found.push((name, listed.map(|objects| shown(&kind, objects))));
    }
    found.push((
        "clusters.yaml".to_owned(),
        clusters(client, namespace).await,
    ));
    found.push(("events.yaml".to_owned(), events(client, namespace).await));
    found.extend(logs(client, namespace).await);
    let metrics = match &args.metrics {
        Some(url) => metrics(url).await,
        None => Err("name the address of the hub's metrics with --metrics".to_owned()),
    };
    found.push(("metrics.txt".to_owned(), metrics));
    let scrubber = Scrubber::of(&secrets).map_err(|error| {
        Diagnostic::new(Kind::Internal, "ScrubberFailed", "cannot look for secrets").because(&error)
    })?;
    let part = |(name, text): (String, Result<String, String>)| Part {
        name,
        is_missing: text.is_err(),
        text: scrubber.scrub(&text.unwrap_or_else(|why| why)),
    };
    Ok(found.into_iter().map(part).collect())
}

fn yaml(value: &Value) -> String {
    argosy_yaml::to_string(value)
}

fn why(error: &(impl std::error::Error + 'static)) -> String {
    chain(error)
}

async fn version(client: &Client) -> Result<String, String> {
    let server = client.apiserver_version().await;
    let server = server.map_or_else(|error| why(&error), |info| info.git_version);
    Ok(yaml(&json!({
        "argosy": env!("CARGO_PKG_VERSION"), "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH, "apiServer": server, "taken": Timestamp::now().to_string(),
    })))
}

/// The objects of a kind as the bundle shows them.
fn shown(kind: &ApiResource, objects: Vec<Value>) -> String {
    if kind.kind == "ConfigMap" {
        let of_each = objects.iter();
        let maps: Map<_, _> = of_each
            .map(|map| (map.name().to_owned(), redact::settings(map)))
            .collect();
        return yaml(&maps.into());
    }
    let each = objects.into_iter().map(|object| match kind.kind.as_str() {
        "Secret" => redact::secret(&object),
        _ => redact::object(object),
    });
    yaml(&each.collect())
}

/// What the hub publishes of its connections.
async fn clusters(client: &Client, namespace: &str) -> Result<String, String> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = api.get_opt(INFO_CONFIG_MAP).await;
    let data = map.map_err(|error| why(&error))?.and_then(|map| map.data);
    let states = data.into_iter().flatten().map(|(name, text)| {
        let state = serde_json::from_str(&text).unwrap_or(Value::Null);
        (name, state)
    });
    Ok(yaml(&Value::Object(states.collect())))
}

async fn events(client: &Client, namespace: &str) -> Result<String, String> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let listed = api.list(&ListParams::default().limit(EVENTS)).await;
    let events = listed.map_err(|error| why(&error))?.items.into_iter();
    let events = events.map(|event| {
        let about = event.involved_object;
        json!({
            "time": event.last_timestamp.map(|at| at.0.to_string()), "type": event.type_,
            "kind": about.kind, "name": about.name, "reason": event.reason,
            "message": event.message, "count": event.count,
        })
    });
    Ok(yaml(&events.collect()))
}

/// The logs of the hubs in the namespace; none where a hub runs elsewhere.
async fn logs(client: &Client, namespace: &str) -> Vec<(String, Result<String, String>)> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let of_hubs = ListParams::default().labels("app.kubernetes.io/name=argosy");
    let pods = match api.list(&of_hubs).await {
        Ok(pods) => pods,
        Err(error) => return vec![("logs.txt".to_owned(), Err(why(&error)))],
    };
    let params = LogParams {
        tail_lines: Some(LOG_LINES),
        ..LogParams::default()
    };
    let mut logs = Vec::new();
    for name in pods.into_iter().filter_map(|pod| pod.metadata.name) {
        let text = api.logs(&name, &params).await;
        logs.push((
            format!("logs/{name}.txt"),
            text.map_err(|error| why(&error)),
        ));
    }
    logs
}

async fn metrics(url: &str) -> Result<String, String> {
    let terms = Terms {
        tls: Tls::default(),
        proxy: Proxy::Environment,
        redirects: Redirects::Nowhere,
        reach: Reach::Anywhere,
        limit: METRICS_PATIENCE,
    };
    let request = Request::get(url).body(Bytes::new());
    let request = request.map_err(|error| why(&error))?;
    let http = Network::system().open(&terms)?;
    let answer = http.oneshot(request).await.map_err(|error| why(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("{url} answered {status}"));
    }
    let body = Limited::new(answer.into_body(), METRICS).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}
