//! What the simulated controllers make of workloads, on a clock moved by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use argosy_sim::{SimCluster, SimConfig, WorkloadConfig};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PropagationPolicy};
use serde_json::{Value, json};

struct Sim {
    cluster: SimCluster,
    client: Client,
    time: Arc<AtomicI64>,
}

impl Sim {
    fn new() -> Self {
        let time = Arc::new(AtomicI64::new(1_700_000_000));
        let clock = Arc::clone(&time);
        let mut config = SimConfig::new("test");
        config.clock =
            Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap());
        config.workloads = Some(WorkloadConfig {
            available_after: Duration::from_secs(5),
        });
        let cluster = SimCluster::new(config).unwrap();
        let client = Client::new(cluster.service(), "default");
        Self {
            cluster,
            client,
            time,
        }
    }

    fn pass(&self, seconds: i64) {
        self.cluster.tick();
        self.time.fetch_add(seconds, Ordering::Relaxed);
        self.cluster.tick();
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::default_namespaced(self.client.clone())
    }
}

fn workload(kind: &str, version: &str, image: &str, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": version, "kind": kind, "metadata": {"name": "web"},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

fn deployment(image: &str) -> Value {
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}});
    workload("Deployment", "apps/v1", image, &spec)
}

fn reason(deployment: &Deployment, wanted: &str) -> Option<String> {
    let conditions = deployment.status.clone()?.conditions?;
    conditions.into_iter().find(|c| c.type_ == wanted)?.reason
}

#[tokio::test]
async fn a_deployment_becomes_available_and_rolls_over() {
    let sim = Sim::new();
    let api: Api<Deployment> = sim.api();
    let apply = PatchParams::apply("test");
    api.patch("web", &apply, &Patch::Apply(deployment("web:1")))
        .await
        .unwrap();
    sim.cluster.tick();
    let early = api.get("web").await.unwrap();
    assert_eq!(
        reason(&early, "Progressing").as_deref(),
        Some("ReplicaSetUpdated")
    );
    assert_eq!(early.status.unwrap().ready_replicas, None);
    sim.pass(5);
    let ready = api.get("web").await.unwrap();
    assert_eq!(
        reason(&ready, "Progressing").as_deref(),
        Some("NewReplicaSetAvailable")
    );
    assert_eq!(ready.status.as_ref().unwrap().available_replicas, Some(2));
    let annotations = ready.metadata.annotations.unwrap();
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "1");

    api.patch("web", &apply, &Patch::Apply(deployment("web:2")))
        .await
        .unwrap();
    sim.pass(5);
    sim.pass(0);
    let sets = sim
        .api::<ReplicaSet>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let mut replicas: Vec<_> = sets
        .iter()
        .filter_map(|s| s.spec.as_ref()?.replicas)
        .collect();
    replicas.sort_unstable();
    assert_eq!(replicas, [0, 2]);
    assert_eq!(
        sim.api::<Pod>()
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        2
    );

    let quiet = sim.cluster.resource_version();
    sim.pass(60);
    assert_eq!(
        sim.cluster.resource_version(),
        quiet,
        "a settled cluster writes nothing"
    );
}

#[tokio::test]
async fn a_broken_image_keeps_the_old_pods_and_misses_the_deadline() {
    let sim = Sim::new();
    let api: Api<Deployment> = sim.api();
    let apply = PatchParams::apply("test");
    api.patch("web", &apply, &Patch::Apply(deployment("web:1")))
        .await
        .unwrap();
    sim.pass(5);
    api.patch("web", &apply, &Patch::Apply(deployment("web:broken")))
        .await
        .unwrap();
    sim.pass(5);
    assert_eq!(
        api.get("web")
            .await
            .unwrap()
            .status
            .unwrap()
            .available_replicas,
        Some(2)
    );
    sim.pass(700);
    let late = api.get("web").await.unwrap();
    assert_eq!(
        reason(&late, "Progressing").as_deref(),
        Some("ProgressDeadlineExceeded")
    );
}

#[tokio::test]
async fn deleting_a_deployment_takes_its_sets_and_pods() {
    let sim = Sim::new();
    let api: Api<Deployment> = sim.api();
    let apply = Patch::Apply(deployment("web:1"));
    for policy in [PropagationPolicy::Background, PropagationPolicy::Foreground] {
        api.patch("web", &PatchParams::apply("test"), &apply)
            .await
            .unwrap();
        sim.pass(5);
        let delete = DeleteParams {
            propagation_policy: Some(policy),
            ..DeleteParams::default()
        };
        api.delete("web", &delete).await.unwrap();
        assert!(api.get_opt("web").await.unwrap().is_none());
        assert!(
            sim.api::<Pod>()
                .list(&ListParams::default())
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_job_completes_and_a_failing_one_fails() {
    let sim = Sim::new();
    let api: Api<Job> = sim.api();
    let mut job = workload("Job", "batch/v1", "migrate:1", &json!({"backoffLimit": 0}));
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    api.patch("web", &PatchParams::apply("test"), &Patch::Apply(&job))
        .await
        .unwrap();
    sim.pass(5);
    let status = api.get("web").await.unwrap().status.unwrap();
    assert_eq!(status.succeeded, Some(1));
    assert!(
        status
            .conditions
            .unwrap()
            .iter()
            .any(|c| c.type_ == "Complete")
    );

    job["metadata"]["name"] = "bad".into();
    job["spec"]["template"]["metadata"]["annotations"] = json!({"sim.argosy.dev/fail": "true"});
    api.patch("bad", &PatchParams::apply("test"), &Patch::Apply(&job))
        .await
        .unwrap();
    sim.pass(5);
    let status = api.get("bad").await.unwrap().status.unwrap();
    assert!(
        status
            .conditions
            .unwrap()
            .iter()
            .any(|c| c.type_ == "Failed")
    );
}

#[tokio::test]
async fn a_stateful_set_starts_in_order_with_claims() {
    let sim = Sim::new();
    let api: Api<StatefulSet> = sim.api();
    let spec = json!({
        "replicas": 2, "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }}],
    });
    let set = workload("StatefulSet", "apps/v1", "db:1", &spec);
    api.patch("web", &PatchParams::apply("test"), &Patch::Apply(set))
        .await
        .unwrap();
    sim.cluster.tick();
    assert_eq!(
        sim.api::<Pod>()
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    sim.pass(5);
    sim.pass(5);
    let status = api.get("web").await.unwrap().status.unwrap();
    assert_eq!(
        (status.ready_replicas, status.updated_replicas),
        (Some(2), Some(2))
    );
    assert_eq!(status.current_revision, status.update_revision);
    let claim = sim
        .api::<PersistentVolumeClaim>()
        .get("data-web-1")
        .await
        .unwrap();
    assert_eq!(claim.status.unwrap().phase.as_deref(), Some("Bound"));
}
