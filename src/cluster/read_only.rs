//! A client that can change nothing, whoever uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::json;

/// How many requests were refused because they would have changed something, or might have.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<AtomicU64>);

impl Refusals {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The same client, which refuses every request but reads before it is sent. A dry run is no read:
/// it needs the rights of a write.
pub(crate) fn read_only(client: Client, refusals: &Refusals) -> Client {
    let namespace = client.default_namespace().to_owned();
    let refusals = refusals.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, refusals) = (client.clone(), refusals.clone());
        async move {
            if matches!(*request.method(), Method::GET | Method::HEAD) {
                return client.send(request).await;
            }
            refusals.add();
            Ok(refusal())
        }
    });
    Client::new(service, namespace)
}

/// What an API server answers to whoever may not write.
fn refusal() -> Response<Body> {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "a hub in shadow mode writes nothing",
    });
    let mut response = Response::new(Body::from(status.to_string().into_bytes()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn nothing_but_reads_gets_through() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let service = tower::service_fn({
            let seen = Arc::clone(&seen);
            move |request: Request<Body>| {
                seen.lock().unwrap().push(request.method().clone());
                async move { Ok::<_, kube::Error>(Response::new(Body::from(b"{}".to_vec()))) }
            }
        });
        let refusals = Refusals::default();
        let client = read_only(Client::new(service, "default"), &refusals);
        let methods = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::CONNECT,
            Method::OPTIONS,
        ];
        for method in methods {
            let request = Request::builder().method(method).uri("/api?dryRun=All");
            let request = request.body(Body::from(Vec::new())).unwrap();
            let answer = client.send(request).await.unwrap();
            assert!([200, 403].contains(&answer.status().as_u16()));
        }
        assert_eq!(*seen.lock().unwrap(), [Method::GET, Method::HEAD]);
        assert_eq!(refusals.count(), 6);
    }
}
