//! What the hub serves over HTTP: health, metrics, webhooks, and what a shadow found.

mod hand_on;
mod health;
mod metrics;
mod payload;
mod shadow;
mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use self::payload::Room;
use crate::diagnostic::Diagnostic;
use crate::hub::Hub;

/// Listens, and serves until the hub stops. Returns the address, whose port is chosen by the
/// system where the configuration asks for port 0.
pub async fn serve(hub: &Arc<Hub>) -> Result<SocketAddr, Diagnostic> {
    let wanted = hub.config.listen;
    let listener = TcpListener::bind(wanted).await.map_err(|error| {
        Diagnostic::config("ListenFailed", format!("cannot listen on {wanted}"))
            .because(&error)
            .fix("is another hub running? choose another address with --listen")
    })?;
    let address = listener.local_addr().map_err(|error| {
        Diagnostic::config("ListenFailed", format!("cannot listen on {wanted}")).because(&error)
    })?;
    let router = router(Arc::clone(hub));
    let stopped = hub.stopped();
    hub.spawn_to_the_end(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
        if let Err(error) = serving.await {
            tracing::error!(%error, "the HTTP server ended");
        }
    });
    Ok(address)
}

fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/api/shadow", get(shadow::report))
        .route(
            "/api/webhook",
            post(webhook::webhook).with_state((Arc::clone(&hub), Room::default())),
        )
        .with_state(hub)
}
