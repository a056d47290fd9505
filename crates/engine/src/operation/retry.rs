//! Trying a failed operation again, later and later.

use argosy_crds::application::RetryStrategy;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::duration;

/// How often and how soon an operation is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often at most; `None` is without end.
    limit: Option<i64>,
    first: SignedDuration,
    factor: i64,
    /// The longest wait; zero is no bound.
    max: SignedDuration,
}

/// A backoff that says nothing sensible.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("retry.backoff.{field} '{value}' is no duration: {error}")]
pub struct RetryPolicyError {
    field: &'static str,
    value: String,
    error: duration::Error,
}

impl RetryPolicy {
    /// Reads `retry`; what is not set is 5 seconds, doubled each time, up to 3 minutes.
    pub fn read(strategy: Option<&RetryStrategy>) -> Result<Self, RetryPolicyError> {
        let limit = strategy.map_or(0, |strategy| strategy.limit);
        let backoff = strategy.and_then(|strategy| strategy.backoff.as_ref());
        let time = |field, text: Option<&String>, default| match text.map(String::as_str) {
            None | Some("") => Ok(SignedDuration::from_secs(default)),
            Some(text) => seconds(text).map_err(|error| RetryPolicyError {
                field,
                value: text.to_owned(),
                error,
            }),
        };
        Ok(Self {
            limit: (limit >= 0).then_some(limit),
            first: time("duration", backoff.map(|b| &b.duration), 5)?,
            factor: backoff.and_then(|b| b.factor).unwrap_or(2).max(1),
            max: time("maxDuration", backoff.map(|b| &b.max_duration), 180)?,
        })
    }

    /// The wait before retry number `count`, counted from 1.
    pub fn delay(&self, count: i64) -> SignedDuration {
        let exponent = u32::try_from(count.clamp(0, 62)).unwrap_or(62);
        let nanos = i128::from(self.factor)
            .checked_pow(exponent)
            .and_then(|factor| factor.checked_mul(self.first.as_nanos()))
            .and_then(|nanos| i64::try_from(nanos).ok())
            .unwrap_or(i64::MAX);
        let delay = SignedDuration::from_nanos(nanos);
        if self.max.is_zero() {
            delay
        } else {
            delay.min(self.max)
        }
    }
}

/// A duration, or a number of seconds.
fn seconds(text: &str) -> Result<SignedDuration, duration::Error> {
    match text.parse() {
        Ok(seconds) => Ok(SignedDuration::from_secs(seconds)),
        Err(_) => duration::parse(text),
    }
}

/// What becomes of an operation whose attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Which retry it is, counted from 1.
        count: i64,
        /// The operation's message until then.
        message: String,
    },
    /// It is over.
    Over {
        /// The operation's final message.
        message: String,
    },
}

/// Decides whether a failed attempt is tried again; `retries` is how often that happened before.
///
/// The announced time is that of the real wait, which grows from the first retry on.
pub fn after_attempt(
    policy: &RetryPolicy,
    retries: i64,
    message: &str,
    finished_at: Timestamp,
) -> Verdict {
    let left = policy.limit.is_none_or(|limit| retries < limit);
    if !left {
        let message = match retries {
            0 => message.to_owned(),
            retries => format!("{message} (retried {retries} times)."),
        };
        return Verdict::Over { message };
    }
    let count = retries + 1;
    let at = finished_at
        .saturating_add(policy.delay(count))
        .unwrap_or(Timestamp::MAX);
    Verdict::Retry {
        at,
        count,
        message: format!(
            "{message}. Retrying attempt #{count} at {}.",
            at.strftime("%-I:%M%p")
        ),
    }
}

/// Whether an operation has taken longer than it may; a limit of zero is none.
pub fn has_timed_out(started_at: Timestamp, limit: SignedDuration, now: Timestamp) -> bool {
    !limit.is_zero() && now.duration_since(started_at) > limit
}

#[cfg(test)]
mod tests {
    use argosy_crds::application::Backoff;

    use super::*;

    #[test]
    fn waits_grow_up_to_the_limit() {
        let policy = RetryPolicy::read(Some(&RetryStrategy {
            limit: 2,
            backoff: Some(Backoff {
                duration: "10".into(),
                factor: Some(3),
                max_duration: "1m".into(),
            }),
            refresh: false,
        }))
        .unwrap();
        let seconds: Vec<_> = (1..4).map(|n| policy.delay(n).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 60]);
        let now: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        assert!(matches!(
            after_attempt(&policy, 1, "it failed", now),
            Verdict::Retry { count: 2, .. }
        ));
        assert_eq!(
            after_attempt(&policy, 2, "it failed", now),
            Verdict::Over {
                message: "it failed (retried 2 times).".into()
            }
        );
    }

    #[test]
    fn a_manual_sync_is_not_retried_and_a_negative_limit_is_none() {
        let none = RetryPolicy::read(None).unwrap();
        assert!(matches!(
            after_attempt(&none, 0, "x", Timestamp::UNIX_EPOCH),
            Verdict::Over { .. }
        ));
        let endless = RetryPolicy::read(Some(&RetryStrategy {
            limit: -1,
            ..RetryStrategy::default()
        }))
        .unwrap();
        assert!(matches!(
            after_attempt(&endless, 1000, "x", Timestamp::UNIX_EPOCH),
            Verdict::Retry { .. }
        ));
    }
}
