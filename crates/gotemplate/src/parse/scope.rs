//! The variables known at a point of a template, and the slot of the frame in which each lives.

use std::sync::Arc;

use super::node::Variable;

/// The variables of one template. The dollar is slot 0.
pub(super) struct Scope {
    entries: Vec<Entry>,
    slots: usize,
    /// How many ranges enclose this point.
    pub(super) ranges: usize,
}

struct Entry {
    name: Arc<str>,
    /// Whether it has a value when the template runs: Go knows the names of some variables that then do not exist.
    live: bool,
}

impl Scope {
    pub(super) fn new() -> Self {
        Self {
            entries: vec![Entry {
                name: "$".into(),
                live: true,
            }],
            slots: 1,
            ranges: 0,
        }
    }

    /// How many slots a frame needs.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn mark(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn pop(&mut self, mark: usize) {
        self.entries.truncate(mark);
    }

    /// Keeps the names declared since `mark` but not their values.
    pub(super) fn bury(&mut self, mark: usize) {
        self.entries
            .iter_mut()
            .skip(mark)
            .for_each(|e| e.live = false);
    }

    fn slot(&self, name: &str) -> Option<usize> {
        self.entries
            .iter()
            .rposition(|e| e.live && *e.name == *name)
    }

    /// The variable of this name; without a slot when only its name is known.
    pub(super) fn find(&self, name: &str) -> Option<Variable> {
        let known = self.entries.iter().any(|e| *e.name == *name);
        known.then(|| Variable {
            name: name.into(),
            slot: self.slot(name),
        })
    }

    /// Makes names known that a pipeline is about to declare or assign; returns the slot of the first.
    pub(super) fn announce(&mut self, names: &[Arc<str>], assign: bool) -> usize {
        let first = self.entries.len();
        for name in names {
            if !assign || self.find(name).is_none() {
                self.entries.push(Entry {
                    name: name.clone(),
                    live: false,
                });
            }
        }
        self.slots = self.slots.max(self.entries.len());
        first
    }

    /// Brings announced names into force, or finds those that are assigned.
    pub(super) fn declare(
        &mut self,
        names: Vec<Arc<str>>,
        first: usize,
        assign: bool,
    ) -> Vec<Variable> {
        names
            .into_iter()
            .enumerate()
            .map(|(i, name)| {
                if assign {
                    let slot = self.slot(&name);
                    return Variable { name, slot };
                }
                if let Some(entry) = self.entries.get_mut(first + i) {
                    entry.live = true;
                }
                Variable {
                    name,
                    slot: Some(first + i),
                }
            })
            .collect()
    }
}
