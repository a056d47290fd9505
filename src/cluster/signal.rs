//! A value that tasks wait for.
//!
//! It is what tokio's `watch` is, but for one thing: those who wait are woken in the order in which
//! they began to, and not by chance, so that a simulation repeats.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A value, and those who wait for it to become another.
pub(super) struct Signal<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Clone> Signal<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Notify::new(),
        }
    }

    pub(super) fn get(&self) -> T {
        self.change_quietly(|value| value.clone())
    }

    pub(super) fn set(&self, value: T) {
        self.change(|old| *old = value);
    }

    pub(super) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = self.change_quietly(change);
        self.changed.notify_waiters();
        result
    }

    /// Waits until the value is as wanted, and returns it.
    pub(super) async fn wait_for(&self, is_wanted: impl Fn(&T) -> bool) -> T {
        loop {
            // It counts from here on, so that no change falls between the look and the wait.
            let changed = self.changed.notified();
            let value = self.get();
            if is_wanted(&value) {
                return value;
            }
            changed.await;
        }
    }

    fn change_quietly<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
