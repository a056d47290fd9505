//! A client that asks before it changes anything, whoever uses it.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::json;

/// Says whether a request that is no read may be sent now, and is ready when it may be under way no
/// longer; the error is what its sender is told.
pub(crate) type MayWrite =
    Arc<dyn Fn() -> Result<BoxFuture<'static, &'static str>, &'static str> + Send + Sync>;

/// The same client, which asks `may_write` before every request but reads, and answers itself what is
/// not to be sent, or not to be tried again. A dry run is no read: it needs the rights of a write.
pub(crate) fn guarded(client: Client, may_write: &MayWrite) -> Client {
    let namespace = client.default_namespace().to_owned();
    let may_write = Arc::clone(may_write);
    let service = tower::service_fn(move |request: Request<Body>| {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let permitted = (!is_read).then(|| may_write());
        let client = client.clone();
        async move {
            match permitted {
                None => client.send(request).await,
                Some(Ok(over)) => tokio::select! {
                    biased;
                    why = over => Ok(refusal(why)),
                    answer = client.send(request) => answer,
                },
                Some(Err(why)) => Ok(refusal(why)),
            }
        }
    });
    Client::new(service, namespace)
}

/// What an API server answers to whoever may not write.
fn refusal(why: &str) -> Response<Body> {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": why,
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
        let may_write: MayWrite = Arc::new(|| Err("nobody may"));
        let client = guarded(Client::new(service, "default"), &may_write);
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
    }
}
