//! What `kubectl get` prints of each kind.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::jsonpath;
use crate::registry::Kind;
use crate::store::{at, get_text};

/// `Kind`, then its columns between name and age; a column is `TITLE=path`, or `TITLE@name` for
/// what is computed.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "Pod",
        &["Ready@pod-ready", "Status@pod-status", "Restarts@restarts"],
    ),
    (
        "Deployment",
        &[
            "Ready@ready",
            "Up-to-date=.status.updatedReplicas#",
            "Available=.status.availableReplicas#",
        ],
    ),
    ("StatefulSet", &["Ready@ready"]),
    (
        "ReplicaSet",
        &[
            "Desired=.spec.replicas#",
            "Current=.status.replicas#",
            "Ready=.status.readyReplicas#",
        ],
    ),
    (
        "DaemonSet",
        &[
            "Desired=.status.desiredNumberScheduled#",
            "Current=.status.currentNumberScheduled#",
            "Ready=.status.numberReady#",
            "Up-to-date=.status.updatedNumberScheduled#",
            "Available=.status.numberAvailable#",
            "Node Selector@node-selector",
        ],
    ),
    (
        "Job",
        &[
            "Status@job-status",
            "Completions@completions",
            "Duration@job-duration",
        ],
    ),
    (
        "CronJob",
        &[
            "Schedule=.spec.schedule",
            "Timezone=.spec.timeZone",
            "Suspend@suspend",
            "Active@active",
            "Last Schedule@last-schedule",
        ],
    ),
    (
        "Service",
        &[
            "Type=.spec.type",
            "Cluster-IP=.spec.clusterIP",
            "External-IP@external",
            "Port(s)@ports",
        ],
    ),
    (
        "Ingress",
        &[
            "Class=.spec.ingressClassName",
            "Hosts@hosts",
            "Address@external",
            "Ports@ingress-ports",
        ],
    ),
    ("ConfigMap", &["Data@data"]),
    ("Secret", &["Type=.type", "Data@data"]),
    ("Namespace", &["Status=.status.phase"]),
    (
        "Node",
        &[
            "Status@node-status",
            "Roles@none",
            "Version=.status.nodeInfo.kubeletVersion",
        ],
    ),
    ("ServiceAccount", &["Secrets@secrets"]),
    (
        "PersistentVolumeClaim",
        &[
            "Status=.status.phase",
            "Volume=.spec.volumeName",
            "Capacity=.status.capacity.storage",
            "Access Modes@modes",
            "StorageClass=.spec.storageClassName",
        ],
    ),
    (
        "HorizontalPodAutoscaler",
        &[
            "Reference@reference",
            "Targets@none",
            "MinPods=.spec.minReplicas#",
            "MaxPods=.spec.maxReplicas#",
            "Replicas=.status.currentReplicas#",
        ],
    ),
    (
        "CustomResourceDefinition",
        &["Created At=.metadata.creationTimestamp"],
    ),
    (
        "Event",
        &[
            "Type=.type",
            "Reason=.reason",
            "Object@involved",
            "Message=.message",
        ],
    ),
    ("RoleBinding", &["Role@role"]),
    ("ClusterRoleBinding", &["Role@role"]),
    ("NetworkPolicy", &["Pod-Selector@pod-selector"]),
    (
        "PodDisruptionBudget",
        &[
            "Min Available=.spec.minAvailable",
            "Max Unavailable=.spec.maxUnavailable",
            "Allowed Disruptions=.status.disruptionsAllowed#",
        ],
    ),
    (
        "StorageClass",
        &[
            "Provisioner=.provisioner",
            "ReclaimPolicy=.reclaimPolicy",
            "VolumeBindingMode=.volumeBindingMode",
        ],
    ),
    ("Lease", &["Holder=.spec.holderIdentity"]),
];

/// Kinds whose tables end without an age.
const AGELESS: &[&str] = &["CustomResourceDefinition", "ClusterRole", "Role"];

fn special(kind: &Kind) -> &'static [&'static str] {
    COLUMNS
        .iter()
        .find(|(name, _)| *name == kind.kind)
        .map_or(&[], |(_, columns)| columns)
}

/// The column definitions of a kind's table.
pub(super) fn columns(kind: &Kind) -> Vec<Value> {
    let column = |name: &str, kind: &str, format: &str| json!({"name": name, "type": kind, "format": format, "description": "", "priority": 0});
    let mut columns = vec![column("Name", "string", "name")];
    if let Some(custom) = &kind.custom {
        for own in &custom.columns {
            let mut shown = column(get_text(own, &["name"]), get_text(own, &["type"]), "");
            shown["priority"] = own["priority"].as_i64().unwrap_or(0).into();
            shown["description"] = get_text(own, &["description"]).into();
            columns.push(shown);
        }
        if custom.columns.is_empty() {
            columns.push(column("Age", "date", ""));
        }
        return columns;
    }
    for text in special(kind) {
        let title = text.split(['=', '@']).next().unwrap_or_default();
        columns.push(column(
            title,
            if text.ends_with('#') {
                "integer"
            } else {
                "string"
            },
            "",
        ));
    }
    if kind.kind == "Role" || kind.kind == "ClusterRole" {
        columns.push(column("Created At", "date", ""));
    } else if !AGELESS.contains(&kind.kind.as_str()) {
        columns.push(column("Age", "string", ""));
    }
    columns
}

/// One object's row.
pub(super) fn cells(kind: &Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![object["metadata"]["name"].clone()];
    let age = || {
        Value::from(age(
            get_text(object, &["metadata", "creationTimestamp"]),
            now,
        ))
    };
    if let Some(custom) = &kind.custom {
        for column in &custom.columns {
            let path = get_text(column, &["jsonPath"]);
            let found = jsonpath::find(object, path);
            cells.push(match (get_text(column, &["type"]), found.first()) {
                (_, None) => Value::Null,
                ("date", Some(time)) => self::age(&jsonpath::text(time), now).into(),
                ("string", Some(value)) => jsonpath::text(value).into(),
                (_, Some(value)) => (*value).clone(),
            });
        }
        if custom.columns.is_empty() {
            cells.push(age());
        }
        return cells;
    }
    for text in special(kind) {
        cells.push(match text.split_once('@') {
            Some((_, computed)) => compute(computed, object, now),
            None => plain(text, object),
        });
    }
    if kind.kind == "Role" || kind.kind == "ClusterRole" {
        cells.push(object["metadata"]["creationTimestamp"].clone());
    } else if !AGELESS.contains(&kind.kind.as_str()) {
        cells.push(age());
    }
    cells
}

fn plain(column: &str, object: &Value) -> Value {
    let path = column.split_once('=').map_or("", |(_, path)| path);
    let number = path.ends_with('#');
    match jsonpath::find(object, path.trim_end_matches('#')).first() {
        Some(value) if number => (*value).clone(),
        Some(value) => jsonpath::text(value).into(),
        None if number => 0.into(),
        None => "<none>".into(),
    }
}

fn number(object: &Value, path: &[&str]) -> i64 {
    at(object, path).and_then(Value::as_i64).unwrap_or(0)
}

fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        "<none>".into()
    } else {
        texts.join(",").into()
    }
}

fn compute(what: &str, object: &Value, now: Timestamp) -> Value {
    let statuses = list(object, &["status", "containerStatuses"]);
    match what {
        "pod-ready" => {
            let ready = statuses
                .iter()
                .filter(|status| status["ready"] == true)
                .count();
            format!("{ready}/{}", list(object, &["spec", "containers"]).len()).into()
        }
        "pod-status" => pod_status(object, statuses).into(),
        "restarts" => {
            let count: i64 = statuses
                .iter()
                .map(|status| number(status, &["restartCount"]))
                .sum();
            count.to_string().into()
        }
        "ready" => {
            let wanted = number(object, &["spec", "replicas"]);
            format!("{}/{wanted}", number(object, &["status", "readyReplicas"])).into()
        }
        "job-status" => job_status(object).into(),
        "completions" => {
            let done = number(object, &["status", "succeeded"]);
            format!("{done}/{}", number(object, &["spec", "completions"]).max(1)).into()
        }
        "job-duration" => {
            let start = get_text(object, &["status", "startTime"]);
            let end = get_text(object, &["status", "completionTime"])
                .parse()
                .unwrap_or(now);
            if start.is_empty() {
                "".into()
            } else {
                age(start, end).into()
            }
        }
        _ => compute_small(what, object, now),
    }
}

/// The computed columns of kinds that run nothing.
fn compute_small(what: &str, object: &Value, now: Timestamp) -> Value {
    match what {
        "suspend" => if object["spec"]["suspend"] == true {
            "True"
        } else {
            "False"
        }
        .into(),
        "active" => list(object, &["status", "active"]).len().into(),
        "last-schedule" => match get_text(object, &["status", "lastScheduleTime"]) {
            "" => "<none>".into(),
            time => age(time, now).into(),
        },
        "external" => joined(
            list(object, &["status", "loadBalancer", "ingress"])
                .iter()
                .map(|point| get_text(point, &["ip"])),
        ),
        "ports" => ports(object),
        "hosts" => joined(
            list(object, &["spec", "rules"])
                .iter()
                .map(|r| get_text(r, &["host"])),
        ),
        "ingress-ports" => if object["spec"]["tls"].is_array() {
            "80, 443"
        } else {
            "80"
        }
        .into(),
        "data" => ["data", "binaryData"]
            .iter()
            .filter_map(|field| object[*field].as_object())
            .map(serde_json::Map::len)
            .sum::<usize>()
            .into(),
        "node-status" => "Ready".into(),
        "secrets" => list(object, &["secrets"]).len().into(),
        "modes" => joined(
            list(object, &["spec", "accessModes"])
                .iter()
                .filter_map(Value::as_str),
        ),
        "reference" => {
            let target = &object["spec"]["scaleTargetRef"];
            format!(
                "{}/{}",
                get_text(target, &["kind"]),
                get_text(target, &["name"])
            )
            .into()
        }
        "involved" => {
            let involved = &object["involvedObject"];
            let kind = get_text(involved, &["kind"]).to_lowercase();
            format!("{kind}/{}", get_text(involved, &["name"])).into()
        }
        "role" => {
            let role = &object["roleRef"];
            format!(
                "{}/{}",
                get_text(role, &["kind"]),
                get_text(role, &["name"])
            )
            .into()
        }
        "node-selector" => labels(&object["spec"]["template"]["spec"]["nodeSelector"]),
        "pod-selector" => labels(&object["spec"]["podSelector"]["matchLabels"]),
        _ => "<none>".into(),
    }
}

fn labels(map: &Value) -> Value {
    let pairs: Vec<_> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", jsonpath::text(value)))
        .collect();
    joined(pairs.iter().map(String::as_str))
}

fn pod_status(object: &Value, statuses: &[Value]) -> String {
    if at(object, &["metadata", "deletionTimestamp"]).is_some() {
        return "Terminating".to_owned();
    }
    let reason = |status: &Value| {
        let state = &status["state"];
        let found = ["waiting", "terminated"].map(|name| get_text(state, &[name, "reason"]));
        found
            .into_iter()
            .find(|reason| !reason.is_empty())
            .map(str::to_owned)
    };
    let phase = get_text(object, &["status", "phase"]).to_owned();
    statuses.iter().find_map(reason).unwrap_or(phase)
}

fn job_status(object: &Value) -> &'static str {
    let holds = |wanted: &str| {
        list(object, &["status", "conditions"])
            .iter()
            .any(|condition| condition["type"] == wanted && condition["status"] == "True")
    };
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if object["spec"]["suspend"] == true {
        "Suspended"
    } else {
        "Running"
    }
}

fn ports(object: &Value) -> Value {
    let texts: Vec<_> = list(object, &["spec", "ports"])
        .iter()
        .map(|port| {
            let node = match number(port, &["nodePort"]) {
                0 => String::new(),
                node => format!(":{node}"),
            };
            let protocol = get_text(port, &["protocol"]);
            format!("{}{node}/{protocol}", number(port, &["port"]))
        })
        .collect();
    joined(texts.iter().map(String::as_str))
}

/// A duration as kubectl prints it: `5s`, `2m3s`, `10m`, `3h5m`, `5h`, `2d`, `30d`, `2y10d`.
fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else {
        return "<unknown>".to_owned();
    };
    let seconds = (now.as_second() - since.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{part}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}
