//! What a hub in shadow mode has found, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::controller::application::Report;
use crate::hub::Hub;

/// Tells where the verdicts differ; a hub that writes its own has nothing to tell.
pub(super) async fn report(State(hub): State<Arc<Hub>>) -> Result<Json<Report>, StatusCode> {
    hub.shadow_report().map(Json).ok_or(StatusCode::NOT_FOUND)
}
