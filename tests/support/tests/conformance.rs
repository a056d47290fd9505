//! The conformance suite on the real server: two servers give the same answers, so that what the
//! simulated server is compared with is what the server does and not what it happened to do.

use argosy_test_support::ControlPlane;
use argosy_test_support::conformance::{compare, record};

#[tokio::test]
async fn the_real_server_answers_alike_twice() {
    let control_plane = ControlPlane::shared(2).await;
    let first = record(&control_plane.client(0)).await;
    let second = record(&control_plane.client(1)).await;
    if std::env::var_os("ARGOSY_PRINT_CONFORMANCE").is_some() {
        for (case, exchanges) in &first {
            for exchange in exchanges {
                println!(
                    "{case} {} → {} {}",
                    exchange.request, exchange.status, exchange.body
                );
            }
        }
    }
    let found = compare(&first, &second);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
