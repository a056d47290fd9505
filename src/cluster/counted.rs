//! A client whose requests are counted.

use std::sync::Arc;

use http::Request;
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;

use crate::metrics::Requests;

/// The same client, whose requests are counted in what `requests` finds.
pub(crate) fn counted<M: Send + Sync + 'static>(
    client: Client,
    metrics: Arc<M>,
    requests: fn(&M) -> &Requests,
) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, metrics) = (client.clone(), Arc::clone(&metrics));
        async move {
            let method = request.method().clone();
            // kube's client says what it does; what it sends besides is named by its method.
            let verb = request.extensions().get::<&'static str>().copied();
            let began = Instant::now();
            let answer = client.send(request).await;
            let code = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            let lower = method.as_str().to_ascii_lowercase();
            requests(&metrics).count(
                method.as_str(),
                verb.unwrap_or(&lower),
                code,
                began.elapsed(),
            );
            answer
        }
    });
    Client::new(service, namespace)
}
