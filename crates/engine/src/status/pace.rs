//! How often the status of an application may be written: at once as long as that is seldom, and
//! once a second where something goes on changing.

use jiff::{SignedDuration, Timestamp};

/// The time that a write takes up.
const SHARE: SignedDuration = SignedDuration::from_secs(1);

/// How much time the writes of an application may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// When an application's status was written, as far as it matters for the next write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Until when the writes so far have taken up their time.
    taken_until: Option<Timestamp>,
}

impl Pace {
    /// How long the next write has to wait; zero if it is due.
    pub fn wait(self, now: Timestamp) -> SignedDuration {
        let ahead = self.taken_until.unwrap_or(now).duration_since(now);
        if ahead > AHEAD {
            // The clock was set back.
            return SignedDuration::ZERO;
        }
        (ahead + SHARE - AHEAD).max(SignedDuration::ZERO)
    }

    /// Notes that the status was written.
    pub fn written(&mut self, now: Timestamp) {
        let taken = self.taken_until.unwrap_or(now).max(now);
        let taken = if taken.duration_since(now) > AHEAD {
            now
        } else {
            taken
        };
        self.taken_until = Some(taken.saturating_add(SHARE).unwrap_or(taken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_written_once_a_second_and_what_rests_at_once() {
        let mut pace = Pace::default();
        let mut writes = 0;
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).expect("a time");
        for look in 0..6000 {
            let now = at(look * 10);
            if pace.wait(now).is_zero() {
                pace.written(now);
                writes += 1;
            }
        }
        assert_eq!(
            writes,
            10 + 59,
            "ten at once, and then one a second for a minute"
        );
        assert!(pace.wait(at(60_000)) <= SHARE);
        assert!(pace.wait(at(200_000)).is_zero());
        assert!(pace.wait(at(0)).is_zero(), "the clock was set back");
        pace.written(at(0));
        assert!(pace.wait(at(0)).is_zero());
    }
}
