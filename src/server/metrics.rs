//! The exposition of metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus::core::Collector;

use crate::cluster::ConnectionStatus;
use crate::fleet::{ObjectName, owner_set};
use crate::hub::Hub;
use crate::metrics::{
    ApplicationSetStates, ApplicationStates, ClusterObservation, ClusterStates, GitStates,
    QueueStates, RenderStates,
};

/// Exposes what was counted and what is.
pub(super) async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    match states(&hub).and_then(|states| hub.metrics.expose(states)) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be exposed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the metrics could not be exposed",
            )
                .into_response()
        }
    }
}

fn states(hub: &Hub) -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let mut collectors = applications(hub)?;
    collectors.extend(clusters(hub)?);
    collectors.extend(queues(hub)?);
    let git = GitStates::new()?;
    hub.sources
        .counters()
        .for_each(|kind, repo, count| git.add(kind, repo, count));
    collectors.extend(git.into_collectors());
    collectors.extend(RenderStates::new(hub.applications.render_counts())?.into_collectors());
    Ok(collectors)
}

fn applications(hub: &Hub) -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let (apps, sets): (Vec<_>, Vec<_>) = {
        let index = hub.fleet.index();
        (
            index
                .applications
                .iter()
                .map(|(_, app)| Arc::clone(app))
                .collect(),
            index
                .application_sets
                .iter()
                .map(|(name, set)| (name.clone(), Arc::clone(set)))
                .collect(),
        )
    };
    let states = ApplicationStates::new()?;
    let mut owned: BTreeMap<ObjectName, usize> = BTreeMap::new();
    for app in &apps {
        let server = hub
            .server_of(app)
            .unwrap_or_else(|| app.spec.destination.server.clone());
        states.add(app, &server);
        if let Some(set) = owner_set(app) {
            *owned.entry(set).or_default() += 1;
        }
    }
    let set_states = ApplicationSetStates::new()?;
    for (name, set) in &sets {
        set_states.add(set, owned.get(name).copied().unwrap_or_default());
    }
    let mut collectors = states.into_collectors();
    collectors.extend(set_states.into_collectors());
    Ok(collectors)
}

fn clusters(hub: &Hub) -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let states = ClusterStates::new()?;
    for cluster in hub.clusters.all() {
        let connection = cluster.connection();
        let (objects, resources) = cluster.live.size();
        states.add(&ClusterObservation {
            server: &cluster.config.server,
            name: &cluster.config.name,
            version: connection.version.as_deref().unwrap_or_default(),
            connected: connection.status == ConnectionStatus::Successful,
            objects,
            resources,
        });
    }
    Ok(states.into_collectors())
}

fn queues(hub: &Hub) -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let states = QueueStates::new()?;
    states.add("applicationset", hub.queues.application_sets.depth());
    let depths = hub.queues.application_depths();
    states.add("application", depths.iter().map(|(_, depth)| depth).sum());
    Ok(states.into_collectors())
}
