//! What a remote said, shared by all who ask and as old as allowed at most.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::source::{
    SourceError,
    sources::{ERROR_LIFETIME, lock},
};

/// Answers by question.
#[derive(Debug)]
pub(super) struct Answers<T> {
    /// A slot is held while its question is put, so that whoever comes meanwhile shares the answer.
    slots: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Slot<T>>>>>,
    refreshed: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Slot<T> {
    answered: Option<(Instant, Result<T, SourceError>)>,
    /// The last answer that was no error.
    good: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            answered: None,
            good: None,
        }
    }
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            refreshed: Mutex::default(),
        }
    }
}

impl<T: Clone> Answers<T> {
    /// The answer to `question`, at most `lifetime` old; `ask` gets the last good one, to ask
    /// whether it still holds.
    pub(super) async fn get<F: Future<Output = Result<T, SourceError>>>(
        &self,
        question: &str,
        lifetime: Duration,
        ask: impl FnOnce(Option<T>) -> F,
    ) -> Result<T, SourceError> {
        let slot = Arc::clone(lock(&self.slots).entry(question.to_owned()).or_default());
        let mut slot = slot.lock().await;
        if let Some((at, answer)) = &slot.answered
            && self.is_fresh(*at, answer.is_ok(), lifetime)
        {
            return answer.clone();
        }
        // The clock starts when the question is put: what changes since is not in the answer.
        let at = Instant::now();
        let answer = ask(slot.good.clone()).await;
        if let Ok(good) = &answer {
            slot.good = Some(good.clone());
        }
        slot.answered = Some((at, answer.clone()));
        answer
    }

    /// The last answer to `question` that was no error, however old, unless it is being asked for.
    pub(super) fn good(&self, question: &str) -> Option<T> {
        let slot = lock(&self.slots).get(question).map(Arc::clone)?;
        let slot = slot.try_lock().ok()?;
        slot.good.clone()
    }

    /// Whether `question` would be put anew.
    pub(super) fn is_stale(&self, question: &str, lifetime: Duration) -> bool {
        let slot = lock(&self.slots).get(question).map(Arc::clone);
        let Some(slot) = slot else { return true };
        let Ok(slot) = slot.try_lock() else {
            return false;
        };
        let answered = slot.answered.as_ref();
        !answered.is_some_and(|(at, answer)| self.is_fresh(*at, answer.is_ok(), lifetime))
    }

    /// Has every question put anew.
    pub(super) fn refresh(&self) {
        *lock(&self.refreshed) = Some(Instant::now());
    }

    fn is_fresh(&self, at: Instant, good: bool, lifetime: Duration) -> bool {
        let lifetime = if good {
            lifetime
        } else {
            ERROR_LIFETIME.min(lifetime)
        };
        let refreshed = *lock(&self.refreshed);
        at.elapsed() < lifetime && refreshed.is_none_or(|refreshed| at > refreshed)
    }
}
