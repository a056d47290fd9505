//! The conversations, one file an area.

mod apply;
mod conflicts;
mod crud;
mod custom;
mod deletion;
mod discovery;
mod lists;
mod namespaces;
mod patches;
mod tables;
mod watches;
mod workloads;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::session::Session;

/// One conversation.
pub(super) struct Case {
    /// Area and name.
    pub(super) name: &'static str,
    pub(super) run: for<'a> fn(&'a Session) -> BoxFuture<'a, ()>,
}

macro_rules! cases {
    ($($area:ident: $($case:ident),+;)+) => {
        /// Returns all conversations.
        pub(super) fn cases() -> Vec<Case> {
            vec![$($(
                Case {
                    name: concat!(stringify!($area), "::", stringify!($case)),
                    run: |session| Box::pin($area::$case(session)),
                },
            )+)+]
        }
    };
}

cases! {
    discovery: versions, resources, reviews;
    crud: life_of_a_config_map, refusals, generated_names, secrets, owners, dry_run, metadata_is_kept;
    conflicts: stale_versions, preconditions, writes_that_change_nothing;
    lists: selectors, field_selectors, pages, across_namespaces, versions_of_lists;
    watches: from_a_version, by_label, initial_events, too_old, by_name;
    apply: life_of_an_applied_object, conflicts_and_force, shared_ownership, updates_and_applies,
        refusals_of_apply, lists_by_key, atomic_and_sets, dry_run_of_apply, status_of_apply;
    patches: merge_patches, json_patches, strategic_patches, refusals_of_patches;
    deletion: finalizers, propagation, collections, dry_run_of_delete;
    namespaces: life_of_a_namespace, terminating;
    custom: schemas, status_apart, definitions, cluster_scope, apply_to_custom, validation;
    workloads: defaults_of_a_deployment, generations, status_of_a_deployment, services;
    tables: config_maps, custom_columns, metadata_only;
}

fn config_map(name: &str, data: Value) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    body["data"] = data;
    body
}

fn secret(name: &str, data: Value) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    body["data"] = data;
    body
}

/// Returns a text of an answer, empty when it is not there.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
