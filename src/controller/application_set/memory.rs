//! The last expansion of each set, and what it was made from.
//!
//! A set whose spec, settings and facts are what they were is not expanded again. The facts are
//! exactly what the set reads: a push to other paths, or a change of a cluster that it does not
//! select, leaves them as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_crds::{ApplicationSet, ApplicationSetSpec};
use argosy_facts::Observed;
use argosy_generators::approval::Held;
use argosy_generators::emptied::Yields;
use argosy_generators::{Answer, Error, Expansion, Request, Settings};

use super::answers::Answers;
use super::contested::Contested;
use super::tree::Trees;
use crate::fleet::ObjectName;
use crate::traces::Link;

/// What is kept of all sets.
#[derive(Default)]
pub struct Memory {
    sets: Mutex<BTreeMap<ObjectName, Arc<Remembered>>>,
    /// What the generators of each set yielded when it was carried out.
    yields: Mutex<BTreeMap<ObjectName, Arc<Yields>>>,
    /// What the sets that wait for approval hold, as their statuses say once they are written.
    held: Mutex<BTreeMap<ObjectName, Held>>,
    /// What the next look at a set follows from, or the one that is under way.
    causes: Mutex<BTreeMap<ObjectName, Link>>,
    /// The names that two sets generate.
    pub(super) contested: Contested,
    /// What was answered from outside.
    pub(in crate::controller) answers: Answers,
    /// What repositories hold.
    pub(super) trees: Trees,
}

/// What an expansion was made from, and what came out; a failure, too, would only be the same again.
pub(super) struct Remembered {
    spec: ApplicationSetSpec,
    /// What of the settings decides; the time does not, or every look would be an expansion.
    max_parameter_sets: usize,
    pub(super) facts: BTreeMap<Request, Observed<Answer>>,
    pub(super) result: Result<Arc<Expansion>, Error>,
}

impl Remembered {
    pub(super) fn new(
        set: &ApplicationSet,
        settings: &Settings,
        facts: BTreeMap<Request, Observed<Answer>>,
        result: Result<Arc<Expansion>, Error>,
    ) -> Self {
        Self {
            spec: set.spec.clone(),
            max_parameter_sets: settings.max_parameter_sets,
            facts,
            result,
        }
    }

    /// Whether the same facts would come to the same. How files are matched is part of their
    /// requests.
    pub(super) fn is_of(&self, set: &ApplicationSet, settings: &Settings) -> bool {
        self.spec == set.spec && self.max_parameter_sets == settings.max_parameter_sets
    }
}

impl Remembered {
    /// Whether these facts, which answer the same requests, are the same for the set.
    pub(super) fn knew(&self, facts: &BTreeMap<Request, Observed<Answer>>) -> bool {
        let both = self.facts.iter().zip(facts.values());
        self.facts.len() == facts.len()
            && both.into_iter().all(|((request, before), now)| {
                match (before.as_complete(), now.as_complete()) {
                    (Some(before), Some(now)) => before.get().is_same_for(request, now.get()),
                    _ => before == now,
                }
            })
    }
}

impl Memory {
    pub(super) fn get(&self, name: &ObjectName) -> Option<Arc<Remembered>> {
        self.lock().get(name).cloned()
    }

    /// What the last expansion of a set asked for.
    pub(super) fn requests(&self, name: &ObjectName) -> Option<BTreeSet<Request>> {
        let sets = self.lock();
        Some(sets.get(name)?.facts.keys().cloned().collect())
    }

    pub(super) fn keep(&self, name: &ObjectName, remembered: Remembered) {
        self.lock().insert(name.clone(), Arc::new(remembered));
    }

    pub(super) fn forget(&self, name: &ObjectName) {
        self.lock().remove(name);
        self.yields_of_all().remove(name);
        self.held_by_all().remove(name);
        self.answers.forget(name);
        self.all_causes().remove(name);
    }

    /// What the generators of a set yielded when it was carried out last.
    pub(super) fn yields(&self, name: &ObjectName) -> Option<Arc<Yields>> {
        self.yields_of_all().get(name).cloned()
    }

    /// Notes that a set was carried out, all of its deletions included.
    pub(super) fn carried_out(&self, name: &ObjectName, yields: Yields) {
        self.yields_of_all().insert(name.clone(), Arc::new(yields));
    }

    /// What a set that waits holds, whether or not its status could be written.
    pub(super) fn held(&self, name: &ObjectName) -> Held {
        self.held_by_all().get(name).cloned().unwrap_or_default()
    }

    /// Notes what a set holds from here on.
    pub(super) fn hold(&self, name: &ObjectName, held: Held) {
        let mut all = self.held_by_all();
        if held == Held::default() {
            all.remove(name);
        } else {
            all.insert(name.clone(), held);
        }
    }

    /// Says what the next look at a set follows from, and the Applications that it writes.
    pub(in crate::controller) fn follow(&self, name: &ObjectName, cause: &Link) {
        self.all_causes().insert(name.clone(), cause.clone());
    }

    /// What a set and its Applications follow from.
    pub(super) fn cause(&self, name: &ObjectName) -> Option<Link> {
        self.all_causes().get(name).cloned()
    }

    /// Notes that a set has done what followed from this.
    pub(super) fn is_done(&self, name: &ObjectName, cause: &Link) {
        let mut all = self.all_causes();
        if all.get(name).is_some_and(|one| one.is_of(cause)) {
            all.remove(name);
        }
    }

    fn all_causes(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Link>> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_by_all(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn yields_of_all(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Arc<Yields>>> {
        self.yields.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Arc<Remembered>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
