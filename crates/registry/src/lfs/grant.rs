//! What a git server says over ssh of its large files: the answer of `git-lfs-authenticate`. Pure.

use std::{collections::BTreeMap, fmt};

use argosy_facts::Secret;
use http::header;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::{Headers, place, wanted};
use crate::{Error, exchange::shown};

/// How long before its end a grant is asked for anew: a fetch has to end before it does.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// Where the large files of a repository are, and what to show there and nowhere else.
#[derive(Clone)]
pub struct Grant {
    pub(super) base: Url,
    pub(super) headers: Headers,
    secrets: Vec<Secret>,
    ends: Option<Timestamp>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("base", &shown(&self.base))
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// As git-lfs reads it.
#[derive(Deserialize)]
struct Answer {
    href: Option<String>,
    header: Option<BTreeMap<String, Secret>>,
    /// Seconds.
    expires_in: Option<i64>,
    expires_at: Option<String>,
}

impl Grant {
    /// Reads what the server of the repository at `url` answered to a question that was put at
    /// `asked`. Where the answer names no place, it is `otherwise`.
    ///
    /// Nothing is shown to a place that is not reached over https.
    pub fn read(
        answer: &Secret,
        url: &str,
        otherwise: &str,
        asked: Timestamp,
    ) -> Result<Self, Error> {
        let refuse = |why: String| Error::Malformed {
            url: url.to_owned(),
            why: format!("the answer to git-lfs-authenticate {why}"),
        };
        let answer: Answer = serde_json::from_str(answer.expose()).map_err(|error| {
            refuse(format!(
                "is not of the form that git-lfs knows ({})",
                place(&error)
            ))
        })?;
        let href = answer.href.filter(|href| !href.is_empty());
        let href = href.as_deref().unwrap_or(otherwise);
        let mut base =
            Url::parse(href).map_err(|error| refuse(format!("names no URL: {error}")))?;
        if base.scheme() != "https" || !base.username().is_empty() || base.password().is_some() {
            return Err(refuse(format!(
                "names {}, and large files (git-lfs) are fetched over https and from URLs without a \
                 user alone; have the server name such a one, or register the repository's https URL",
                shown(&base)
            )));
        }
        base.set_query(None);
        base.set_fragment(None);
        let folder = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&folder);
        let headers = answer.header.unwrap_or_default();
        Ok(Self {
            headers: wanted(&headers, &shown(&base))?,
            secrets: headers.values().flat_map(quotable).collect(),
            ends: ends(answer.expires_in, answer.expires_at.as_deref(), asked),
            base,
        })
    }

    /// Whether it can be used at `now` for a while yet. One that does not say how long it lasts
    /// serves the request that it was asked for and no later one.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| now + MARGIN < ends)
    }

    /// Whether it is shown by `Authorization` alone, which no redirect takes to another host.
    pub fn is_authorization(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.all(|name| *name == header::AUTHORIZATION)
    }

    /// A text of somebody else without what is shown.
    pub fn redact(&self, text: String) -> String {
        Secret::redact(&self.secrets, text)
    }
}

/// A header's value, and what stands behind the name of its scheme.
fn quotable(value: &Secret) -> impl Iterator<Item = Secret> {
    let token = value
        .expose()
        .split_once(' ')
        .map(|(_, token)| token.trim());
    let token = token.filter(|token| !token.is_empty()).map(Secret::new);
    [value.clone()].into_iter().chain(token)
}

/// When a grant ends, if that is said: a number of seconds wins over a time. Servers say nothing
/// with zero and with the first moment of year 1, too.
fn ends(seconds: Option<i64>, time: Option<&str>, asked: Timestamp) -> Option<Timestamp> {
    match seconds {
        Some(seconds) if seconds != 0 => asked.checked_add(SignedDuration::from_secs(seconds)).ok(),
        _ => time?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "git@git.example.com:org/app.git";
    const OTHERWISE: &str = "https://git.example.com/org/app.git/info/lfs";

    fn asked() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn read(answer: &str) -> Result<Grant, Error> {
        Grant::read(&Secret::new(answer), URL, OTHERWISE, asked())
    }

    fn after(seconds: i64) -> Timestamp {
        asked() + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn an_answer_says_where_to_go_and_what_to_show_there() {
        let grant = read(
            r#"{"href": "https://lfs.example.com/org/app/", "header": {"Authorization": "Bearer t0ken"},
                "expires_in": 3600, "expires_at": "2026-01-01T00:00:01Z", "more": []}"#,
        );
        let grant = grant.unwrap();
        assert_eq!(grant.base.as_str(), "https://lfs.example.com/org/app/");
        assert_eq!(grant.headers[0].1, "Bearer t0ken");
        assert!(grant.is_authorization());
        assert!(grant.lasts(after(3500)) && !grant.lasts(after(3550)));

        let bare = read("{}").unwrap();
        assert_eq!(bare.base.as_str(), format!("{OTHERWISE}/"));
        assert!(bare.is_authorization() && bare.headers.is_empty());
        assert!(
            !read(r#"{"header": {"X-Token": "t0ken"}}"#)
                .unwrap()
                .is_authorization()
        );
    }

    #[test]
    fn a_grant_is_kept_only_for_as_long_as_it_says() {
        for (answer, lasts) in [
            (r#"{"expires_at": "2026-01-01T01:00:00Z"}"#, true),
            (
                r#"{"expires_at": "2026-01-01T02:00:00+01:00", "expires_in": 0}"#,
                true,
            ),
            (r#"{"expires_at": "0001-01-01T00:00:00Z"}"#, false),
            (r#"{"expires_at": "soon"}"#, false),
            (r#"{"expires_at": null, "header": null}"#, false),
            (r#"{"expires_in": 30}"#, false),
            (
                r#"{"expires_in": -5, "expires_at": "2026-01-01T01:00:00Z"}"#,
                false,
            ),
            (r#"{"expires_in": 9223372036854775807}"#, false),
            ("{}", false),
        ] {
            assert_eq!(read(answer).unwrap().lasts(after(1)), lasts, "{answer}");
        }
    }

    /// GHSA-6w87-g839-9wv7.
    #[test]
    fn what_cannot_be_used_says_so_and_shows_no_secret() {
        for (answer, why) in [
            (r#"{"header": {"Authorization": "s3cret""#, "line 1"),
            (r#"{"header": "s3cret"}"#, "line 1"),
            (r#"{"expires_in": "s3cret"}"#, "line 1"),
            ("Welcome, s3cret", "line 1"),
            (
                r#"{"href": "http://git.example.com/?s3cret"}"#,
                "over https",
            ),
            (
                r#"{"href": "https://ada:s3cret@git.example.com/"}"#,
                "without a user",
            ),
            (r#"{"href": "file:///etc?s3cret"}"#, "over https"),
            (r#"{"href": "-s3cret"}"#, "names no URL"),
            (r#"{"header": {"a b": "s3cret"}}"#, "a name that is none"),
            (
                r#"{"header": {"Authorization": "s3cret\r\nX: y"}}"#,
                "cannot carry",
            ),
        ] {
            let error = read(answer).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let grant = read(r#"{"header": {"Authorization": "Bearer t0ken", "X": "k3y"}}"#).unwrap();
        assert!(!format!("{grant:?}").contains("t0ken"));
        let told = grant.redact("no Bearer t0ken, t0ken or k3y".to_owned());
        assert_eq!(told, "no ***, *** or ***");
    }
}
