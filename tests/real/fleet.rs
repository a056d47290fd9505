//! A hub of one's own on clusters that all tests share: each test has a namespace of the hub
//! cluster, applications of distinct names and target namespaces of distinct names.

use std::sync::Arc;
use std::time::Duration;

use argosy::config::HubConfig;
use argosy::hub::Hub;
use argosy::setup;
use argosy_crds::codes::OperationPhase;
use argosy_crds::{Application, ApplicationSet};
use argosy_test_support::wait::{self, eventually, has_ended, is_well, resource};
use argosy_test_support::{ApiServer, ControlPlane, WorkTree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A hub cluster and two workload clusters.
const CLUSTERS: usize = 3;

/// For how long nothing is written by a hub that is done; sets gather what they say for a second.
const CALM: Duration = Duration::from_millis(1100);

/// A running hub and what it reads.
pub(crate) struct Fleet {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) hub: Arc<Hub>,
    /// An administrator's client of the hub cluster.
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) tree: WorkTree,
    pub(crate) folder: TempDir,
}

impl Fleet {
    /// Starts a hub in that namespace; no cluster but its own is registered.
    pub(crate) async fn start(namespace: &str) -> Self {
        Self::start_on(ControlPlane::shared(CLUSTERS).await, namespace).await
    }

    /// Starts a hub on a control plane of one's own.
    pub(crate) async fn start_on(plane: Arc<ControlPlane>, namespace: &str) -> Self {
        let client = plane.client(0);
        setup::install_crds(&client).await.unwrap();
        setup::namespace(&client, namespace).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = HubConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            namespace: namespace.to_owned(),
            ..HubConfig::new(folder.path().join("data"))
        };
        Self {
            hub: Hub::start(config, client.clone()).unwrap(),
            tree: WorkTree::create(folder.path().join("repo")),
            namespace: namespace.to_owned(),
            plane,
            client,
            folder,
        }
    }

    /// A cluster of the control plane; 0 is the hub's own.
    pub(crate) fn server(&self, index: usize) -> &ApiServer {
        &self.plane.servers()[index]
    }

    /// Registers a workload cluster with the administrator's token.
    pub(crate) async fn register_with_token(&self, name: &str, index: usize, labels: Value) {
        let config = json!({"bearerToken": self.server(index).token()});
        self.register(name, index, labels, config).await;
    }

    /// Registers a workload cluster with an administrator's certificate.
    pub(crate) async fn register_with_certificate(&self, name: &str, index: usize, labels: Value) {
        let (certificate, key) = self.server(index).client_certificate();
        let tls = json!({"certData": BASE64.encode(certificate), "keyData": BASE64.encode(key)});
        self.register(name, index, labels, json!({"tlsClientConfig": tls}))
            .await;
    }

    async fn register(&self, name: &str, index: usize, mut labels: Value, mut config: Value) {
        let server = self.server(index);
        config["tlsClientConfig"]["caData"] = json!(BASE64.encode(server.ca_pem()));
        labels["argocd.argoproj.io/secret-type"] = json!("cluster");
        self.apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("cluster-{name}"), "labels": labels},
            "stringData": {"name": name, "server": server.url(), "config": config.to_string()},
        }))
        .await;
    }

    /// Tells the hub of a push, as a webhook does.
    pub(crate) fn push(&self) {
        self.hub.take_push(&argosy::source::webhook::PushEvent {
            urls: vec![self.tree.url()],
            revision: "main".to_owned(),
            default_branch: true,
            changed_files: Vec::new(),
            before: None,
            after: None,
        });
    }

    /// Applies an object to the hub's namespace.
    pub(crate) async fn apply(&self, object: Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let resource = resource(&text(&object["apiVersion"]), &text(&object["kind"]));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let name = text(&object["metadata"]["name"]);
        let params = PatchParams::apply("test").force();
        api.patch(&name, &params, &Patch::Apply(object))
            .await
            .unwrap();
    }

    /// The applications of the hub.
    pub(crate) fn applications(&self) -> Api<Application> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Waits until the application meets a condition, and returns it then.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        condition: impl Fn(&Application) -> bool,
    ) -> Application {
        wait::until(&self.applications(), name, what, condition).await
    }

    /// Asks for a sync that makes the namespace, too.
    pub(crate) async fn sync(&self, name: &str) {
        let options = json!(["CreateNamespace=true"]);
        let operation = json!({"operation": {"sync": {"syncOptions": options}}});
        self.applications()
            .patch(name, &PatchParams::default(), &Patch::Merge(operation))
            .await
            .unwrap();
    }

    /// Waits until the last operation of the application has ended in this phase and returns it.
    pub(crate) async fn until_ended(&self, name: &str, phase: OperationPhase) -> Application {
        let ended = |app: &Application| has_ended(app, phase);
        self.until(name, &format!("at the end of an operation: {phase}"), ended)
            .await
    }

    /// Waits until the application is synced and healthy.
    pub(crate) async fn until_well(&self, name: &str) -> Application {
        self.until(name, "synced and healthy", is_well).await
    }

    /// Waits until the hub is done and makes sure that it writes no application and no set any
    /// more, although it looks at everything again.
    pub(crate) async fn nothing_is_written(&self) {
        let mut before = self.versions().await;
        eventually("the hub is done", async || {
            tokio::time::sleep(CALM).await;
            let now = self.versions().await;
            std::mem::replace(&mut before, now) == before
        })
        .await;
        let known = self.hub.fleet.index().applications.iter().count();
        let due = self.reconciles() + known as u64;
        self.hub.take_up(argosy::fleet::Wake::Clusters);
        eventually("everything was looked at again", async || {
            self.reconciles() >= due
        })
        .await;
        assert_eq!(self.versions().await, before, "a needless write");
    }

    /// The versions of all applications and sets.
    async fn versions(&self) -> Vec<(String, Option<String>)> {
        let sets: Api<ApplicationSet> = Api::namespaced(self.client.clone(), &self.namespace);
        let all = ListParams::default();
        let applications = self.applications().list_metadata(&all).await.unwrap();
        let sets = sets.list_metadata(&all).await.unwrap();
        let applications = applications.into_iter().map(|one| one.metadata);
        let both = applications.chain(sets.into_iter().map(|one| one.metadata));
        both.map(|meta| (meta.name.unwrap(), meta.resource_version))
            .collect()
    }

    /// How often the hub has looked at an application.
    pub(crate) fn reconciles(&self) -> u64 {
        let text = self.hub.metrics.expose([]).unwrap();
        let counts = text
            .lines()
            .filter(|line| line.starts_with("argocd_app_reconcile_count"));
        counts
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// An object of a cluster, if it is there.
    pub(crate) async fn live(
        &self,
        index: usize,
        api_version: &str,
        kind: &str,
        place: &str,
    ) -> Option<Value> {
        wait::live(self.plane.client(index), api_version, kind, place).await
    }

    /// The objects of a kind in a namespace of a cluster.
    pub(crate) fn objects(
        &self,
        index: usize,
        api_version: &str,
        kind: &str,
        namespace: &str,
    ) -> Api<DynamicObject> {
        let resource = resource(api_version, kind);
        let client = self.plane.client(index);
        if namespace.is_empty() {
            Api::all_with(client, &resource)
        } else {
            Api::namespaced_with(client, namespace, &resource)
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.hub.abandon();
    }
}
