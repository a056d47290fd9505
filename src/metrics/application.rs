//! Applications: what they are, and what their syncs did.

use std::time::Duration;

use argosy_crds::Application;
use prometheus::core::Collector;
use prometheus::{
    CounterVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
};

use super::register;
use crate::source::shown_url;

/// What happens to applications.
pub struct ApplicationMetrics {
    sync_total: IntCounterVec,
    sync_duration: CounterVec,
    reconcile: HistogramVec,
    k8s_request_total: IntCounterVec,
    /// Writes of Application objects to the hub's API server.
    pub writes: IntCounter,
}

/// A finished sync.
pub struct FinishedSync<'a> {
    /// The phase it ended in.
    pub phase: &'a str,
    /// Whether it changed nothing.
    pub dry_run: bool,
    /// How long it took.
    pub took: Duration,
}

impl ApplicationMetrics {
    pub(super) fn declare(registry: &Registry) -> prometheus::Result<Self> {
        let sync_total = IntCounterVec::new(
            Opts::new("argocd_app_sync_total", "Number of application syncs."),
            &[
                "namespace",
                "name",
                "project",
                "dest_server",
                "phase",
                "dry_run",
            ],
        )?;
        let sync_duration = CounterVec::new(
            Opts::new(
                "argocd_app_sync_duration_seconds_total",
                "Total time of application syncs in seconds.",
            ),
            &["namespace", "name", "project", "dest_server"],
        )?;
        // Argo CD's buckets begin at a quarter of a second, where reconciles here have long ended;
        // the finer ones are added below its own.
        let buckets = vec![
            0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0,
        ];
        let reconcile = HistogramVec::new(
            HistogramOpts::new(
                "argocd_app_reconcile",
                "Application reconcile time in seconds.",
            )
            .buckets(buckets),
            &["namespace", "dest_server"],
        )?;
        let k8s_request_total = IntCounterVec::new(
            Opts::new(
                "argocd_app_k8s_request_total",
                "Number of requests to workload clusters for an application.",
            ),
            &[
                "namespace",
                "name",
                "project",
                "server",
                "response_code",
                "verb",
                "resource_kind",
                "resource_namespace",
                "dry_run",
            ],
        )?;
        let writes = IntCounter::new(
            "argosy_application_writes_total",
            "Writes of Application objects to the hub's API server.",
        )?;
        Ok(Self {
            sync_total: register(registry, sync_total)?,
            sync_duration: register(registry, sync_duration)?,
            reconcile: register(registry, reconcile)?,
            k8s_request_total: register(registry, k8s_request_total)?,
            writes: register(registry, writes)?,
        })
    }

    /// Counts a sync that ended.
    pub fn synced(&self, application: &Application, server: &str, sync: &FinishedSync<'_>) {
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(application);
        let dry_run = sync.dry_run.to_string();
        self.sync_total
            .with_label_values(&[namespace, name, project, server, sync.phase, &dry_run])
            .inc();
        self.sync_duration
            .with_label_values(&[namespace, name, project, server])
            .inc_by(sync.took.as_secs_f64());
    }

    /// Records how long a reconcile took.
    pub fn reconciled(&self, namespace: &str, server: &str, took: Duration) {
        self.reconcile
            .with_label_values(&[namespace, server])
            .observe(took.as_secs_f64());
    }

    /// Counts a request to a workload cluster.
    pub fn requested(
        &self,
        application: &Application,
        server: &str,
        request: &KubernetesRequest<'_>,
    ) {
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(application);
        let KubernetesRequest {
            code,
            verb,
            kind,
            resource_namespace,
            dry_run,
        } = request;
        let (code, dry_run) = (code.to_string(), dry_run.to_string());
        self.k8s_request_total
            .with_label_values(&[
                namespace,
                name,
                project,
                server,
                &code,
                verb,
                kind,
                resource_namespace,
                &dry_run,
            ])
            .inc();
    }
}

/// A request to a workload cluster.
pub struct KubernetesRequest<'a> {
    /// The HTTP status; 0 when there was no answer.
    pub code: u16,
    /// The verb, as Kubernetes names it.
    pub verb: &'a str,
    /// The kind of the resource.
    pub kind: &'a str,
    /// The namespace of the resource.
    pub resource_namespace: &'a str,
    /// Whether it changed nothing.
    pub dry_run: bool,
}

struct Labels<'a> {
    namespace: &'a str,
    name: &'a str,
    project: &'a str,
}

impl<'a> Labels<'a> {
    fn of(application: &'a Application) -> Self {
        let meta = &application.metadata;
        Self {
            namespace: meta.namespace.as_deref().unwrap_or_default(),
            name: meta.name.as_deref().unwrap_or_default(),
            project: project_of(application),
        }
    }
}

fn project_of(application: &Application) -> &str {
    match application.spec.project.as_str() {
        "" => "default",
        project => project,
    }
}

/// The applications at the moment of a scrape.
pub struct ApplicationStates {
    info: IntGaugeVec,
}

impl ApplicationStates {
    /// Declares the gauges, empty.
    pub fn new() -> prometheus::Result<Self> {
        let info = IntGaugeVec::new(
            Opts::new("argocd_app_info", "Information about an application."),
            &[
                "namespace",
                "name",
                "project",
                "autosync_enabled",
                "repo",
                "dest_server",
                "dest_namespace",
                "sync_status",
                "health_status",
                "operation",
            ],
        )?;
        Ok(Self { info })
    }

    /// Adds an application; `server` is where its destination leads.
    pub fn add(&self, application: &Application, server: &str) {
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(application);
        let spec = &application.spec;
        let automated = spec
            .sync_policy
            .as_ref()
            .and_then(|policy| policy.automated.as_ref());
        let autosync = automated.is_some_and(|automated| automated.enabled != Some(false));
        let status = application.status.as_ref();
        let sync = status.map(|status| status.sync.status.to_string());
        let health = status
            .and_then(|status| status.health.status)
            .map(|code| code.to_string());
        let operation = match (&application.operation, application.is_deleting()) {
            (_, true) => "delete",
            (Some(_), _) => "sync",
            (None, _) => "",
        };
        let sources = spec.sources();
        let repo = sources
            .first()
            .map(|source| shown_url(&source.repo_url))
            .unwrap_or_default();
        self.info
            .with_label_values(&[
                namespace,
                name,
                project,
                if autosync { "true" } else { "false" },
                &repo,
                server,
                &spec.destination.namespace,
                sync.as_deref().unwrap_or("Unknown"),
                health.as_deref().unwrap_or("Unknown"),
                operation,
            ])
            .set(1);
    }

    /// The collector to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.info)]
    }
}
