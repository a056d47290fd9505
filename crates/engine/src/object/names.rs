//! The annotation, label and finalizer keys that Argo CD gives a meaning to.

/// CSV of sync options of one resource.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Wave of one resource.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// CSV of hook types.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// CSV of hook delete policies.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Finalizer that keeps a hook object until the sync has seen its end.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// CSV of comparison options of a resource or an application.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Which application an object belongs to.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Which installation an object belongs to.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// `"true"` leaves a resource out of the application's health.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// Asks for a refresh: `normal` or `hard`.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// A true value makes the controller leave the application alone altogether.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// `;`-separated paths whose changes concern the application.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// RFC 3339 time at which a person approved deletions that ask for it.
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// Field manager whose client-side applied fields are taken over.
pub const CLIENT_SIDE_APPLY_MANAGER: &str =
    "argocd.argoproj.io/client-side-apply-migration-manager";
/// kubectl's record of what was applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// CSV of Helm hook types.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's wave.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// CSV of Helm hook delete policies.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// `keep` leaves the resource behind when its application is deleted.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Default key of the tracking label.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// Prefix of annotations that add a link to a resource.
pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
/// Resources that have to be ready first, as kpt and Flux write it.
pub const KUBERNETES_DEPENDS_ON: &str = "config.kubernetes.io/depends-on";
/// Resources or applications that have to be ready first.
pub const DEPENDS_ON: &str = "argosy.dev/depends-on";
/// Finalizer of an application whose resources are deleted with it, in the foreground.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// As [`RESOURCES_FINALIZER`], spelled out.
pub const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// As [`RESOURCES_FINALIZER`], but dependents are collected in the background.
pub const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";
/// PreDelete hooks have to run.
pub const PRE_DELETE_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// PreDelete hooks have to be cleaned up.
pub const PRE_DELETE_CLEANUP_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// PostDelete hooks have to run.
pub const POST_DELETE_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io";
/// PostDelete hooks have to be cleaned up.
pub const POST_DELETE_CLEANUP_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
