//! One suite of conversations with a Kubernetes API server. It is recorded against the real
//! server and against the simulated one, and the recordings must be equal.
//!
//! A case never judges an answer itself: the real server is the judge. What no server can repeat
//! (uids, times, resource versions, generated names) is replaced by names that keep equality.

mod cases;
mod normal;
mod session;

use std::collections::BTreeMap;

use futures::StreamExt as _;
use kube::Client;

pub use session::Exchange;

use crate::difference::differences;
use cases::cases;
use session::Session;

/// How many cases run at once. Some wait for the server most of the time.
const AT_ONCE: usize = 16;

/// What a server said in each case, by the case's name.
pub type Transcripts = BTreeMap<&'static str, Vec<Exchange>>;

/// A difference that is meant: the case, the beginning of the place, and why.
pub type Known<'a> = (&'a str, &'a str, &'a str);

/// Holds all conversations with a server, several at once. Each works on its own namespaces and
/// can be held once per server.
pub async fn record(client: &Client) -> Transcripts {
    let conversations = cases().into_iter().map(|case| async move {
        let session = Session::new(client.clone());
        (case.run)(&session).await;
        (case.name, session.into_transcript())
    });
    futures::stream::iter(conversations)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

/// Returns where what a server said differs from what the real one said, one line a place, but
/// for those places that are known, and what is known without being so.
pub fn compare(real: &Transcripts, other: &Transcripts, known: &[Known<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut met = vec![false; known.len()];
    for (case, expected) in real {
        let given = other.get(case).map_or(&[][..], Vec::as_slice);
        for place in compare_case(expected, given) {
            let is_known = |(of, start, _): &Known<'_>| of == case && place.starts_with(start);
            match known.iter().position(is_known) {
                Some(index) => met[index] = true,
                None => found.push(format!("{case} {place}")),
            }
        }
    }
    let unmet = known.iter().zip(met).filter(|(_, met)| !met);
    found.extend(unmet.map(|((case, start, _), _)| {
        format!("{case} {start}: known as different, but it is alike; remove the entry")
    }));
    found
}

fn compare_case(real: &[Exchange], other: &[Exchange]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, expected) in real.iter().enumerate() {
        let request = &expected.request;
        let Some(given) = other.get(index) else {
            found.push(format!("{request}: the conversation ended before this"));
            break;
        };
        if given.request != *request {
            found.push(format!("{request}: became {}", given.request));
            break;
        }
        if given.status != expected.status {
            let (status, message) = (expected.status, &given.body["message"]);
            found.push(format!(
                "{request}: status {status} ≠ {} ({message})",
                given.status
            ));
            continue;
        }
        let places = differences(&expected.body, &given.body);
        found.extend(places.iter().map(|place| format!("{request}: {place}")));
    }
    found
}
