//! The order of tasks: phase, wave, kind and name, with what others need pulled before them.

use std::collections::BTreeMap;

use super::collect::defined_kind;
use super::kinds::rank;
use super::phase::Phase;
use super::task::Task;
use crate::object::ObjectExt;

/// Sorts tasks as they are to start.
pub(super) fn sort(tasks: &mut Vec<Task>, prune_last: bool, namespace: &str) {
    mirror_prune_waves(tasks);
    prune_after_all(tasks, prune_last);
    tasks.sort_by_cached_key(|task| {
        let kind = rank(&task.key.kind);
        (
            task.phase,
            task.wave,
            kind,
            task.key.name.clone(),
            task.key.namespace.clone(),
            task.key.group.clone(),
            // What is left of a hook goes before the hook comes.
            task.is_hook(),
        )
    });
    pull_providers(tasks, &namespace_provided, &|task| {
        namespace_used(task, namespace)
    });
    pull_providers(tasks, &kind_provided, &|task| {
        task.desired
            .as_ref()
            .map(|_| (task.key.group.clone(), task.key.kind.clone()))
    });
}

/// Swaps the first wave of prunes with the last, the second with the last but one, and so on:
/// what came first goes last, within the same set of waves.
fn mirror_prune_waves(tasks: &mut [Task]) {
    let mut waves: Vec<_> = tasks
        .iter()
        .filter(|task| task.is_prune())
        .map(|task| task.wave)
        .collect();
    waves.sort_unstable();
    waves.dedup();
    let mirrored: BTreeMap<_, _> = waves
        .iter()
        .copied()
        .zip(waves.iter().rev().copied())
        .collect();
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        if let Some(wave) = mirrored.get(&task.wave) {
            task.wave = *wave;
        }
    }
}

/// Moves prunes with `PruneLast` behind every wave of the Sync phase.
fn prune_after_all(tasks: &mut [Task], prune_last: bool) {
    let last = tasks
        .iter()
        .filter(|task| task.phase == Phase::Sync)
        .map(|task| task.wave)
        .max()
        .unwrap_or(0)
        .max(0)
        .saturating_add(1);
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        if prune_last || task.object().has_sync_option("PruneLast=true") {
            task.wave = last;
        }
    }
}

fn namespace_provided(task: &Task) -> Option<String> {
    let desired = task.desired.as_ref()?;
    desired.is_namespace().then(|| task.key.name.clone())
}

/// The namespace that a task needs. As in Argo CD, an object without one needs the destination's,
/// even if its kind is cluster-scoped.
fn namespace_used(task: &Task, destination: &str) -> Option<String> {
    let written = task.desired.as_ref()?.namespace();
    let namespace = if written.is_empty() {
        destination
    } else {
        written
    };
    (!namespace.is_empty()).then(|| namespace.to_owned())
}

fn kind_provided(task: &Task) -> Option<(String, String)> {
    let defined = defined_kind(task.desired.as_deref()?)?;
    Some((defined.group, defined.kind))
}

/// Moves each provider before the first task that uses what it provides, into the same phase and
/// wave.
fn pull_providers<K: Ord>(
    tasks: &mut Vec<Task>,
    provides: &dyn Fn(&Task) -> Option<K>,
    uses: &dyn Fn(&Task) -> Option<K>,
) {
    let mut first_use: BTreeMap<K, usize> = BTreeMap::new();
    for index in 0..tasks.len() {
        if let Some(provided) = provides(&tasks[index]) {
            let Some(&target) = first_use.get(&provided) else {
                continue;
            };
            let (phase, wave) = (tasks[target].phase, tasks[target].wave);
            let mut provider = tasks.remove(index);
            provider.phase = phase;
            provider.wave = wave;
            tasks.insert(target, provider);
            for position in first_use.values_mut().filter(|p| **p >= target) {
                *position += 1;
            }
        } else if let Some(used) = uses(&tasks[index]) {
            first_use.entry(used).or_insert(index);
        }
    }
}
