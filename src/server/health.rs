//! Whether the hub lives, and whether it knows enough to work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::hub::Hub;

/// Answers as long as the process does.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Answers once everything in the hub's API server has been listed.
pub(super) async fn ready(State(hub): State<Arc<Hub>>) -> (StatusCode, &'static str) {
    if hub.fleet.index().is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the hub's API server has not been listed yet",
        )
    }
}
