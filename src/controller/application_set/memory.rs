//! The last expansion of each set, and the facts that it was made from.
//!
//! A set whose facts and spec are what they were is not expanded again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_crds::ApplicationSetSpec;
use argosy_facts::Observed;
use argosy_generators::{Answer, Expansion, Request};

use super::answers::Answers;
use super::contested::Contested;
use crate::fleet::ObjectName;

/// What is kept of all sets.
#[derive(Default)]
pub struct Memory {
    sets: Mutex<BTreeMap<ObjectName, Remembered>>,
    /// The names that two sets generate.
    pub(super) contested: Contested,
    /// What was answered from outside.
    pub(in crate::controller) answers: Answers,
}

/// What an expansion was made from, and what came out.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) spec: ApplicationSetSpec,
    pub(super) facts: BTreeMap<Request, Observed<Answer>>,
    pub(super) expansion: Arc<Expansion>,
}

impl Memory {
    pub(super) fn get(&self, name: &ObjectName) -> Option<Remembered> {
        self.lock().get(name).cloned()
    }

    /// What the last expansion of a set asked for.
    pub(super) fn requests(&self, name: &ObjectName) -> Option<BTreeSet<Request>> {
        let sets = self.lock();
        Some(sets.get(name)?.facts.keys().cloned().collect())
    }

    pub(super) fn keep(&self, name: &ObjectName, remembered: Remembered) {
        self.lock().insert(name.clone(), remembered);
    }

    pub(super) fn forget(&self, name: &ObjectName) {
        self.lock().remove(name);
        self.answers.forget(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Remembered>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
