//! Who of several hubs may write: a Kubernetes Lease, by the rules of client-go's leader election.
//!
//! No candidate trusts another machine's clock. A lease has run out once it was seen unchanged for as
//! long as it was given for, by the clock of whoever looks.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// What a candidate has seen of the lease.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    lease: LeaseSpec,
    since: Duration,
}

/// What a candidate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It holds the lease, and says so again.
    Renew,
    /// Nobody holds it any more.
    Take,
    /// Somebody else holds it.
    Wait,
}

impl Sight {
    /// The lease as it is seen `now`, on a clock that only goes forward; its time runs from when it was
    /// first seen as it is. One that somebody deleted runs on: its holder does not know yet.
    #[must_use]
    pub fn again(self, lease: Option<LeaseSpec>, now: Duration) -> Self {
        match lease {
            Some(lease) if lease != self.lease => Self { lease, since: now },
            Some(_) | None => self,
        }
    }

    /// What `candidate` does `now`.
    pub fn turn(&self, candidate: &str, now: Duration) -> Turn {
        let given = self.lease.lease_duration_seconds.unwrap_or_default();
        let given = Duration::from_secs(u64::try_from(given).unwrap_or_default());
        match holder(&self.lease) {
            Some(holder) if holder == candidate => Turn::Renew,
            Some(_) if now < self.since + given => Turn::Wait,
            Some(_) | None => Turn::Take,
        }
    }

    /// The lease as `candidate` writes it to hold it for `duration`, whole seconds.
    pub fn held_by(&self, candidate: &str, duration: Duration, now: Timestamp) -> LeaseSpec {
        let is_new = holder(&self.lease) != Some(candidate);
        let transitions = self.lease.lease_transitions.unwrap_or_default();
        let was_ever_held = self.lease.acquire_time.is_some();
        LeaseSpec {
            holder_identity: Some(candidate.to_owned()),
            lease_duration_seconds: i32::try_from(duration.as_secs()).ok(),
            acquire_time: if is_new {
                Some(MicroTime(now))
            } else {
                self.lease.acquire_time.clone()
            },
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(transitions + i32::from(is_new && was_ever_held)),
            ..self.lease.clone()
        }
    }

    /// The lease as its holder leaves it: whoever looks next may take it.
    pub fn released(&self, now: Timestamp) -> LeaseSpec {
        LeaseSpec {
            holder_identity: None,
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(now)),
            ..self.lease.clone()
        }
    }
}

/// Who holds a lease; what stands there for nobody is nobody.
pub fn holder(lease: &LeaseSpec) -> Option<&str> {
    let holder = lease.holder_identity.as_deref();
    holder.filter(|holder| !holder.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIFTEEN: Duration = Duration::from_secs(15);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn time(seconds: u64) -> Timestamp {
        Timestamp::from_second(seconds.try_into().unwrap()).unwrap()
    }

    fn held(by: &str, since: u64) -> Sight {
        let lease = Sight::default().held_by(by, FIFTEEN, time(since));
        Sight::default().again(Some(lease), at(since))
    }

    #[test]
    fn a_lease_that_nobody_holds_is_taken() {
        assert_eq!(Sight::default().turn("a", at(0)), Turn::Take);
        let left = held("b", 0).released(time(3));
        let sight = held("b", 0).again(Some(left), at(3));
        assert_eq!(sight.turn("a", at(3)), Turn::Take);
    }

    #[test]
    fn the_lease_of_another_is_taken_once_it_stood_still_for_its_time() {
        let sight = held("b", 10);
        assert_eq!(sight.turn("a", at(24)), Turn::Wait);
        assert_eq!(sight.turn("a", at(25)), Turn::Take);
        let renewed = sight.held_by("b", FIFTEEN, time(24));
        let sight = sight.again(Some(renewed.clone()), at(24));
        let sight = sight.again(Some(renewed), at(38));
        assert_eq!(sight.turn("a", at(38)), Turn::Wait);
        assert_eq!(sight.turn("a", at(39)), Turn::Take);
    }

    #[test]
    fn a_lease_that_somebody_deletes_runs_on() {
        let sight = held("b", 10).again(None, at(12));
        assert_eq!(sight.turn("a", at(24)), Turn::Wait);
        assert_eq!(sight.turn("a", at(25)), Turn::Take);
    }

    #[test]
    fn a_clock_that_is_wrong_elsewhere_changes_nothing() {
        let lease = Sight::default().held_by("b", FIFTEEN, time(4_000_000_000));
        let sight = Sight::default().again(Some(lease), at(10));
        assert_eq!(sight.turn("a", at(24)), Turn::Wait);
        assert_eq!(sight.turn("a", at(25)), Turn::Take);
    }

    #[test]
    fn a_change_of_hands_is_counted_and_a_renewal_is_none() {
        let first = held("a", 1);
        assert_eq!(first.lease.lease_transitions, Some(0));
        let renewed = first.held_by("a", FIFTEEN, time(5));
        assert_eq!(renewed.acquire_time, first.lease.acquire_time);
        assert_ne!(renewed.renew_time, first.lease.renew_time);
        let taken = first.held_by("b", FIFTEEN, time(20));
        assert_eq!(taken.lease_transitions, Some(1));
        assert_eq!(taken.acquire_time, Some(MicroTime(time(20))));
    }

    proptest! {
        /// Whatever two candidates see and when: while one of them writes within its time, the other
        /// waits.
        #[test]
        fn nobody_takes_what_is_renewed_in_time(steps in prop::collection::vec(1_u64..15, 1..50)) {
            let mut seen = held("a", 0);
            let mut now = 0;
            for step in steps {
                now += step;
                prop_assert_eq!(seen.turn("b", at(now)), Turn::Wait);
                prop_assert_eq!(seen.turn("a", at(now)), Turn::Renew);
                let renewed = seen.held_by("a", FIFTEEN, time(now));
                seen = seen.again(Some(renewed), at(now));
            }
        }
    }
}
