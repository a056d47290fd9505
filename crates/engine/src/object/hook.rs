//! What an object says about being a hook.

use std::fmt;

use serde_json::Value;

use super::{ObjectExt, names};

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookType {
    /// Before the resources are applied.
    PreSync,
    /// With the resources.
    Sync,
    /// When the resources are applied and healthy.
    PostSync,
    /// When the sync failed.
    SyncFail,
    /// Never: the object is left out of the sync.
    Skip,
}

impl HookType {
    /// The name in annotations and in `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
            Self::Skip => "Skip",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "PreSync" => Self::PreSync,
            "Sync" => Self::Sync,
            "PostSync" => Self::PostSync,
            "SyncFail" => Self::SyncFail,
            "Skip" => Self::Skip,
            _ => return None,
        })
    }

    fn parse_helm(text: &str) -> Option<Self> {
        Some(match text {
            "crd-install" | "pre-install" | "pre-upgrade" => Self::PreSync,
            "post-install" | "post-upgrade" => Self::PostSync,
            _ => return None,
        })
    }
}

impl fmt::Display for HookType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When a hook that takes part in the deletion of an application runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeleteHookType {
    /// Before the application's resources are deleted.
    PreDelete,
    /// After they are gone.
    PostDelete,
}

impl DeleteHookType {
    /// The name in annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreDelete => "PreDelete",
            Self::PostDelete => "PostDelete",
        }
    }

    fn helm(self) -> &'static str {
        match self {
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
        }
    }
}

/// When a hook object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeletePolicy {
    /// Before it is created again; the default.
    BeforeHookCreation,
    /// When the sync succeeded.
    HookSucceeded,
    /// When the hook failed.
    HookFailed,
}

impl DeletePolicy {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "BeforeHookCreation" => Self::BeforeHookCreation,
            "HookSucceeded" => Self::HookSucceeded,
            "HookFailed" => Self::HookFailed,
            _ => return None,
        })
    }

    fn parse_helm(text: &str) -> Option<Self> {
        Some(match text {
            "before-hook-creation" => Self::BeforeHookCreation,
            "hook-succeeded" => Self::HookSucceeded,
            "hook-failed" => Self::HookFailed,
            _ => return None,
        })
    }
}

/// The hook types of an object; Helm's count only where none of Argo CD's is valid.
pub fn hook_types(object: &Value) -> Vec<HookType> {
    let types: Vec<_> = object
        .annotation_list(names::HOOK)
        .filter_map(HookType::parse)
        .collect();
    if !types.is_empty() {
        return types;
    }
    object
        .annotation_list(names::HELM_HOOK)
        .filter_map(HookType::parse_helm)
        .collect()
}

/// Whether the object says that it takes no part in the sync at all.
pub fn is_skipped(object: &Value) -> bool {
    hook_types(object) == [HookType::Skip]
}

/// Whether the object is a hook, of a supported type or not.
///
/// Helm marks CRDs with `crd-install`, which are no hooks.
pub fn is_hook(object: &Value) -> bool {
    if object.annotation(names::HOOK).is_some() {
        return !is_skipped(object);
    }
    object
        .annotation(names::HELM_HOOK)
        .is_some_and(|value| value != "crd-install")
}

/// Whether the object is a hook of no supported type, which is left out everywhere.
pub fn is_ignored(object: &Value) -> bool {
    is_hook(object) && hook_types(object).is_empty()
}

/// Whether the object is a hook of the deletion.
pub fn is_delete_hook(object: &Value, kind: DeleteHookType) -> bool {
    object
        .annotation_list(names::HOOK)
        .any(|text| text == kind.as_str())
        || object
            .annotation_list(names::HELM_HOOK)
            .any(|text| text == kind.helm())
}

/// The delete policies of a hook, those of Helm included; `BeforeHookCreation` if none is valid.
pub fn delete_policies(object: &Value) -> Vec<DeletePolicy> {
    let mut policies: Vec<_> = object
        .annotation_list(names::HOOK_DELETE_POLICY)
        .filter_map(DeletePolicy::parse)
        .chain(
            object
                .annotation_list(names::HELM_HOOK_DELETE_POLICY)
                .filter_map(DeletePolicy::parse_helm),
        )
        .collect();
    if policies.is_empty() {
        policies.push(DeletePolicy::BeforeHookCreation);
    }
    policies
}
