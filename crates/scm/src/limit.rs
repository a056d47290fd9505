//! Rate limits, as each provider tells of them.

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

/// How long a provider that refuses without a time is left alone; what GitHub asks for after its
/// secondary limit.
const WITHOUT_A_TIME: SignedDuration = SignedDuration::from_mins(1);

/// The longest wait that a provider may impose: GitHub's window, the longest of all.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Since when a number of seconds must be a point in time; nobody asks to wait thirty years.
const EPOCHAL: i64 = 1_000_000_000;

/// When requests are welcome again, if this answer refuses them for their number.
///
/// A 429 always does. A 403 does where it comes with a time to wait or an empty quota, as GitHub's
/// does, or says so in its body (GitHub's secondary limit). AWS answers 400 with the name of the
/// exception.
pub(crate) fn refused_until(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Option<Timestamp> {
    let says = |text: &str| {
        let body = String::from_utf8_lossy(&body[..body.len().min(4096)]).to_ascii_lowercase();
        body.contains(text)
    };
    let limited = match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::FORBIDDEN => {
            headers.contains_key("retry-after")
                || number(headers, "x-ratelimit-remaining") == Some(0)
                || says("rate limit")
        }
        StatusCode::SERVICE_UNAVAILABLE => headers.contains_key("retry-after"),
        StatusCode::BAD_REQUEST => says("throttlingexception") || says("toomanyrequests"),
        _ => false,
    };
    limited.then(|| until(headers, now).clamp(now, now + LONGEST))
}

fn until(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let told = ["retry-after", "ratelimit-reset", "x-ratelimit-reset"]
        .iter()
        .find_map(|name| number(headers, name));
    let at = told.and_then(|told| {
        if told >= EPOCHAL {
            Timestamp::from_second(told).ok()
        } else {
            now.checked_add(SignedDuration::from_secs(told)).ok()
        }
    });
    at.filter(|at| *at > now).unwrap_or(now + WITHOUT_A_TIME)
}

/// What is left of the quota that an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests that are left in the window.
    pub remaining: i64,
    /// Requests that a window has, if the provider tells.
    pub limit: Option<i64>,
    /// When the window ends, if the provider tells a point in time.
    pub reset: Option<Timestamp>,
}

impl Quota {
    /// Reads the headers of GitHub, Gitea and Azure DevOps (`X-RateLimit-*`) and of GitLab
    /// (`RateLimit-*`).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let either = |name: &str| {
            number(headers, &format!("x-ratelimit-{name}"))
                .or_else(|| number(headers, &format!("ratelimit-{name}")))
        };
        Some(Self {
            remaining: either("remaining")?,
            limit: either("limit"),
            reset: either("reset")
                .filter(|at| *at >= EPOCHAL)
                .and_then(|at| Timestamp::from_second(at).ok()),
        })
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[track_caller]
    fn check(status: u16, headers: &[(&'static str, &str)], body: &str, waits: Option<i64>) {
        let now = Timestamp::from_second(NOW).unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        let until = refused_until(status, &headers, body.as_bytes(), now);
        assert_eq!(until.map(|at| at.as_second() - NOW), waits);
    }

    #[test]
    fn the_provider_says_how_long() {
        check(429, &[("retry-after", "30")], "", Some(30));
        check(403, &[("retry-after", "30")], "", Some(30));
        let reset = (NOW + 600).to_string();
        let empty = ("x-ratelimit-remaining", "0");
        check(403, &[empty, ("x-ratelimit-reset", &reset)], "", Some(600));
        check(429, &[("ratelimit-reset", &reset)], "", Some(600));
        check(503, &[("retry-after", "5")], "", Some(5));
    }

    #[test]
    fn without_a_time_it_is_a_minute_and_never_more_than_an_hour() {
        check(429, &[], "", Some(60));
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        check(403, &[], secondary, Some(60));
        check(400, &[], r#"{"__type": "ThrottlingException"}"#, Some(60));
        check(429, &[("retry-after", "999999")], "", Some(3600));
        let past = (NOW - 5).to_string();
        check(429, &[("x-ratelimit-reset", &past)], "", Some(60));
    }

    #[test]
    fn a_plain_refusal_is_no_rate_limit() {
        check(403, &[("x-ratelimit-remaining", "9")], "{}", None);
        check(200, &[("x-ratelimit-remaining", "0")], "{}", None);
        check(500, &[], "", None);
    }
}
