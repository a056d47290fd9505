//! From desired and live objects to tasks, before they are put in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::input::{PlanInput, UnknownKinds};
use super::kinds::KindScope;
use super::options::Consent;
use super::phase::Phase;
use super::plan::InvalidTask;
use super::task::{Action, PruneSkip, Task};
use crate::object::{
    DeletePolicy, GroupKind, Gvk, ObjectExt, ResourceKey, delete_policies, hook_types, is_hook,
    is_skipped, names,
};

/// The tasks, with what cannot be planned and what a person should know.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) tasks: Vec<Task>,
    pub(super) invalid: Vec<InvalidTask>,
    pub(super) notes: Vec<String>,
}

/// Makes the tasks of a sync.
pub(super) fn collect(input: &PlanInput<'_>) -> Collected {
    let mut collector = Collector::new(input);
    collector.resources();
    collector.hooks();
    collector.namespace();
    collector.out
}

struct Collector<'a> {
    input: &'a PlanInput<'a>,
    scopes: BTreeMap<Gvk, KindScope>,
    /// Kinds whose CRD is among the desired objects.
    defined: BTreeSet<GroupKind>,
    live: BTreeMap<ResourceKey, Arc<Value>>,
    out: Collected,
}

impl<'a> Collector<'a> {
    fn new(input: &'a PlanInput<'a>) -> Self {
        let mut collector = Self {
            input,
            scopes: BTreeMap::new(),
            defined: input
                .desired
                .iter()
                .filter_map(|o| defined_kind(o))
                .collect(),
            live: BTreeMap::new(),
            out: Collected::default(),
        };
        for object in input.live.seen().into_iter().flatten() {
            let key = collector.key(object);
            collector.live.insert(key, Arc::clone(object));
        }
        collector
    }

    fn scope(&mut self, gvk: &Gvk) -> &KindScope {
        self.scopes
            .entry(gvk.clone())
            .or_insert_with(|| self.input.kinds.scope(gvk))
    }

    /// Identity in the cluster: the destination's namespace where none is given, none for
    /// cluster-scoped kinds.
    fn key(&mut self, object: &Value) -> ResourceKey {
        let key = object.resource_key();
        let cluster_scoped = *self.scope(&object.gvk()) == KindScope::Cluster;
        if cluster_scoped {
            key.in_namespace("")
        } else if key.namespace.is_empty() {
            key.in_namespace(self.input.namespace)
        } else {
            key
        }
    }

    fn resources(&mut self) {
        let mut desired = IndexMap::new();
        for object in self.input.desired.iter().filter(|object| !is_hook(object)) {
            let key = self.key(object);
            desired.insert(key, Arc::clone(object));
        }
        for (key, object) in &desired {
            if self.selected(key) && !is_skipped(object) && self.out_of_sync(key) {
                self.apply(key.clone(), object);
            }
        }
        self.prunes(&desired);
    }

    fn selected(&self, key: &ResourceKey) -> bool {
        let selected = &self.input.selected;
        selected.is_empty() || selected.iter().any(|selector| selector.selects(key))
    }

    fn out_of_sync(&self, key: &ResourceKey) -> bool {
        match self.input.modified {
            Some(modified) if self.input.options.apply_out_of_sync_only => {
                modified.contains(key) || !self.live.contains_key(key)
            }
            _ => true,
        }
    }

    fn apply(&mut self, key: ResourceKey, object: &Arc<Value>) {
        let live = self.live.get(&key).cloned();
        let mode = self.input.options.apply_mode(object, live.as_deref());
        self.push(Task {
            key,
            gvk: object.gvk(),
            phase: Phase::Sync,
            wave: object.sync_wave(),
            action: Action::Apply(mode),
            desired: Some(Arc::clone(object)),
            live,
            deferred: false,
        });
    }

    fn prunes(&mut self, desired: &IndexMap<ResourceKey, Arc<Value>>) {
        let Some(live) = self.input.live.as_complete() else {
            if let Some(gap) = self.input.live.gap() {
                self.out.notes.push(format!(
                    "nothing is pruned, live objects are not all known: {gap}"
                ));
            }
            return;
        };
        // What has become a hook is still wanted, whatever it was before.
        let hooks: BTreeSet<_> = self
            .input
            .desired
            .iter()
            .filter(|object| is_hook(object))
            .map(|object| self.key(object))
            .collect();
        for object in live.get() {
            let key = self.key(object);
            let wanted = desired.contains_key(&key) || hooks.contains(&key);
            let stays = wanted || is_hook(object) || is_skipped(object);
            if stays || !self.selected(&key) || !(self.input.owns)(object) {
                continue;
            }
            let consent = self.input.options.prune_consent(object);
            let skip = if !self.input.prune {
                Some(PruneSkip::NotRequested)
            } else if consent == Consent::Refused {
                Some(PruneSkip::Refused)
            } else {
                None
            };
            self.push(Task {
                key,
                gvk: object.gvk(),
                phase: Phase::Sync,
                wave: object.sync_wave(),
                action: Action::Prune {
                    propagation: self.input.options.propagation,
                    confirm: skip.is_none() && consent == Consent::Confirm,
                    skip,
                    owned: true,
                },
                desired: None,
                live: Some(Arc::clone(object)),
                deferred: false,
            });
        }
    }

    fn hooks(&mut self) {
        if self.input.skip_hooks || !self.input.selected.is_empty() {
            return;
        }
        for object in self.input.desired.iter().filter(|object| is_hook(object)) {
            let phases: BTreeSet<_> = hook_types(object)
                .into_iter()
                .filter_map(Phase::of)
                .collect();
            let mut ran_before = BTreeSet::new();
            for phase in phases {
                self.hook(object, phase, &mut ran_before);
            }
        }
    }

    fn hook(&mut self, object: &Value, phase: Phase, ran_before: &mut BTreeSet<ResourceKey>) {
        let object = Arc::new(hook_object(object, phase, self.input));
        let key = self.key(&object);
        let live = self.live.get(&key).cloned();
        let policies = delete_policies(&object);
        let leftover = live.is_some() || !ran_before.insert(key.clone());
        let task = |action, desired| Task {
            key: key.clone(),
            gvk: object.gvk(),
            phase,
            wave: object.sync_wave(),
            action,
            desired,
            live: live.clone(),
            deferred: false,
        };
        let deletion = (leftover && policies.contains(&DeletePolicy::BeforeHookCreation))
            .then(|| task(Action::DeleteHook(self.input.options.propagation), None));
        let mode = self.input.options.apply_mode(&object, live.as_deref());
        let run = task(Action::Hook { mode, policies }, Some(Arc::clone(&object)));
        if let Some(deletion) = deletion {
            self.out.tasks.push(deletion);
        }
        self.push(run);
    }

    /// The destination's namespace, unless the desired objects bring it along.
    fn namespace(&mut self) {
        let name = self.input.namespace;
        let brought_along = self
            .input
            .desired
            .iter()
            .any(|object| !is_hook(object) && object.is_namespace() && object.name() == name);
        if !self.input.options.create_namespace || name.is_empty() || brought_along {
            return;
        }
        let destination = &self.input.destination;
        if destination.live.is_some() && destination.metadata.is_none() {
            return;
        }
        let object = Arc::new(namespace_object(self.input));
        self.push(Task {
            key: ResourceKey::new("", "Namespace", "", name),
            gvk: Gvk::from_api_version("v1", "Namespace"),
            phase: Phase::PreSync,
            wave: object.sync_wave(),
            action: Action::Apply(self.input.options.apply_mode(&object, None)),
            desired: Some(object),
            live: destination.live.clone(),
            deferred: false,
        });
    }

    fn push(&mut self, mut task: Task) {
        let KindScope::Unknown(reason) = self.scope(&task.gvk).clone() else {
            self.out.tasks.push(task);
            return;
        };
        let tolerated = self.input.unknown_kinds == UnknownKinds::Defer
            || self.input.options.skip_dry_run_on_missing_resource
            || self.defined.contains(&task.gvk.group_kind())
            || task
                .desired
                .as_ref()
                .is_some_and(|o| o.has_sync_option("SkipDryRunOnMissingResource=true"));
        if tolerated {
            task.deferred = true;
            self.out.tasks.push(task);
        } else {
            self.out.invalid.push(InvalidTask {
                key: task.key,
                phase: task.phase,
                reason,
            });
        }
    }
}

/// The kind that a CRD defines.
pub(super) fn defined_kind(object: &Value) -> Option<GroupKind> {
    if !object.is_crd() {
        return None;
    }
    let group = object["spec"]["group"].as_str()?;
    let kind = object["spec"]["names"]["kind"].as_str()?;
    Some(GroupKind::new(group, kind))
}

/// A hook as it is created: with its final name and the finalizer that keeps it until its end was
/// seen.
fn hook_object(object: &Value, phase: Phase, input: &PlanInput<'_>) -> Value {
    let mut hook = object.clone();
    let name = object.name();
    let name = if name.is_empty() {
        let revision = input.revision;
        let short = if revision.len() >= 8 {
            revision.get(..7).unwrap_or(revision)
        } else {
            revision
        };
        let suffix = format!("{short}-{phase}-{}", input.started_at.as_second()).to_lowercase();
        format!("{}{suffix}", object.generate_name())
    } else {
        name.to_owned()
    };
    let kept = object.finalizers().any(|f| f == names::HOOK_FINALIZER);
    if let Some(metadata) = hook.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("name".to_owned(), Value::String(name));
        if !kept {
            let finalizers = metadata
                .entry("finalizers")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = finalizers.as_array_mut() {
                list.push(Value::String(names::HOOK_FINALIZER.to_owned()));
            } else {
                *finalizers = json!([names::HOOK_FINALIZER]);
            }
        }
    }
    hook
}

/// The namespace that is created. It carries no tracking, so that it is never pruned.
fn namespace_object(input: &PlanInput<'_>) -> Value {
    let strings = |map: &BTreeMap<String, String>| -> Map<String, Value> {
        map.iter()
            .map(|(key, value)| (key.clone(), Value::String(value.clone())))
            .collect()
    };
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(input.namespace));
    if let Some(managed) = &input.destination.metadata {
        let mut annotations = strings(&managed.annotations);
        annotations.insert(
            names::SYNC_OPTIONS.to_owned(),
            json!("ServerSideApply=true"),
        );
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
        if !managed.labels.is_empty() {
            metadata.insert("labels".to_owned(), Value::Object(strings(&managed.labels)));
        }
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
}
