//! What differs between two sides.

use std::collections::BTreeMap;

use argosy_crds::{Application, names};
use argosy_engine::object::ObjectExt as _;
use argosy_engine::secrets;
use argosy_generators::Cluster;
use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;

use super::side::{Name, Planned, Rendered, Side};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// What a comparison knows besides its two sides.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// The clusters, for their names.
    pub(super) clusters: &'a [Cluster],
    /// The annotations of Secrets whose values are not shown.
    pub(super) sensitive_annotations: &'a [String],
}

/// Everything that would change.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// What could not be looked at on both sides alike, and is no change.
    pub(super) notes: Vec<String>,
}

/// What would change of one application.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) application: String,
    pub(super) namespace: String,
    pub(super) cluster: String,
    #[serde(rename = "change")]
    pub(super) kind: Kind,
    pub(super) objects: Vec<ObjectChange>,
    /// What changes besides objects: a move, a source elsewhere, a failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) remarks: Vec<String>,
}

/// What would change of one object.
#[derive(Debug, Serialize)]
pub(super) struct ObjectChange {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) change: Kind,
    /// A unified diff; what is secret is masked.
    pub(super) diff: String,
}

/// How something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Added,
    Removed,
    Changed,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Change {
    /// How many objects change in this way.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.objects
            .iter()
            .filter(|object| object.change == kind)
            .count()
    }
}

/// Compares two sides.
pub(super) fn compare(base: &Side, head: &Side, terms: Terms<'_>) -> Plan {
    let mut plan = Plan::default();
    for problem in base.problems.union(&head.problems) {
        plan.notes.push(
            match (
                base.problems.contains(problem),
                head.problems.contains(problem),
            ) {
                (true, true) => problem.clone(),
                (true, false) => format!("before the change {problem}"),
                _ => format!("with the change {problem}"),
            },
        );
    }
    let names = base.applications.keys().chain(head.applications.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    for name in names {
        let (before, after) = (base.applications.get(name), head.applications.get(name));
        if let Some(change) = application(name, before, after, terms, &mut plan.notes) {
            plan.changes.push(change);
        }
    }
    plan
}

fn application(
    (namespace, name): &Name,
    before: Option<&Planned>,
    after: Option<&Planned>,
    terms: Terms<'_>,
    notes: &mut Vec<String>,
) -> Option<Change> {
    let change = match (before, after) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    };
    let mut remarks = Vec::new();
    let shown = after.or(before)?;
    let cluster = cluster_of(&shown.application, terms.clusters);
    if let (Some(before), Some(after)) = (before, after) {
        let place = |planned: &Planned| {
            let destination = &planned.application.spec.destination;
            format!(
                "{}/{}",
                cluster_of(&planned.application, terms.clusters),
                destination.namespace
            )
        };
        if place(before) != place(after) {
            remarks.push(format!("moves from {} to {}", place(before), place(after)));
        }
    }
    match (failure(before), failure(after)) {
        (Some(before), Some(after)) if before == after => {
            notes.push(format!(
                "the application `{name}` cannot be rendered on either side: {after}"
            ));
            return None;
        }
        (_, Some(after)) => remarks.push(format!("cannot be rendered: {after}")),
        (Some(_), None) => remarks.push("could not be rendered before".to_owned()),
        (None, None) => {}
    }
    remarks.extend(elsewhere(before, after));
    let comparable = failure(before).is_none() && failure(after).is_none();
    let objects = if comparable {
        objects(before, after, terms.sensitive_annotations)
    } else {
        Vec::new()
    };
    let is_same = change == Kind::Changed && objects.is_empty() && remarks.is_empty();
    (!is_same).then(|| Change {
        application: name.clone(),
        namespace: namespace.clone(),
        cluster,
        kind: change,
        objects,
        remarks,
    })
}

fn failure(planned: Option<&Planned>) -> Option<&String> {
    planned?.rendered.as_ref().err()
}

/// What changes of sources that lie elsewhere.
fn elsewhere(before: Option<&Planned>, after: Option<&Planned>) -> Option<String> {
    let sources = |planned: Option<&Planned>| -> Vec<Value> {
        let rendered = planned
            .into_iter()
            .flat_map(|planned| planned.rendered.iter().flatten());
        rendered
            .filter_map(|one| match one {
                Rendered::Elsewhere(source) => serde_json::to_value(source).ok(),
                Rendered::Here(_) => None,
            })
            .collect()
    };
    let (before, after) = (sources(before), sources(after));
    (before != after).then(|| {
        let named: Vec<_> = before
            .iter()
            .chain(&after)
            .filter_map(|source| source["repoURL"].as_str())
            .collect();
        let mut named: Vec<_> = named.into_iter().map(crate::source::shown_url).collect();
        named.dedup();
        format!(
            "a source that lies elsewhere changes and is not rendered: {}",
            named.join(", ")
        )
    })
}

fn objects(
    before: Option<&Planned>,
    after: Option<&Planned>,
    sensitive_annotations: &[String],
) -> Vec<ObjectChange> {
    let (mut before, mut after) = (by_key(before), by_key(after));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let mut changes = Vec::new();
    for key in keys {
        let (mut old, mut new) = (before.remove(&key), after.remove(&key));
        if old == new {
            continue;
        }
        let change = match (&old, &new) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let mut both: Vec<_> = old.iter_mut().chain(new.iter_mut()).collect();
        secrets::mask(&mut both, sensitive_annotations);
        let (group, kind, namespace, name) = key;
        changes.push(ObjectChange {
            diff: diff(old.as_ref(), new.as_ref()),
            group,
            kind,
            namespace,
            name,
            change,
        });
    }
    changes
}

/// Objects by group, kind, namespace and name; of several with one name the last counts.
fn by_key(planned: Option<&Planned>) -> BTreeMap<(String, String, String, String), Value> {
    let mut objects = BTreeMap::new();
    if let Some(planned) = planned {
        let namespace = &planned.application.spec.destination.namespace;
        for object in planned
            .rendered
            .iter()
            .flatten()
            .flat_map(Rendered::manifests)
        {
            let own = object["metadata"]["namespace"].as_str();
            let key = (
                object.group().to_owned(),
                object.kind().to_owned(),
                own.unwrap_or(namespace).to_owned(),
                object["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            );
            objects.insert(key, object.clone());
        }
    }
    objects
}

fn diff(before: Option<&Value>, after: Option<&Value>) -> String {
    let yaml = |object: Option<&Value>| object.map(argosy_yaml::to_string).unwrap_or_default();
    let (before, after) = (yaml(before), yaml(after));
    let diff = TextDiff::from_lines(&before, &after);
    diff.unified_diff().context_radius(CONTEXT).to_string()
}

/// The name of an application's cluster, where it is known, or else its address.
fn cluster_of(application: &Application, clusters: &[Cluster]) -> String {
    let destination = &application.spec.destination;
    if !destination.name.is_empty() {
        return destination.name.clone();
    }
    if destination.server == names::IN_CLUSTER_SERVER {
        return names::IN_CLUSTER_NAME.to_owned();
    }
    let known = clusters
        .iter()
        .find(|cluster| cluster.server == destination.server);
    known.map_or_else(
        || destination.server.clone(),
        |cluster| cluster.name.clone(),
    )
}
