//! Well-known names: the API group, annotations, labels, finalizers and field managers.

/// The API group of all kinds.
pub const GROUP: &str = "argoproj.io";
/// The one version.
pub const VERSION: &str = "v1alpha1";
/// Group and version as objects carry them.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// The field manager that everything is applied with.
pub const FIELD_MANAGER: &str = "argocd-controller";
/// The address by which a hub's own cluster is known.
pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// The name by which a hub's own cluster is known.
pub const IN_CLUSTER_NAME: &str = "in-cluster";
/// The project of applications that name none.
pub const DEFAULT_PROJECT: &str = "default";

/// Keys of annotations.
pub mod annotation {
    /// On an Application or cluster Secret: look again now; `normal` or `hard`.
    pub const REFRESH: &str = "argocd.argoproj.io/refresh";
    /// On an Application: which request of a refresh this is.
    pub const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
    /// On an Application: hydrate now; `normal` or `hard`.
    pub const HYDRATE: &str = "argocd.argoproj.io/hydrate";
    /// On an Application: which request of a hydration this is.
    pub const HYDRATE_TIMESTAMP: &str = "argocd.argoproj.io/hydrate-timestamp";
    /// On an ApplicationSet: reconcile now.
    pub const APPLICATION_SET_REFRESH: &str = "argocd.argoproj.io/application-set-refresh";
    /// On an Application: the paths that its manifests depend on, separated by `;`.
    pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
    /// On an Application or cluster Secret: leave it alone.
    pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
    /// On an Application: the address of the instance that manages it.
    pub const MANAGED_BY_URL: &str = "argocd.argoproj.io/managed-by-url";
    /// On a resource: options of its sync.
    pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
    /// On a resource: its wave.
    pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
    /// On a resource: it is a hook, and of which phases.
    pub const HOOK: &str = "argocd.argoproj.io/hook";
    /// On a hook: when it is deleted.
    pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
    /// On a resource or an Application: how it is compared.
    pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
    /// On a resource: the application it belongs to.
    pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
    /// On a resource: the instance it belongs to.
    pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
    /// On a resource: its health does not count.
    pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
    /// On a Pod: it is judged like one that runs for ever.
    pub const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
    /// On a resource: changes of it are filtered although it is not managed.
    pub const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
    /// On a resource: no links are made from it.
    pub const IGNORE_DEFAULT_LINKS: &str = "argocd.argoproj.io/ignore-default-links";
    /// On a resource or an Application: a link; the id follows.
    pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
    /// On an Application: deletions that need a confirmation are confirmed.
    pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
    /// On an Application: the manager whose fields are taken over.
    pub const CLIENT_SIDE_APPLY_MIGRATION_MANAGER: &str =
        "argocd.argoproj.io/client-side-apply-migration-manager";
    /// On an Application: a notice; `content`, `severity` and so on follow.
    pub const NOTICE_PREFIX: &str = "notice.argocd.argoproj.io/";
    /// On an Application: the view that opens first.
    pub const DEFAULT_VIEW: &str = "pref.argocd.argoproj.io/default-view";
    /// On an Application: how pods are sorted.
    pub const DEFAULT_POD_SORT: &str = "pref.argocd.argoproj.io/default-pod-sort";
    /// On an Application or project: which notifications were sent.
    pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
    /// On an Application or project: a subscription; trigger and service follow.
    pub const SUBSCRIBE_PREFIX: &str = "notifications.argoproj.io/subscribe.";
    /// On a Secret: what made it.
    pub const MANAGED_BY: &str = "managed-by";
    /// On a resource of a chart: it is a hook.
    pub const HELM_HOOK: &str = "helm.sh/hook";
    /// On a hook of a chart: its order.
    pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
    /// On a hook of a chart: when it is deleted.
    pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
    /// On a resource of a chart: `keep` keeps it when the application goes.
    pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
    /// On a resource: what kubectl applied last.
    pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    /// On a resource: what must be there before it.
    pub const CONFIG_DEPENDS_ON: &str = "config.kubernetes.io/depends-on";
    /// On an Application, Argosy's own: the applications that must be healthy before it.
    pub const DEPENDS_ON: &str = "argosy.dev/depends-on";
    /// On an Application: until when automation leaves it alone, in RFC 3339.
    pub const PAUSED_UNTIL: &str = "argosy.dev/paused-until";
    /// On an Application: why automation leaves it alone.
    pub const PAUSE_REASON: &str = "argosy.dev/pause-reason";
    /// On an Application: who asked automation to leave it alone.
    pub const PAUSED_BY: &str = "argosy.dev/paused-by";
    /// On an Application whose automated sync is off, Argosy's own: its drift is healed at the
    /// revision that it was synced to last, `current`. Sets write it where a rollout decides when it
    /// is synced to another.
    pub const SELF_HEAL: &str = "argosy.dev/self-heal";
    /// On an Application that is being deleted, Argosy's own: who lets go of its resources.
    pub const ABANDON: &str = "argosy.dev/abandon";
    /// On an Application, Argosy's own: how much a sync may prune without a person's approval, as a
    /// number or a share such as `20%`.
    pub const MAX_PRUNE: &str = "argosy.dev/max-prune";
    /// On an Application, Argosy's own: the deployment that it was rolled back to, as JSON.
    pub const ROLLBACK: &str = "argosy.dev/rollback";
    /// On an Application, Argosy's own: how soon after a deployment a degraded health rolls it back.
    pub const AUTO_ROLLBACK: &str = "argosy.dev/auto-rollback";
    /// On a cluster Secret: the uid of the cluster's namespace `kube-system`, so that another cluster
    /// behind the same address is noticed.
    pub const CLUSTER_UID: &str = "argosy.dev/cluster-uid";
    /// On an Application or ApplicationSet: the hash of the plan that a person approved.
    pub const APPROVED_PLAN: &str = "argosy.dev/approved-plan";
    /// On an AppProject: the services that are asked before and after syncs, as a YAML list.
    pub const GATES: &str = "argosy.dev/gates";
    /// On an ApplicationSet: how many percent of its Applications may go without approval.
    pub const GUARD_PERCENT: &str = "argosy.dev/guard-percent";
}

/// Keys and values of labels.
pub mod label {
    /// On a Secret: what it holds.
    pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
    /// Secret type: a cluster.
    pub const SECRET_TYPE_CLUSTER: &str = "cluster";
    /// Secret type: a repository.
    pub const SECRET_TYPE_REPOSITORY: &str = "repository";
    /// Secret type: credentials for repositories below an address.
    pub const SECRET_TYPE_REPO_CREDS: &str = "repo-creds";
    /// Secret type: a repository that may be written.
    pub const SECRET_TYPE_REPOSITORY_WRITE: &str = "repository-write";
    /// Secret type: credentials for repositories that may be written.
    pub const SECRET_TYPE_REPO_WRITE_CREDS: &str = "repo-write-creds";
    /// Secret type: credentials of an SCM provider.
    pub const SECRET_TYPE_SCM_CREDS: &str = "scm-creds";
    /// On a cluster Secret: keep the version label up to date.
    pub const AUTO_LABEL_CLUSTER_INFO: &str = "argocd.argoproj.io/auto-label-cluster-info";
    /// On a cluster Secret: the cluster's version.
    pub const KUBERNETES_VERSION: &str = "argocd.argoproj.io/kubernetes-version";
    /// On a resource: the application it belongs to, where labels track.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// On a Secret or ConfigMap: what it is part of; `argocd` for settings.
    pub const PART_OF: &str = "app.kubernetes.io/part-of";
}

/// Finalizers.
pub mod finalizer {
    /// Deletes the resources with the application, or holds a set or a project.
    pub const RESOURCES: &str = "resources-finalizer.argocd.argoproj.io";
    /// The same, in the foreground.
    pub const RESOURCES_FOREGROUND: &str = "resources-finalizer.argocd.argoproj.io/foreground";
    /// The same, in the background.
    pub const RESOURCES_BACKGROUND: &str = "resources-finalizer.argocd.argoproj.io/background";
    /// Runs `PreDelete` hooks.
    pub const PRE_DELETE: &str = "pre-delete-finalizer.argocd.argoproj.io";
    /// Deletes `PreDelete` hooks.
    pub const PRE_DELETE_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
    /// Runs `PostDelete` hooks.
    pub const POST_DELETE: &str = "post-delete-finalizer.argocd.argoproj.io";
    /// Deletes `PostDelete` hooks.
    pub const POST_DELETE_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
    /// On a hook: it stays until the sync has seen its result.
    pub const HOOK: &str = "argocd.argoproj.io/hook-finalizer";
}
