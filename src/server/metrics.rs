//! The exposition of metrics.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use argosy_crds::codes::condition;
use argosy_crds::{Application, ApplicationSet};
use argosy_engine::application::resolve;
use argosy_engine::graph::{AppKey, Graph, Unmet};
use axum::extract::State;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cluster::{Cluster, ConnectionStatus};
use crate::fleet::{ObjectName, owner_set};
use crate::hub::Hub;
use crate::metrics::{
    ApplicationObservation, ApplicationSetStates, ApplicationStates, ClusterObservation,
    ClusterStates, GitStates, Momentary, QueueLoad, QueueStates, RegistryStates, RenderStates,
    ShadowStates, SyncWindowStates,
};

/// Exposes what was counted and what is, zipped for whoever takes that: of a large fleet it is
/// megabytes, which hold up no other task.
pub(super) async fn metrics(State(hub): State<Arc<Hub>>, asked: HeaderMap) -> Response {
    let zipped = takes_gzip(&asked);
    let of = Arc::clone(&hub);
    let exposed = hub.blocking.run(move || exposition(&of, zipped)).await;
    let failed = match exposed {
        Ok(Ok(body)) => return answer(body, zipped),
        Ok(Err(error)) => error,
        Err(error) => error.into(),
    };
    tracing::error!(error = %failed, "the metrics could not be exposed");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "the metrics could not be exposed",
    )
        .into_response()
}

fn answer(body: Vec<u8>, zipped: bool) -> Response {
    let kind = (CONTENT_TYPE, prometheus::TEXT_FORMAT);
    let varies = (VARY, "accept-encoding");
    if zipped {
        ([kind, varies, (CONTENT_ENCODING, "gzip")], body).into_response()
    } else {
        ([kind, varies], body).into_response()
    }
}

/// Whether the answer may be zipped, as Prometheus asks for it.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(ACCEPT_ENCODING).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim() == "gzip" && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

fn exposition(hub: &Hub, zipped: bool) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let text = hub.metrics.expose(states(hub))?;
    if !zipped {
        return Ok(text.into_bytes());
    }
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(text.as_bytes())?;
    Ok(zip.finish()?)
}

fn states(hub: &Hub) -> Vec<Momentary> {
    tell_of_index(hub);
    // A hub that stands by would tell everything a second time.
    if !hub.leads() {
        return Vec::new();
    }
    let known = known_applications(hub);
    let mut families = applications(hub, &known);
    families.extend(application_sets(hub, &known));
    families.extend(sync_windows(hub));
    families.extend(clusters(hub));
    families.extend(queues(hub));
    families.extend(sources(hub));
    let mut renders = RenderStates::new(hub.applications.render_counts());
    renders.add_cache("renders", hub.applications.render_bytes());
    renders.add_cache("charts", hub.charts.unpacked_bytes());
    renders.count_revisions(hub.fleet.graph().moves());
    families.extend(renders.into_families());
    if let Some(report) = hub.shadow_report() {
        families.extend(ShadowStates::new(&report).into_families());
    }
    families
}

/// Says whether the index is complete, and drops the series of what it no longer has.
fn tell_of_index(hub: &Hub) {
    let index = hub.fleet.index();
    let metrics = &hub.metrics;
    metrics.hub.set_ready(index.is_ready());
    metrics.hub.set_leads(hub.leads());
    let malformed = [
        ("Application", index.applications.malformed().count()),
        ("ApplicationSet", index.application_sets.malformed().count()),
        ("AppProject", index.projects.malformed().count()),
        ("Secret", hub.repositories().unreadable()),
    ];
    for (kind, objects) in malformed {
        metrics.hub.set_malformed(kind, objects);
    }
    let name = |namespace: &str, name: &str| ObjectName::new(namespace, name);
    metrics
        .applications
        .drop_gone(|ns, app| index.applications.get(&name(ns, app)).is_some());
    metrics
        .application_sets
        .drop_gone(|ns, set| index.application_sets.get(&name(ns, set)).is_some());
}

/// What the index has, without its lock.
fn known_applications(hub: &Hub) -> Vec<(ObjectName, Arc<Application>)> {
    let index = hub.fleet.index();
    let applications = index.applications.iter();
    applications
        .map(|(name, app)| (name.clone(), Arc::clone(app)))
        .collect()
}

fn applications(hub: &Hub, applications: &[(ObjectName, Arc<Application>)]) -> Vec<Momentary> {
    let mut states = ApplicationStates::new(&hub.config.metrics);
    let remarks = hub
        .applications
        .remarks(applications.iter().map(|(name, _)| name));
    let (now, clusters) = (hub.clock.now(), hub.known_clusters());
    let waits_for = waits_for(&hub.fleet.graph(), applications);
    for ((name, application), remarks) in applications.iter().zip(remarks) {
        let destination = &application.spec.destination;
        let cluster = resolve(destination, &clusters);
        states.add(&ApplicationObservation {
            application,
            server: cluster.map_or(&destination.server, |known| &known.server),
            out_of_sync_since: remarks.out_of_sync_since,
            orphans: remarks.orphans,
            awaits_confirmation: remarks.awaits_confirmation,
            waits_for: waits_for.get(name).map_or(&[], Vec::as_slice),
            now,
        });
    }
    states.into_families()
}

/// Whom each application waits for that says that it waits.
fn waits_for(
    graph: &Graph,
    applications: &[(ObjectName, Arc<Application>)],
) -> BTreeMap<ObjectName, Vec<String>> {
    let says_so = |application: &Application| {
        let mut told = application.status.iter().flat_map(|one| &one.conditions);
        told.any(|one| one.type_ == condition::WAITING)
    };
    let waiting = applications.iter().filter(|(_, app)| says_so(app));
    let named = waiting.map(|(name, _)| {
        let unmet = graph.unmet(&AppKey::new(&name.namespace, &name.name));
        let for_whom = unmet.into_iter().map(|unmet| match unmet {
            Unmet::NotReady { app, .. } => app.to_string(),
            Unmet::Missing(reference) => reference.to_string(),
        });
        (name.clone(), for_whom.collect())
    });
    named.collect()
}

fn application_sets(hub: &Hub, applications: &[(ObjectName, Arc<Application>)]) -> Vec<Momentary> {
    let sets: Vec<(ObjectName, Arc<ApplicationSet>)> = {
        let index = hub.fleet.index();
        let sets = index.application_sets.iter();
        sets.map(|(name, set)| (name.clone(), Arc::clone(set)))
            .collect()
    };
    let mut owned: BTreeMap<ObjectName, usize> = BTreeMap::new();
    for (_, application) in applications {
        if let Some(set) = owner_set(application) {
            *owned.entry(set).or_default() += 1;
        }
    }
    let mut states = ApplicationSetStates::new(&hub.config.metrics);
    for (name, set) in &sets {
        states.add(set, owned.get(name).copied().unwrap_or_default());
    }
    states.into_families()
}

fn sync_windows(hub: &Hub) -> Vec<Momentary> {
    let mut states = SyncWindowStates::default();
    let projects: Vec<_> = {
        let index = hub.fleet.index();
        let projects = index.projects.iter();
        projects.map(|(_, project)| Arc::clone(project)).collect()
    };
    let now = hub.clock.now();
    for project in projects {
        states.add(&project, now);
    }
    states.into_families()
}

fn clusters(hub: &Hub) -> Vec<Momentary> {
    let mut states = ClusterStates::new(&hub.config.metrics);
    let loads = hub.queues.application_loads();
    let mut families = Vec::new();
    for cluster in hub.clusters.all() {
        let load = loads.get(&cluster.config.server).copied();
        add_cluster(hub, &mut states, &cluster, load.unwrap_or_default());
        families.extend(cluster.metrics.collectors().map(Momentary::from));
    }
    families.extend(states.into_families());
    families
}

fn add_cluster(hub: &Hub, states: &mut ClusterStates, cluster: &Cluster, load: QueueLoad) {
    let connection = cluster.connection();
    let (objects, resources) = cluster.live.size();
    let silence = connection.last_contact.map(|at| {
        let silence = hub.clock.now().duration_since(at);
        silence.try_into().unwrap_or_default()
    });
    states.add(&ClusterObservation {
        server: &cluster.config.server,
        name: &cluster.config.name,
        labels: &cluster.config.labels,
        version: connection.version.as_deref().unwrap_or_default(),
        connected: connection.status == ConnectionStatus::Successful,
        silence,
        objects,
        resources,
        watches: cluster.live.watches(),
        waiting: load.waiting,
        credentials_expire: cluster.config.credentials.expire(),
    });
}

fn queues(hub: &Hub) -> Vec<Momentary> {
    let mut states = QueueStates::default();
    let of_sets = hub.queues.application_sets.load();
    let loads = hub.queues.application_loads().into_values();
    let of_applications = loads.fold(QueueLoad::default(), QueueLoad::with);
    let metrics = &hub.metrics;
    states.add(metrics.application_set_queue.name(), of_sets);
    states.add(metrics.application_queue.name(), of_applications);
    states.into_families()
}

fn sources(hub: &Hub) -> Vec<Momentary> {
    let mut git = GitStates::default();
    hub.sources
        .counters()
        .for_each(|kind, repo, count| git.add(kind, repo, count));
    hub.sources
        .for_each_waiting(|repo, waiting| git.add_pending(repo, waiting));
    if let Some(disk) = hub.sources.disk_use() {
        git.set_disk_use(disk);
    }
    let mut registries = RegistryStates::default();
    hub.charts
        .counters()
        .for_each(|kind, repo, count| registries.add(kind, repo, count));
    let mut families = git.into_families();
    families.extend(registries.into_families());
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_gzip_gets_it() {
        for (asked, takes) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("gzip;q=0, identity", false),
            ("identity", false),
        ] {
            let value = asked.parse().expect("a header");
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value)]);
            assert_eq!(takes_gzip(&headers), takes, "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
