//! What the answers of a gate mean.

use jiff::{SignedDuration, Timestamp};

use super::Gate;

/// How soon a gate that is closed is asked again; doubles up to [`SLOWEST`].
const FIRST: SignedDuration = SignedDuration::from_secs(2);
const SLOWEST: SignedDuration = SignedDuration::from_mins(1);

/// How much of a gate's words is repeated.
const WORDS: usize = 200;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Status {
        /// The HTTP status.
        code: u16,
        /// `Retry-After`.
        retry_after: Option<SignedDuration>,
        /// The beginning of the body.
        text: String,
    },
    /// None.
    Nothing {
        /// Why.
        why: String,
    },
}

/// What an answer means for the sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The gate is open.
    Open,
    /// It will not open: the sync fails.
    Refused {
        /// In whose words.
        reason: String,
    },
    /// It is closed: the sync waits.
    Closed {
        /// In whose words.
        reason: String,
        /// When it is asked again.
        again: Timestamp,
    },
}

/// Judges an answer that came at `now` to the question that was the `asked`-th, counted from one,
/// of a gate that was asked first at `since`.
///
/// 2xx opens it, but for 202, which means that nobody knows yet. Other answers of the client's fault
/// are final, 408, 425 and 429 excepted, and so is a redirect. Everything else is asked again, until
/// the gate's time is over.
pub fn judge(
    gate: &Gate,
    answer: &Answer,
    (since, asked): (Timestamp, u32),
    now: Timestamp,
) -> Verdict {
    let (code, retry_after) = match answer {
        Answer::Status {
            code, retry_after, ..
        } => (*code, *retry_after),
        Answer::Nothing { .. } => (0, None),
    };
    match code {
        202 | 408 | 425 | 429 => {}
        200..=299 => return Verdict::Open,
        300..=399 => {
            let reason = format!("it answered {code}, and redirects are not followed");
            return Verdict::Refused { reason };
        }
        400..=499 => {
            let reason = told(answer);
            return Verdict::Refused { reason };
        }
        _ => {}
    }
    let end = after(since, gate.timeout);
    if now >= end {
        let reason = format!(
            "it did not open within {:#}: {}",
            gate.timeout,
            told(answer)
        );
        return Verdict::Refused { reason };
    }
    let wait = retry_after.unwrap_or_else(|| pause(asked)).max(FIRST);
    Verdict::Closed {
        reason: told(answer),
        again: after(now, wait).min(end),
    }
}

fn pause(asked: u32) -> SignedDuration {
    let doubled = 1_i32.checked_shl(asked.saturating_sub(1)).unwrap_or(0);
    let pause = FIRST.checked_mul(doubled).unwrap_or(SLOWEST);
    if doubled <= 0 {
        SLOWEST
    } else {
        pause.min(SLOWEST)
    }
}

fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Nothing { why } => format!("no answer: {why}"),
        Answer::Status { code, text, .. } => {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            let words: String = line
                .unwrap_or_default()
                .chars()
                .filter(|one| !one.is_control())
                .take(WORDS)
                .collect();
            if words.is_empty() {
                format!("it answered {code}")
            } else {
                format!("it answered {code}: {words}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use argosy_crds::application::GateStage;

    use super::*;

    fn gate() -> Gate {
        Gate {
            name: "freeze".to_owned(),
            stage: GateStage::Before,
            url: "https://gates.example.com".parse().unwrap(),
            timeout: SignedDuration::from_mins(10),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn status(code: u16, text: &str) -> Answer {
        Answer::Status {
            code,
            retry_after: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn it_opens_refuses_or_stays_closed_as_its_status_says() {
        let judged = |code| {
            judge(
                &gate(),
                &status(code, "frozen\nfor days"),
                (at(0), 1),
                at(1),
            )
        };
        assert_eq!(judged(200), Verdict::Open);
        assert_eq!(judged(204), Verdict::Open);
        for code in [400, 403, 409, 423] {
            let reason = format!("it answered {code}: frozen");
            assert_eq!(judged(code), Verdict::Refused { reason });
        }
        assert!(matches!(judged(302), Verdict::Refused { .. }));
        for code in [202, 408, 425, 429, 500, 503] {
            let reason = format!("it answered {code}: frozen");
            let again = at(3);
            assert_eq!(judged(code), Verdict::Closed { reason, again });
        }
    }

    #[test]
    fn it_is_asked_ever_more_seldom_and_last_when_its_time_is_over() {
        let nothing = Answer::Nothing {
            why: "connection refused".to_owned(),
        };
        let again = |asked, now| match judge(&gate(), &nothing, (at(0), asked), at(now)) {
            Verdict::Closed { again, .. } => again.as_second() - now,
            other => panic!("{other:?}"),
        };
        let waits: Vec<_> = [1, 2, 3, 6, 40].map(|asked| again(asked, 10)).to_vec();
        assert_eq!(waits, [2, 4, 8, 60, 60]);
        assert_eq!(again(40, 590), 10);
        let end = judge(&gate(), &nothing, (at(0), 9), at(600));
        let reason = "it did not open within 10m: no answer: connection refused".to_owned();
        assert_eq!(end, Verdict::Refused { reason });
    }

    #[test]
    fn a_gate_says_itself_when_to_come_back() {
        let later = Answer::Status {
            code: 503,
            retry_after: Some(SignedDuration::from_secs(120)),
            text: String::new(),
        };
        let reason = "it answered 503".to_owned();
        let again = at(121);
        let judged = judge(&gate(), &later, (at(0), 1), at(1));
        assert_eq!(judged, Verdict::Closed { reason, again });
    }
}
