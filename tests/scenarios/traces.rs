//! Traces: a commit's way as a collector sees it, and a collector that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use argosy_test_support::manifest::{automated, config, deployment};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fleet::Fleet;
use crate::logs::captured;
use crate::outside::set;

/// The parts of a commit's way.
const WAY: [&str; 9] = [
    "webhook",
    "expand",
    "reconcile",
    "fetch",
    "render",
    "compare",
    "plan",
    "wave",
    "health",
];

/// A collector that keeps what it is sent.
pub(crate) struct Collector {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::<Mutex<Vec<Value>>>::default();
        let taken = Arc::clone(&requests);
        let take = move |Json(request): Json<Value>| {
            taken.lock().unwrap().push(request);
            std::future::ready(())
        };
        let app = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, requests }
    }

    /// All that it was sent.
    pub(crate) fn text(&self) -> String {
        Value::from(self.requests.lock().unwrap().clone()).to_string()
    }

    /// The spans of a trace, by their ids.
    fn trace(&self, id: &str) -> BTreeMap<String, Value> {
        let requests = self.requests.lock().unwrap();
        let spans = requests.iter().flat_map(|request| {
            let spans = &request["resourceSpans"][0]["scopeSpans"][0]["spans"];
            spans.as_array().cloned().unwrap_or_default()
        });
        let of_trace = spans.filter(|span| span["traceId"] == id);
        of_trace.map(|span| (text(&span["spanId"]), span)).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) async fn trace_to(fleet: &Fleet, address: &str) {
    let params = json!({"otlp.address": address, "otlp.attrs": "env:test"});
    fleet.configure("argocd-cmd-params-cm", params).await;
    let is_on = async || fleet.hub.traces.is_on();
    fleet.eventually("traces are recorded", is_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_tells_a_commit_s_way_from_the_webhook_to_health() {
    let logs = captured();
    let collector = Collector::start().await;
    let fleet = Fleet::start(&["dev"]).await;
    let git = json!({"git": {
        "repoURL": fleet.repo(), "revision": "main", "directories": [{"path": "apps/*"}],
    }});
    let mut apps = set("apps", &git, "{{ .path.basename }}", &fleet);
    let spec = &mut apps["spec"]["template"]["spec"];
    spec["source"]["path"] = json!("{{ .path.path }}");
    spec["syncPolicy"] = json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]});
    fleet.commit(&[("apps/old/web.yaml", &deployment("old", "web:1"))]);
    fleet.apply(apps).await;
    fleet.until_well("old").await;

    trace_to(&fleet, &collector.address).await;
    fleet.commit(&[("apps/new/web.yaml", &deployment("new", "web:1"))]);
    fleet.push();
    let status = fleet.until_well("new").await.status.unwrap();
    let id = status.trace_id;
    let is_root = |span: &Value| span["name"] == "webhook";
    let is_whole = async || {
        let spans = collector.trace(&id);
        let names: BTreeSet<_> = spans.values().map(|span| text(&span["name"])).collect();
        let mut parents = spans.values().filter(|span| !is_root(span));
        WAY.iter().all(|name| names.contains(*name))
            && parents.all(|span| spans.contains_key(&text(&span["parentSpanId"])))
    };
    let what = format!("the whole way in trace {id}");
    fleet.eventually(&what, is_whole).await;

    let spans = collector.trace(&id);
    for span in spans.values() {
        assert_eq!(span["parentSpanId"].is_null(), is_root(span), "{span}");
        let at = |key: &str| text(&span[key]).parse::<u128>().unwrap();
        assert!(at("startTimeUnixNano") <= at("endTimeUnixNano"), "{span}");
    }
    let told = logs.text();
    let line = told.lines().find(|line| line.contains(&id));
    assert!(line.is_some_and(|line| line.contains("new")), "{line:?}");
    let requests = collector.requests.lock().unwrap();
    let resource = requests[0]["resourceSpans"][0]["resource"].to_string();
    assert!(resource.contains(r#""env""#) && resource.contains(r#""argosy""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_changes_nothing_but_a_counter() {
    let fleet = Fleet::start(&["dev"]).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    trace_to(&fleet, &address).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().trace_id.len(), 32);
    let counted = |result: &str| {
        let text = fleet.hub.metrics.expose([]).unwrap();
        let name = format!("argosy_spans_total{{result=\"{result}\"}} ");
        let mut counts = text.lines().filter_map(|line| line.strip_prefix(&name));
        counts.next().unwrap().parse::<u64>().unwrap()
    };
    let has_failed = async || counted("failed") > 0;
    fleet
        .eventually("spans are counted as lost", has_failed)
        .await;
    assert_eq!(counted("sent"), 0);
    fleet.nothing_is_written().await;
}
