//! Which of several hubs works: the one that holds the Lease. The others stand by, connected to
//! everything, and take over when it ends or falls silent.
//!
//! A hub that can no longer say that it holds the Lease must write nothing more: every client of it
//! asks its `Term` before each write, and the term ends well before anybody else may take the Lease.
//! Such a hub ends itself and is started anew as one that stands by.

mod term;

use std::net::SocketAddr;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use argosy_engine::lease::{Sight, Turn, holder};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, sleep_until, timeout};

pub(crate) use self::term::Term;
use crate::clock::Clock;
use crate::diagnostic::chain;

/// The name of the Lease, in the hub's namespace.
pub const LEASE: &str = "argosy";

/// Where its holder can be reached by the others.
const ADDRESS: &str = "argosy.dev/address";

/// A hub that works only while it holds the Lease.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it is called in the Lease; no two candidates may share it.
    pub identity: String,
    /// For how long.
    pub times: Times,
}

/// How long a Lease is held, as of client-go's flags.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How long the Lease must have stood still before another takes it; whole seconds.
    pub lease: Duration,
    /// How long its holder works on after it could last renew it; less than `lease`, by as much as
    /// a request may be under way and clocks may run apart.
    pub renew: Duration,
    /// How often it is renewed, or looked at.
    pub retry: Duration,
}

impl Times {
    /// Whether nobody takes a lease while its holder may still write, and it is renewed in time.
    pub fn are_in_order(&self) -> bool {
        let lease = Duration::from_secs(self.lease.as_secs());
        Duration::ZERO < self.retry && self.retry < self.renew && self.renew < lease
    }
}

impl Default for Times {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            renew: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// A hub's part in who leads.
pub(crate) struct Leadership {
    candidate: Candidate,
    /// Asks nobody before it writes: it is what the others ask about.
    leases: Api<Lease>,
    clock: Clock,
    term: Term,
    address: OnceLock<SocketAddr>,
    seen: RwLock<Option<Lease>>,
}

impl Leadership {
    /// The part of `candidate` among the hubs of a namespace; `client` is one that is not guarded.
    pub(crate) fn new(candidate: Candidate, client: Client, namespace: &str, clock: Clock) -> Self {
        Self {
            candidate,
            leases: Api::namespaced(client, namespace),
            clock,
            term: Term::default(),
            address: OnceLock::new(),
            seen: RwLock::default(),
        }
    }

    /// Until when it may write.
    pub(crate) fn term(&self) -> &Term {
        &self.term
    }

    /// Says where the others reach it; told with the next renewal, once.
    pub(crate) fn set_address(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Where the hub that leads can be reached, if that is another and it says so.
    pub(crate) fn leader_address(&self) -> Option<SocketAddr> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let lease = seen.as_ref()?;
        let holder = holder(lease.spec.as_ref()?)?;
        let address = lease.annotations().get(ADDRESS)?.parse().ok()?;
        (holder != self.candidate.identity).then_some(address)
    }

    /// Takes the Lease as soon as nobody else holds it and renews it from then on. Ends when it is
    /// lost: when another holds it, or when it could not be renewed in time.
    pub(crate) async fn campaign(&self) {
        let origin = Instant::now();
        let Times { renew, retry, .. } = self.candidate.times;
        let mut sight = Sight::default();
        loop {
            let asked = Instant::now();
            let turn = self.take_turn(&mut sight, origin);
            // One that hangs leaves time for another before the deadline.
            match timeout(renew / 2, turn).await {
                Ok(Ok(true)) => self.lead_until(asked + renew),
                Ok(Ok(false)) if self.term.has_begun() => {
                    self.term.end();
                    tracing::error!("another hub holds the lease; this one ends");
                    return;
                }
                Ok(Ok(false)) => {}
                // Another was quicker; who that is shows at the next look.
                Ok(Err(kube::Error::Api(status))) if status.code == 409 => self.forget(),
                Ok(Err(error)) => {
                    self.forget();
                    tracing::warn!(error = chain(&error), "the lease cannot be asked for");
                }
                Err(_) => {
                    self.forget();
                    tracing::warn!("the lease was not answered for in time");
                }
            }
            let next = asked + retry;
            sleep_until(self.term.until().map_or(next, |end| end.min(next))).await;
            if self.term.has_begun() && !self.term.runs() {
                tracing::error!("the lease could not be renewed in time; this hub ends");
                return;
            }
        }
    }

    /// Leaves the Lease to whoever looks next, once nothing more is written.
    pub(crate) async fn release(&self) {
        if !self.term.runs() {
            return;
        }
        self.term.end();
        let Some(mut lease) = self.last_seen() else {
            return;
        };
        let sight = Sight::default().again(lease.spec.take(), Duration::ZERO);
        lease.spec = Some(sight.released(self.clock.now()));
        let released = self
            .leases
            .replace(LEASE, &PostParams::default(), &lease)
            .await;
        match released {
            Ok(_) => tracing::info!("the lease is left to others"),
            Err(error) => {
                let seconds = self.candidate.times.lease.as_secs();
                tracing::warn!(
                    error = chain(&error),
                    "the lease could not be left; others take it after {seconds} s"
                );
            }
        }
    }

    /// Whether it holds the Lease after its turn.
    async fn take_turn(&self, sight: &mut Sight, origin: Instant) -> kube::Result<bool> {
        // Whoever holds it knows what stands there, and is told when that is wrong.
        let known = self.last_seen().filter(|_| self.term.runs());
        let lease = match known {
            Some(lease) => Some(lease),
            None => self.leases.get_opt(LEASE).await?,
        };
        // Not when it was asked: it may have been renewed until the answer came.
        let now = origin.elapsed();
        let spec = lease.as_ref().and_then(|lease| lease.spec.clone());
        *sight = std::mem::take(sight).again(spec, now);
        let identity = &self.candidate.identity;
        if sight.turn(identity, now) == Turn::Wait {
            self.remember(lease);
            return Ok(false);
        }
        let held = sight.held_by(identity, self.candidate.times.lease, self.clock.now());
        let held = Lease {
            metadata: self.metadata(lease.map(|lease| lease.metadata)),
            spec: Some(held),
        };
        let terms = PostParams::default();
        let written = if held.metadata.resource_version.is_some() {
            self.leases.replace(LEASE, &terms, &held).await?
        } else {
            self.leases.create(&terms, &held).await?
        };
        *sight = std::mem::take(sight).again(written.spec.clone(), now);
        self.remember(Some(written));
        Ok(true)
    }

    fn metadata(&self, found: Option<ObjectMeta>) -> ObjectMeta {
        let mut metadata = found.unwrap_or_else(|| ObjectMeta {
            name: Some(LEASE.to_owned()),
            ..ObjectMeta::default()
        });
        let annotations = metadata.annotations.get_or_insert_default();
        match self.address.get() {
            Some(address) => annotations.insert(ADDRESS.to_owned(), address.to_string()),
            None => annotations.remove(ADDRESS),
        };
        metadata
    }

    fn lead_until(&self, end: Instant) {
        if !self.term.has_begun() {
            tracing::info!(identity = self.candidate.identity, "this hub leads");
        }
        self.term.extend(end);
    }

    fn last_seen(&self) -> Option<Lease> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    fn remember(&self, lease: Option<Lease>) {
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = lease;
    }

    /// What was known is asked for again: it may be what made a renewal fail.
    fn forget(&self) {
        self.remember(None);
    }
}
