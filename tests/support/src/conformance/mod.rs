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

/// Where a server said something else than the real one: a line for each place, beginning with
/// `CASE NUMBER METHOD PATH`.
pub fn compare(real: &Transcripts, other: &Transcripts) -> Vec<String> {
    let mut found = Vec::new();
    for (case, expected) in real {
        let given = other.get(case).map_or(&[][..], Vec::as_slice);
        let places = compare_case(expected, given);
        found.extend(places.iter().map(|place| format!("{case} {place}")));
    }
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
