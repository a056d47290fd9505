//! Applications: what is counted of their reconciles, syncs and requests.

use std::time::Duration;

use argosy_crds::Application;
use prometheus::{CounterVec, HistogramVec, IntCounter, IntCounterVec, Opts};

use super::config::{Detail, cut};
use super::declaration::Families;
use super::gone::{Gone, drop_unknown};
use super::{counter, histogram};

/// Argo CD's buckets begin at a quarter of a second, where reconciles here have long ended; the
/// finer ones are added below its own.
const RECONCILE: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0,
];

/// What happens to applications.
pub struct ApplicationMetrics {
    detail: Detail,
    sync_total: IntCounterVec,
    sync_duration: CounterVec,
    reconcile: HistogramVec,
    k8s_request_total: IntCounterVec,
    /// Writes of Application objects to the hub's API server.
    pub writes: IntCounter,
    gone: Gone,
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
    pub(super) fn declare(families: &mut Families, detail: Detail) -> prometheus::Result<Self> {
        let one = ["namespace", "name", "project", "dest_server"];
        Ok(Self {
            detail,
            sync_total: families.declare(counter(
                "argocd_app_sync_total",
                "Number of application syncs.",
                &[&one[..], &["phase", "dry_run"]].concat(),
            ))?,
            sync_duration: families.declare(CounterVec::new(
                Opts::new(
                    "argocd_app_sync_duration_seconds_total",
                    "Total time of application syncs in seconds.",
                ),
                &one,
            ))?,
            reconcile: families.declare(histogram(
                "argocd_app_reconcile",
                "Application reconcile time in seconds.",
                &["namespace", "dest_server"],
                &RECONCILE,
            ))?,
            k8s_request_total: families.declare(counter(
                "argocd_app_k8s_request_total",
                "Number of requests to workload clusters for an application; code 0 is no answer.",
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
            ))?,
            writes: families.declare(IntCounter::new(
                "argosy_application_writes_total",
                "Writes of Application objects to the hub's API server.",
            ))?,
            gone: Gone::default(),
        })
    }

    /// Counts a sync that ended.
    pub fn synced(&self, application: &Application, server: &str, sync: &FinishedSync<'_>) {
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(application, self.detail);
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
        } = Labels::of(application, self.detail);
        let (code, dry_run) = (request.code.to_string(), request.dry_run.to_string());
        self.k8s_request_total
            .with_label_values(&[
                namespace,
                name,
                project,
                server,
                &code,
                request.verb,
                request.kind,
                self.detail.of_one(request.resource_namespace),
                &dry_run,
            ])
            .inc();
    }

    /// Says that an application is gone, so that its series go, too.
    pub(crate) fn gone(&self) {
        self.gone.note();
    }

    /// Drops the series of applications that are gone.
    pub(crate) fn drop_gone(&self, is_known: impl Fn(&str, &str) -> bool) {
        if self.detail == Detail::Each && self.gone.take() {
            drop_unknown(&self.sync_total, &is_known);
            drop_unknown(&self.sync_duration, &is_known);
            drop_unknown(&self.k8s_request_total, &is_known);
        }
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

/// What every series of an application has; empty but for the project where they are summed up.
pub(super) struct Labels<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) project: &'a str,
}

impl<'a> Labels<'a> {
    pub(super) fn of(application: &'a Application, detail: Detail) -> Self {
        let meta = &application.metadata;
        Self {
            namespace: detail.of_one(meta.namespace.as_deref().unwrap_or_default()),
            name: detail.of_one(meta.name.as_deref().unwrap_or_default()),
            project: cut(application.spec.project_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::core::Collector as _;

    #[test]
    fn the_series_of_an_application_go_with_it() {
        let mut families = Families::new();
        let metrics = ApplicationMetrics::declare(&mut families, Detail::Each).unwrap();
        let app = |name: &str| -> Application {
            serde_json::from_value(serde_json::json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"namespace": "argocd", "name": name},
                "spec": {"project": "default", "destination": {}},
            }))
            .unwrap()
        };
        let sync = FinishedSync {
            phase: "Succeeded",
            dry_run: false,
            took: Duration::from_secs(1),
        };
        for name in ["stays", "goes"] {
            metrics.synced(&app(name), "https://cluster", &sync);
        }
        let series = || metrics.sync_total.collect()[0].get_metric().len();
        metrics.drop_gone(|_, name| name == "stays");
        assert_eq!(series(), 2, "nobody said that one is gone");
        metrics.gone();
        metrics.drop_gone(|_, name| name == "stays");
        assert_eq!(series(), 1);
    }
}
