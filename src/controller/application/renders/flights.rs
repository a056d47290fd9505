//! One render of a kind at a time.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is under way.
#[derive(Default)]
pub(super) struct Flights {
    running: Mutex<BTreeSet<String>>,
    landed: Condvar,
}

/// Keeps others from the same work until it is dropped.
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    key: &'a str,
}

impl Flights {
    /// Waits until nobody else does the same.
    pub(super) fn board<'a>(&'a self, key: &'a str) -> Flight<'a> {
        let mut running = self.lock();
        while running.contains(key) {
            running = self
                .landed
                .wait(running)
                .unwrap_or_else(PoisonError::into_inner);
        }
        running.insert(key.to_owned());
        Flight { flights: self, key }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.lock().remove(self.key);
        self.flights.landed.notify_all();
    }
}
