//! What a sync plan is made from.

use std::collections::BTreeSet;
use std::sync::Arc;

use argosy_facts::Observed;
use jiff::Timestamp;
use serde_json::Value;

use super::kinds::Kinds;
use super::options::SyncOptions;
use crate::object::ResourceKey;

/// One entry of `operation.sync.resources`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// API group, exactly.
    pub group: String,
    /// Kind, exactly.
    pub kind: String,
    /// Name, exactly.
    pub name: String,
    /// Namespace; any if empty.
    pub namespace: String,
}

impl Selector {
    /// Whether the entry selects the resource.
    pub fn selects(&self, key: &ResourceKey) -> bool {
        self.group == key.group
            && self.kind == key.kind
            && self.name == key.name
            && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}

/// What to do about a kind that the cluster does not serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownKinds {
    /// Refuse the plan, unless the CRD is part of it or an option says otherwise.
    #[default]
    Refuse,
    /// Plan the resource; its task waits until discovery shows the kind.
    Defer,
}

/// The namespace that `CreateNamespace=true` is about.
#[derive(Clone, Debug, Default)]
pub struct DestinationNamespace {
    /// The namespace as it is live, if it exists.
    pub live: Option<Arc<Value>>,
    /// `managedNamespaceMetadata`: labels and annotations, each an object of strings.
    pub metadata: Option<NamespaceMetadata>,
}

/// `syncPolicy.managedNamespaceMetadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceMetadata {
    /// Labels to set.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Annotations to set.
    pub annotations: std::collections::BTreeMap<String, String>,
}

/// Everything that decides what a sync does. Nothing else does.
pub struct PlanInput<'a> {
    /// The rendered objects, hooks included, in the order in which they were rendered; of
    /// duplicates the last counts.
    pub desired: Vec<Arc<Value>>,
    /// The application's live objects. Only a complete observation leads to pruning.
    pub live: &'a Observed<Vec<Arc<Value>>>,
    /// Whether a live object belongs to the application, by its tracking; what does not is never
    /// pruned.
    pub owns: &'a dyn Fn(&Value) -> bool,
    /// Desired objects that differ from live ones, for `ApplyOutOfSyncOnly`; `None` if unknown.
    pub modified: Option<&'a BTreeSet<ResourceKey>>,
    /// Namespace of the destination, for objects that name none.
    pub namespace: &'a str,
    /// Discovery of the destination cluster.
    pub kinds: &'a dyn Kinds,
    /// What to do about kinds that it does not serve.
    pub unknown_kinds: UnknownKinds,
    /// The destination namespace, for `CreateNamespace=true`.
    pub destination: DestinationNamespace,
    /// Sync options.
    pub options: SyncOptions,
    /// Whether the operation prunes.
    pub prune: bool,
    /// Whether hooks are left out: the `apply` strategy, or a selection.
    pub skip_hooks: bool,
    /// Resources to restrict the sync to; all if empty.
    pub selected: Vec<Selector>,
    /// Resolved revision, for the names of hooks.
    pub revision: &'a str,
    /// When the operation began, for the names of hooks.
    pub started_at: Timestamp,
}
