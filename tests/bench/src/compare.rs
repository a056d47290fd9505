//! `bench compare`: what it costs to compare objects, and to keep live ones in memory.
//!
//! Nothing runs but the code that is measured: no API server, no network. Times are processor time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use argosy::cluster::{Listeners, LiveState, Reading, ServedKind};
use argosy::metrics::ClusterMetrics;
use argosy_crds::application::ResourceIgnoreDifferences;
use argosy_engine::compare::{self, Owner, Rules};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::ResourceKey;
use argosy_engine::overrides::Overrides;
use argosy_engine::schema;
use argosy_facts::Observed;
use bytes::Bytes;
use clap::Args;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::Client;
use kube::api::ApiResource;
use kube::client::Body;
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use crate::figures::{figure, say};
use crate::usage;

#[derive(Args)]
pub(crate) struct Options {
    /// How many clusters the live cache is for.
    #[arg(long, default_value_t = 300)]
    clusters: usize,
    /// How many objects of each it holds.
    #[arg(long, default_value_t = 2_000)]
    objects: usize,
    /// How many objects the big application has.
    #[arg(long, default_value_t = 10_000)]
    application: usize,
}

/// How often one Deployment is compared.
const ROUNDS: u32 = 20_000;

/// How many updates of objects that belong to nobody are taken in.
const UPDATES: u32 = 100_000;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    // First, while no memory is there that was used for something else before.
    live_cache(options)?;
    updates(options)?;
    rules()?;
    one_deployment()?;
    an_application(options.application)
}

fn one_deployment() -> anyhow::Result<()> {
    let (desired, live) = (desired(0), live(0));
    let spent = measured(|| {
        with_rules(|rules| {
            for _ in 0..ROUNDS {
                let verdict = compare::object(Some(&desired), Some(&live), rules);
                assert!(verdict.is_synced(), "{:?}", verdict.differences);
            }
        });
    })?;
    let each = spent.as_secs_f64() * 1e6 / f64::from(ROUNDS);
    figure("comparison of a Deployment", each, "µs", "50")
}

fn an_application(objects: usize) -> anyhow::Result<()> {
    let all: Vec<_> = (0..objects).map(desired).collect();
    let living = Observed::complete((0..objects).map(live).collect::<Vec<_>>());
    let spent = measured(|| {
        with_rules(|rules| {
            let settings = compare::Settings {
                application: "argocd/big",
                destination_namespace: "shop",
                rules,
                owner: &|_| Owner::Us,
                namespaced: &|_| Some(true),
                excluded: &|_| false,
                tainted: &BTreeMap::new(),
            };
            let comparison = compare::application(&all, &living, &settings);
            assert_eq!(comparison.suspects().count(), 0);
        });
    })?;
    let what = format!("comparison of {objects} objects");
    figure(&what, spent.as_secs_f64(), "s", "1 for 10,000")
}

fn live_cache(options: &Options) -> anyhow::Result<()> {
    let (_, before) = usage::memory(std::process::id())?;
    let mut clusters = Vec::new();
    for _ in 0..options.clusters {
        let nowhere = kube::Config::new("http://127.0.0.1:1".parse()?);
        let cluster = state(Client::try_from(nowhere)?)?;
        for at in 0..options.objects {
            cluster.wrote(&live(at));
        }
        clusters.push(cluster);
    }
    let (_, after) = usage::memory(std::process::id())?;
    let count = options.clusters * options.objects;
    say(&format!(
        "{count} live objects, each tracked and as big as the API server has it"
    ))?;
    #[expect(clippy::cast_precision_loss, reason = "megabytes are few")]
    let used = (after - before) as f64;
    figure("live cache", used, "MiB", "2,048 for 600,000")?;
    drop(clusters);
    Ok(())
}

/// Updates of objects that no application tracks, from the bytes of a watch on. They have a thread
/// and a runtime of their own, so that all that they cost is counted and nothing else is.
fn updates(options: &Options) -> anyhow::Result<()> {
    let objects = options.objects;
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut seen = Ok(());
        let spent = measured(|| seen = runtime.block_on(watched(objects)))?;
        seen.map(|()| spent)
    });
    let spent = thread
        .join()
        .map_err(|_| anyhow::anyhow!("the watch panicked"))??;
    let cores = spent.as_secs_f64() / f64::from(UPDATES) * 1_000.0;
    figure(
        "1,000 updates a second of untracked objects",
        cores,
        "cores",
        "0.2",
    )
}

/// Watches a kind whose objects change all the time, until the last change is seen.
async fn watched(objects: usize) -> anyhow::Result<()> {
    let cluster = Arc::new(state(changing(objects))?);
    let pods = ServedKind {
        resource: ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod")),
        namespaced: true,
        watchable: true,
    };
    cluster.watch([&pods]);
    let last = ResourceKey::new("", "Pod", "shop", LAST);
    while cluster.get(&last).is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// What the last object is called that changes.
const LAST: &str = "last";

/// An API server with one kind, of which so many objects change one after the other.
fn changing(objects: usize) -> Client {
    let mut pod = live(0);
    pod["metadata"]["annotations"] = json!({});
    pod["metadata"]["name"] = json!("NAME");
    pod["metadata"]["resourceVersion"] = json!("VERSION");
    let line = format!("{{\"type\":\"MODIFIED\",\"object\":{pod}}}\n");
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default();
        let body = if query.contains("watch=true") {
            let line = line.clone();
            let lines = (1..=UPDATES).map(move |round| {
                let name = match round {
                    UPDATES => LAST.to_owned(),
                    round => format!("pod-{}", round as usize % objects),
                };
                let line = line.replacen("NAME", &name, 1);
                let line = line.replacen("VERSION", &(round + 1).to_string(), 1);
                Ok::<_, Infallible>(Frame::data(Bytes::from(line)))
            });
            let lines = stream::iter(lines).chain(stream::pending());
            StreamBody::new(lines).boxed_unsync()
        } else {
            let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []});
            Full::from(list.to_string()).boxed_unsync()
        };
        std::future::ready(Ok::<_, Infallible>(Response::new(body)))
    });
    Client::new(service, "default")
}

/// What it costs to make the ignore rules of an application ready, jq among them, as each comparison
/// does.
fn rules() -> anyhow::Result<()> {
    let expressions = [
        ".spec.template.spec.containers[] | select(.name == \"proxy\")",
        ".spec.template.metadata.annotations[\"sidecar.example.com/status\"]",
        ".status.conditions[]?.lastProbeTime",
    ];
    let own: Vec<_> = expressions
        .iter()
        .map(|expression| ResourceIgnoreDifferences {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            jq_path_expressions: vec![(*expression).to_owned()],
            ..ResourceIgnoreDifferences::default()
        })
        .collect();
    let overrides = Overrides::default();
    let flaws = || Ignore::new(&own, &overrides).flaws().len();
    let first = measured(|| assert_eq!(flaws(), 0))?;
    let spent = measured(|| {
        for _ in 0..ROUNDS {
            assert_eq!(flaws(), 0);
        }
    })?;
    let micros = |spent: Duration| spent.as_secs_f64() * 1e6;
    figure("three jq rules, compiled", micros(first), "µs", "")?;
    let each = micros(spent) / f64::from(ROUNDS);
    figure(
        "three jq rules, for each comparison after it",
        each,
        "µs",
        "50",
    )
}

/// The processor time that something takes on this thread.
fn measured(act: impl FnOnce()) -> anyhow::Result<Duration> {
    let before = usage::own_cpu()?;
    act();
    Ok(usage::own_cpu()?.saturating_sub(before))
}

fn with_rules(act: impl FnOnce(Rules<'_>)) {
    let overrides = Overrides::default();
    let ignore = Ignore::new(&[], &overrides);
    act(Rules {
        ignore: &ignore,
        overrides: &overrides,
        schema: schema::bundled(),
    });
}

/// The live state of a cluster.
fn state(client: Client) -> anyhow::Result<LiveState> {
    let owner = |object: &Value| {
        let id = object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].as_str()?;
        Some(id.split(':').next().unwrap_or_default().to_owned())
    };
    Ok(LiveState::new(
        client,
        None,
        Reading {
            owner_of: Arc::new(owner),
            significance_of: Arc::new(|_| 0),
            longest_silence: Arc::new(|| Duration::ZERO),
        },
        Listeners {
            changed: Arc::new(|_| {}),
            suspected: Arc::new(|| {}),
            completed: Arc::new(|| {}),
        },
        Arc::new(ClusterMetrics::new("http://127.0.0.1:1")?),
    ))
}

/// A Deployment as people write it.
fn desired(at: usize) -> Value {
    let name = format!("web-{at}");
    let id = format!("app-{}:apps/Deployment:shop/{name}", at / 10);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name},
            "annotations": {"argocd.argoproj.io/tracking-id": id}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "web", "image": "registry.example.com/shop/web:1.2.3",
                 "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                 "ports": [{"name": "http", "containerPort": 8080}],
                 "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
                 "readinessProbe": {"httpGet": {"path": "/", "port": "http"}}},
                {"name": "proxy", "image": "registry.example.com/mesh/proxy:1.9"},
            ]}},
        },
    })
}

/// The same as an API server keeps it: with defaults, ownership and a status.
fn live(at: usize) -> Value {
    let mut live = desired(at);
    live["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{at:012}"));
    live["metadata"]["resourceVersion"] = json!((at + 1).to_string());
    live["metadata"]["generation"] = json!(1);
    live["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    let owned = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| (format!("f:{name}"), json!({})))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    live["metadata"]["managedFields"] = json!([
        {"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-01-01T00:00:00Z",
         "fieldsType": "FieldsV1", "fieldsV1": {
            "f:metadata": {"f:labels": owned(&["app"]), "f:annotations": owned(&["argocd.argoproj.io/tracking-id"])},
            "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {
                "f:metadata": {"f:labels": owned(&["app"])},
                "f:spec": {"f:containers": {
                    "k:{\"name\":\"web\"}": owned(&["name", "image", "env", "ports", "resources", "readinessProbe"]),
                    "k:{\"name\":\"proxy\"}": owned(&["name", "image"])}}}}}},
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1", "subresource": "status",
         "time": "2026-01-01T00:00:01Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": owned(&[
            "availableReplicas", "conditions", "observedGeneration", "readyReplicas", "replicas", "updatedReplicas"])}},
    ]);
    let spec = &mut live["spec"];
    spec["progressDeadlineSeconds"] = json!(600);
    spec["revisionHistoryLimit"] = json!(10);
    spec["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let pod = &mut spec["template"]["spec"];
    for (name, value) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("restartPolicy", json!("Always")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
    ] {
        pod[name] = value;
    }
    for container in pod["containers"].as_array_mut().into_iter().flatten() {
        container["imagePullPolicy"] = json!("IfNotPresent");
        container["terminationMessagePath"] = json!("/dev/termination-log");
        container["terminationMessagePolicy"] = json!("File");
        if container["resources"].is_null() {
            container["resources"] = json!({});
        }
    }
    let web = &mut pod["containers"][0];
    web["ports"][0]["protocol"] = json!("TCP");
    web["resources"]["limits"] = json!({"cpu": "1", "memory": "1Gi"});
    web["readinessProbe"] = json!({"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "failureThreshold": 3,
        "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1});
    let condition = |kind: &str, reason: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": "all is well with this Deployment",
               "lastTransitionTime": "2026-01-01T00:00:01Z", "lastUpdateTime": "2026-01-01T00:00:01Z"})
    };
    live["status"] = json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
        "availableReplicas": 3, "conditions": [condition("Available", "MinimumReplicasAvailable"),
            condition("Progressing", "NewReplicaSetAvailable")]});
    live
}
