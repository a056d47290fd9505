//! Until when a hub may write.

use std::sync::Arc;

use futures::FutureExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::cluster::MayWrite;

/// Why a hub may not write.
const OVER: &str = "this hub does not lead: it holds no lease, or could not renew it in time";

/// A hub's term: it begins once and is extended for as long as the Lease is renewed. Its clock goes
/// on while the process is stopped, so that one that wakes up too late finds its term over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Term(watch::Sender<Option<Instant>>);

impl Term {
    /// When it ends, if it has begun.
    pub(crate) fn until(&self) -> Option<Instant> {
        *self.0.borrow()
    }

    /// Whether it has begun, if it is over or not.
    pub(crate) fn has_begun(&self) -> bool {
        self.until().is_some()
    }

    /// Whether it has begun and is not over.
    pub(crate) fn runs(&self) -> bool {
        self.until().is_some_and(|end| Instant::now() < end)
    }

    /// Is ready once it has begun.
    pub(crate) async fn begun(&self) {
        // The sender is this value's own.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) fn extend(&self, end: Instant) {
        self.0.send_replace(Some(end));
    }

    pub(super) fn end(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Is ready once it is over.
    async fn over(self) {
        let mut extended = self.0.subscribe();
        while let Some(end) = self.until().filter(|_| self.runs()) {
            tokio::select! {
                biased;
                () = sleep_until(end) => {}
                // The sender is this value's own.
                _ = extended.changed() => {}
            }
        }
    }

    /// What every client of the hub is told before it writes. A write that has no answer yet when the
    /// term is over is given up, and not tried again.
    pub(crate) fn may_write(&self) -> MayWrite {
        let term = self.clone();
        Arc::new(move || {
            if !term.runs() {
                return Err(OVER);
            }
            let over = term.clone().over();
            Ok(over.map(|()| OVER).boxed())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_term_is_over_when_it_is_not_extended_in_time() {
        let term = Term::default();
        let may_write = term.may_write();
        assert!(may_write().is_err());
        term.extend(Instant::now() + Duration::from_secs(10));
        let began = Instant::now();
        let over = may_write().unwrap_or_else(|why| panic!("{why}"));
        tokio::time::advance(Duration::from_secs(6)).await;
        term.extend(Instant::now() + Duration::from_secs(10));
        over.await;
        assert_eq!(began.elapsed(), Duration::from_secs(16));
        assert!(may_write().is_err() && term.has_begun());
    }
}
