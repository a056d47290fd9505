//! Deliveries of any bytes, as each provider's: they are refused, or tell of something.

use argosy::source::webhook::{Headers, WebhookSecrets, parse, parse_pull_request};

/// The headers by which the providers' deliveries are told apart.
const DELIVERIES: [&[(&str, &str)]; 11] = [
    &[("X-GitHub-Event", "push")],
    &[("X-GitHub-Event", "pull_request")],
    &[("X-Gogs-Event", "push")],
    &[("X-Gitlab-Event", "Push Hook")],
    &[("X-Gitlab-Event", "Merge Request Hook")],
    &[("X-Event-Key", "repo:push"), ("X-Hook-UUID", "1")],
    &[("X-Event-Key", "pullrequest:created"), ("X-Hook-UUID", "1")],
    &[("X-Event-Key", "repo:refs_changed")],
    &[("X-Event-Key", "pr:opened")],
    &[("X-Vss-Activityid", "1")],
    &[("X-Unknown", "push")],
];

/// Reads bytes as the body of a delivery of every provider.
pub(super) fn read(bytes: &[u8]) {
    let secrets = WebhookSecrets::default();
    for headers in DELIVERIES {
        let headers = Headers::new(headers.iter().copied());
        if let Err(error) = parse(&headers, bytes, &secrets) {
            assert!((400..500).contains(&error.status()), "{error}");
        }
        parse_pull_request(&headers, bytes, &secrets);
    }
}
