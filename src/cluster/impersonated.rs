//! A client that acts as somebody else.

use http::{HeaderValue, Request};
use kube::Client;
use kube::client::Body;

/// The header that names who is acted as; an API server adds the groups of a service account.
const USER: &str = "impersonate-user";

/// The same client, whose requests are made as `user`.
pub(super) fn impersonated(
    client: Client,
    user: &str,
) -> Result<Client, http::header::InvalidHeaderValue> {
    let namespace = client.default_namespace().to_owned();
    let user = HeaderValue::try_from(user)?;
    let service = tower::service_fn(move |mut request: Request<Body>| {
        request.headers_mut().insert(USER, user.clone());
        let client = client.clone();
        async move { client.send(request).await }
    });
    Ok(Client::new(service, namespace))
}
