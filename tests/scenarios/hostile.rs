//! What the fuzz target for webhooks tries, with deliveries of the providers that were changed.

#[path = "../../fuzz/mutation.rs"]
mod mutation;
#[path = "../../fuzz/src/webhooks.rs"]
mod webhooks;

use mutation::mutated;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fleet::Fleet;

/// The bodies of deliveries as providers send them.
fn seeds() -> Vec<Value> {
    let rows = include_str!("../cases/webhook/public.jsonl").lines();
    let body = |row: &str| {
        let row: Value = serde_json::from_str(row).unwrap();
        serde_json::from_str(row["input"]["body"].as_str().unwrap()).ok()
    };
    rows.filter_map(body).collect()
}

/// What stands where something else is expected.
fn oddities() -> impl Strategy<Value = Value> {
    let deep = (0..100).fold(json!({}), |inner, _| json!([inner]));
    prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!([null])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("\u{0}://[::/%zz?ref=refs/heads/\u{fffd}")),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(deep),
        any::<String>().prop_map(Value::from),
    ]
}

/// Puts a value in the place of the one that is `at` by order among all of `value`.
fn replaced(value: &mut Value, at: &mut usize, by: &Value) {
    if *at == 0 {
        value.clone_from(by);
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replaced(item, at, by)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| replaced(field, at, by)),
        _ => {}
    }
}

/// CVE-2024-40634: nobody waits for what is too large, or keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_too_large_is_refused_before_it_is_read() {
    let fleet = Fleet::start(&[]).await;
    let address = fleet.serve().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /api/webhook HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\
        X-GitHub-Event: push\r\nContent-Length: 60000000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// A payload of another shape ends no hub: CVE-2025-59531, CVE-2025-59537, CVE-2025-59538.
#[test]
fn any_delivery_is_read_or_refused() {
    let seeds = seeds();
    let changes = vec(any::<(u8, u16, u8)>(), 0..4);
    let inputs = (
        any::<Index>(),
        vec((0_usize..60, oddities()), 0..4),
        changes,
    );
    proptest!(ProptestConfig::with_cases(400), |((seed, odd, changes) in inputs)| {
        let mut body = seed.get(&seeds).clone();
        for (mut at, by) in odd {
            replaced(&mut body, &mut at, &by);
        }
        webhooks::read(&mutated(body.to_string().as_bytes(), &changes));
    });
}
