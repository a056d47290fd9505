//! HTTP to requests and answers to HTTP: paths, media types, options. It decides nothing about
//! objects; that is `store`.

pub(crate) mod auth;
mod convert;
mod discovery;
mod objects;
mod openapi;
mod protobuf;
mod query;
mod respond;
mod reviews;
mod route;
mod scale;
mod tables;
mod watch;

use http::{HeaderMap, Response};
use serde_json::json;

use crate::cluster::SimCluster;
use crate::service::SimBody;
use crate::store::Failure;

pub(crate) use respond::{failure, text};
pub(crate) use route::Route;

/// Answers one request.
pub(crate) fn handle(
    cluster: &SimCluster,
    route: &Route,
    headers: &HeaderMap,
    body: &[u8],
    user: &auth::User,
) -> Response<SimBody> {
    let accept = text_of(headers, http::header::ACCEPT);
    let answer = match route {
        Route::Health => Ok(text("ok")),
        Route::Version => Ok(respond::json(200, &version(&cluster.inner.config.version))),
        Route::Discovery { group } => discovery::answer(cluster, group, accept),
        Route::OpenApi { group } => openapi::answer(&cluster.inner.state(), group.as_deref()),
        Route::Unknown => Err(Failure::no_such_page()),
        Route::Resource(resource) => objects::answer(
            cluster,
            resource,
            &objects::Asked {
                headers,
                accept,
                body,
                user,
            },
        ),
    };
    answer.unwrap_or_else(|error| failure(&error))
}

fn text_of(headers: &HeaderMap, name: http::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn version(git: &str) -> serde_json::Value {
    let mut parts = git.trim_start_matches('v').split('.');
    json!({
        "major": parts.next().unwrap_or("1"),
        "minor": parts.next().unwrap_or("34"),
        "gitVersion": git,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": "linux/amd64",
    })
}
