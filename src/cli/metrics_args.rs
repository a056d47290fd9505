//! The flags that say how much a hub's metrics tell.

use crate::metrics::{Detail, MetricsConfig};

#[derive(clap::Args)]
pub(super) struct MetricsArgs {
    /// Whether each application has series of its own; `sums` for fleets of which Prometheus would
    /// store too many.
    #[arg(
        long = "metrics-applications",
        value_name = "DETAIL",
        value_enum,
        default_value_t
    )]
    applications: Detail,
    /// Labels of applications to expose as argocd_app_labels, such as `team,tier`.
    #[arg(
        long = "metrics-application-labels",
        value_name = "LABELS",
        value_delimiter = ','
    )]
    application_labels: Vec<String>,
    /// Conditions of applications to expose as argocd_app_condition, such as `SyncError`.
    #[arg(
        long = "metrics-application-conditions",
        value_name = "TYPES",
        value_delimiter = ','
    )]
    application_conditions: Vec<String>,
    /// Labels of ApplicationSets to expose as argocd_appset_labels.
    #[arg(
        long = "metrics-applicationset-labels",
        value_name = "LABELS",
        value_delimiter = ','
    )]
    applicationset_labels: Vec<String>,
    /// Labels of cluster Secrets to expose as argocd_cluster_labels, such as `env,region`.
    #[arg(
        long = "metrics-cluster-labels",
        value_name = "LABELS",
        value_delimiter = ','
    )]
    cluster_labels: Vec<String>,
}

impl MetricsArgs {
    pub(super) fn config(self) -> MetricsConfig {
        MetricsConfig {
            applications: self.applications,
            application_labels: self.application_labels,
            application_conditions: self.application_conditions,
            application_set_labels: self.applicationset_labels,
            cluster_labels: self.cluster_labels,
        }
    }
}
