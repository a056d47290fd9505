//! `depends-on` between the resources of one sync.

use std::collections::BTreeMap;

use super::plan::Group;
use super::task::Task;
use crate::object::{ObjectExt, ResourceKey, names};

/// Positions of tasks by group, kind, namespace and name: one object may be handled in several phases.
type Index = BTreeMap<ResourceKey, Vec<usize>>;

/// Pairs of tasks: the first waits for the second.
#[derive(Clone, Debug, Default)]
pub(super) struct Dependencies {
    pub(super) pairs: Vec<(usize, usize)>,
}

impl Dependencies {
    /// Reads the annotations. What refers to nothing in this sync is noted and has no effect.
    pub(super) fn read(tasks: &[Task], notes: &mut Vec<String>) -> Self {
        let mut pairs = Vec::new();
        let mut index: Option<Index> = None;
        for (dependent, task) in tasks.iter().enumerate() {
            if matches!(task.action, super::task::Action::DeleteHook(_)) {
                continue;
            }
            for reference in references(task) {
                let index = index.get_or_insert_with(|| by_identity(tasks));
                let Some(found) = resolve(&reference, index) else {
                    notes.push(format!(
                        "{} depends on {reference}, which is no part of this sync",
                        task.key
                    ));
                    continue;
                };
                pairs.extend(
                    found
                        .iter()
                        .filter(|provider| tasks[**provider].is_prune() == task.is_prune())
                        .map(|provider| {
                            if task.is_prune() {
                                // Deletion runs the other way: dependents go first.
                                (*provider, dependent)
                            } else {
                                (dependent, *provider)
                            }
                        }),
                );
            }
        }
        Self { pairs }
    }
}

fn by_identity(tasks: &[Task]) -> Index {
    let mut index = Index::new();
    for (position, task) in tasks.iter().enumerate() {
        if matches!(task.action, super::task::Action::DeleteHook(_)) {
            continue;
        }
        index.entry(task.key.clone()).or_default().push(position);
    }
    index
}

/// The references of a task, as written.
fn references(task: &Task) -> Vec<String> {
    let object = task.object();
    [names::KUBERNETES_DEPENDS_ON, names::DEPENDS_ON]
        .into_iter()
        .flat_map(|key| object.annotation_list(key))
        .map(str::to_owned)
        .collect()
}

/// Finds `group/namespaces/ns/Kind/name` or `group/Kind/name`; the core group may be left empty or
/// out.
fn resolve<'i>(reference: &str, index: &'i Index) -> Option<&'i Vec<usize>> {
    let parts: Vec<_> = reference.trim().split('/').collect();
    let (group, namespace, kind, name) = match parts.as_slice() {
        [group, "namespaces", namespace, kind, name] => (*group, *namespace, *kind, *name),
        ["namespaces", namespace, kind, name] => ("", *namespace, *kind, *name),
        [group, kind, name] => (*group, "", *kind, *name),
        [kind, name] => ("", "", *kind, *name),
        _ => return None,
    };
    index.get(&ResourceKey::new(group, kind, namespace, name))
}

/// Puts tasks behind what they depend on, within each group; order across groups is left to phase
/// and wave, and a contradiction shows as a cycle later.
pub(super) fn arrange(
    tasks: Vec<Task>,
    groups: &[Group],
    dependencies: Dependencies,
) -> (Vec<Task>, Dependencies) {
    if dependencies.pairs.is_empty() {
        return (tasks, dependencies);
    }
    let mut group_of = vec![0; tasks.len()];
    for (position, group) in groups.iter().enumerate() {
        for task in group.tasks.clone() {
            group_of[task] = position;
        }
    }
    let inner: Vec<_> = dependencies
        .pairs
        .iter()
        .copied()
        .filter(|(a, b)| group_of[*a] == group_of[*b])
        .collect();
    let levels = levels(tasks.len(), &inner);
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|task| (group_of[*task], levels[*task], *task));
    let mut moved_to = vec![0; tasks.len()];
    for (new, old) in order.iter().enumerate() {
        moved_to[*old] = new;
    }
    let pairs = dependencies
        .pairs
        .into_iter()
        .map(|(a, b)| (moved_to[a], moved_to[b]))
        .collect();
    let mut slots: Vec<_> = tasks.into_iter().map(Some).collect();
    let tasks = order
        .into_iter()
        .filter_map(|old| slots[old].take())
        .collect();
    (tasks, Dependencies { pairs })
}

/// How many dependencies lie before each task at most. In a cycle the count stops at the number
/// of tasks; the cycle itself is reported when the graph is checked.
fn levels(count: usize, pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut levels = vec![0; count];
    for _ in 0..pairs.len() {
        let mut changed = false;
        for (dependent, provider) in pairs {
            let wanted = levels[*provider] + 1;
            if levels[*dependent] < wanted && wanted <= pairs.len() {
                levels[*dependent] = wanted;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    levels
}
