//! Healing drift: how long is waited between attempts, and what an attempt is about.

use argosy_crds::application::{Operation, OperationState};
use jiff::{SignedDuration, Timestamp};

use super::{AutoSyncInput, differing};

/// Time between attempts to heal drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHealBackoff {
    /// Before the second attempt.
    pub first: SignedDuration,
    /// How much longer each next wait is.
    pub factor: i32,
    /// The longest wait.
    pub cap: SignedDuration,
}

impl Default for SelfHealBackoff {
    /// Argo CD's: 2 seconds, three times longer each time, up to 5 minutes.
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(2),
            factor: 3,
            cap: SignedDuration::from_mins(5),
        }
    }
}

impl SelfHealBackoff {
    /// The wait before another attempt, after so many; the first goes ahead at once.
    pub fn delay(&self, attempts: i64) -> SignedDuration {
        if attempts <= 0 {
            return SignedDuration::ZERO;
        }
        let mut delay = self.first;
        for _ in 1..attempts {
            if delay >= self.cap {
                break;
            }
            delay = delay.checked_mul(self.factor).unwrap_or(self.cap);
        }
        delay.min(self.cap)
    }
}

/// Half the shortest time after which drift counts as new.
const CALM: SignedDuration = SignedDuration::from_secs(30);

/// How often healing has been tried without lasting. Drift that comes after a quiet time is a new
/// one: whoever changes something by hand now and then is not fighting, and is not made to wait.
fn attempts(input: &AutoSyncInput<'_>, last: &OperationState) -> i64 {
    let sync = last.operation.sync.as_ref();
    let attempts = sync.map_or(0, |sync| sync.auto_heal_attempts_count);
    let calm = input
        .self_heal
        .delay(attempts)
        .max(CALM)
        .checked_mul(2)
        .unwrap_or(CALM);
    match &last.finished_at {
        Some(at) if input.now.duration_since(at.0) > calm => 0,
        _ => attempts,
    }
}

/// Turns the operation into one that heals what differs; the error is when that is due.
pub(super) fn heal(
    input: &AutoSyncInput<'_>,
    last: &OperationState,
    operation: &mut Operation,
) -> Result<(), Timestamp> {
    let attempts = attempts(input, last);
    if let Some(finished_at) = &last.finished_at {
        let due = finished_at
            .0
            .saturating_add(input.self_heal.delay(attempts))
            .unwrap_or(finished_at.0);
        if input.now < due {
            return Err(due);
        }
    }
    if let Some(sync) = &mut operation.sync {
        sync.auto_heal_attempts_count = attempts + 1;
        sync.resources = differing(input.resources);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_between_healing_grow() {
        let waits: Vec<_> = (0..7)
            .map(|n| SelfHealBackoff::default().delay(n).as_secs())
            .collect();
        assert_eq!(waits, [0, 2, 6, 18, 54, 162, 300]);
    }
}
