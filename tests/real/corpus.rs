//! Realistic manifests on a real cluster: what was applied once is in sync however often it is looked
//! at, and what somebody edits afterwards is reported, exactly that, and undone.
//!
//! Each file of `corpus/` is one application. Nothing in here knows what is in them.

use std::collections::{BTreeMap, BTreeSet};

use argosy::controller::application::{Against, differences};
use argosy::fleet::{ObjectName, Wake};
use argosy_crds::Application;
use argosy_crds::application::ResourceStatus;
use argosy_crds::codes::SyncStatusCode;
use futures::StreamExt as _;
use kube::Api;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::automated;
use argosy_test_support::wait::{self, is_synced};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/corpus");
const REFRESHES: usize = 10;
/// What the names of the applications, and so of their namespaces, begin with.
pub(crate) const NAMES: &str = "corpus-";
/// For how many sets something is done at once.
const AT_ONCE: usize = 8;
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// The annotation that every object has.
const TRACKING_ID: &str = "/metadata/annotations/argocd.argoproj.io~1tracking-id";

/// What tells items of lists apart: an item with another one is another item.
const KEYS: [&str; 9] = [
    "containerPort",
    "ip",
    "mountPath",
    "name",
    "path",
    "port",
    "protocol",
    "topologyKey",
    "whenUnsatisfiable",
];

/// One application: its name and what git says.
struct Set {
    name: String,
    manifests: Vec<Value>,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_stays_in_sync_and_each_edit_is_reported_and_undone() {
    let fleet = Fleet::start("hub-corpus").await;
    fleet.register_with_certificate("dev", 1, json!({})).await;
    let sets = sets(&fleet);
    assert!(sets.len() >= 60, "{} sets", sets.len());
    side_by_side(&sets, async |set| {
        let server = fleet.server(1).url();
        let mut app = automated(&set.name, &fleet.tree.url(), &set.name, server);
        // What differs shows, and is not healed before it was seen.
        app["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
        fleet.apply(app).await;
    })
    .await;
    until_all(&fleet, &sets, "synced once", was_tried).await;
    nothing_is_wrong(&fleet, "after the sync").await;

    let before = live(&fleet, &sets).await;
    for round in 1..=REFRESHES {
        refreshed(&fleet, &sets, round).await;
        nothing_is_wrong(&fleet, &format!("after refresh {round}")).await;
    }
    let after = live(&fleet, &sets).await;
    let written: Vec<_> = before
        .iter()
        .filter(|(key, object)| after.get(*key) != Some(*object))
        .map(|(key, _)| key)
        .collect();
    assert!(
        written.is_empty(),
        "written although nothing differs: {written:#?}"
    );
    for app in applications(&fleet).await.values() {
        assert_eq!(app.status.as_ref().unwrap().history.len(), 1);
    }
    edited_and_healed(&fleet, &sets, &before).await;
}

/// Edits every object, and makes sure that exactly that is reported and undone.
async fn edited_and_healed(fleet: &Fleet, sets: &[Set], before: &BTreeMap<String, Value>) {
    let apps = applications(fleet).await;
    let edits: BTreeMap<_, _> = side_by_side(sets, async |set| {
        let resources = &apps[&set.name].status.as_ref().unwrap().resources;
        let mut edits = BTreeSet::new();
        for resource in resources {
            let pointer = edit(fleet, set, resource).await;
            edits.insert(format!("{}/{}{pointer}", resource.kind, resource.name));
        }
        (set.name.clone(), edits)
    })
    .await
    .into_iter()
    .collect();
    until_all(fleet, sets, "out of sync in what was edited", |app| {
        let name = app.metadata.name.as_deref().unwrap();
        out_of_sync(app).len() == edits[name].len()
    })
    .await;
    let reported = side_by_side(sets, async |set| {
        (&set.name, reported(fleet, &set.name).await)
    })
    .await;
    for (name, reported) in reported {
        assert_eq!(reported, edits[name], "{name}");
    }
    side_by_side(sets, async |set| {
        let heal = json!({"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}});
        patch(fleet, &set.name, heal).await;
    })
    .await;
    until_all(fleet, sets, "healed", |app| {
        is_synced(app) && out_of_sync(app).is_empty() && app.operation.is_none()
    })
    .await;
    for (key, object) in live(fleet, sets).await {
        let changes = json_patch::diff(&content(&before[&key]), &content(&object));
        assert!(changes.is_empty(), "{key} is not as it was: {changes}");
    }
}

/// What the hub says that differs: the objects with the pointers.
async fn reported(fleet: &Fleet, name: &str) -> BTreeSet<String> {
    let name = ObjectName::new(&fleet.namespace, name);
    let found = differences(&fleet.hub, &name, &Against::default()).await;
    let mut pointers = BTreeSet::new();
    let found = found.unwrap();
    assert!(found.blind.is_empty(), "{:?}", found.blind);
    for one in found.found {
        let changes = json_patch::diff(&one.live.unwrap(), &one.predicted.unwrap());
        let object = format!("{}/{}", one.key.kind, one.key.name);
        let changed = changes.iter().map(json_patch::PatchOperation::path);
        pointers.extend(changed.map(|path| format!("{object}{path}")));
    }
    pointers
}

/// Does something for all sets, some at once.
async fn side_by_side<'a, T>(sets: &'a [Set], act: impl AsyncFn(&'a Set) -> T) -> Vec<T> {
    let act = &act;
    let all = futures::stream::iter(sets).map(|set| async move { act(set).await });
    all.buffer_unordered(AT_ONCE).collect().await
}

/// The applications of the hub, by name.
async fn applications(fleet: &Fleet) -> BTreeMap<String, Application> {
    let all = fleet.applications().list(&ListParams::default()).await;
    let all = all.unwrap().into_iter();
    all.map(|app| (app.metadata.name.clone().unwrap(), app))
        .collect()
}

/// Waits until all applications meet a condition.
async fn until_all(
    fleet: &Fleet,
    sets: &[Set],
    what: &str,
    condition: impl Fn(&Application) -> bool,
) {
    let mut late = BTreeMap::new();
    let in_time = wait::comes_true(async || {
        let apps = applications(fleet).await;
        late = sets
            .iter()
            .map(|set| (set.name.clone(), apps.get(&set.name)))
            .filter(|(_, app)| !app.is_some_and(&condition))
            .map(|(name, app)| (name, app.map(|app| json!(app.status).to_string())))
            .collect();
        late.is_empty()
    })
    .await;
    assert!(in_time, "not in time: {what}: {late:#?}");
}

/// Has every application looked at once more: first as a person asks for it, then as the poll does.
async fn refreshed(fleet: &Fleet, sets: &[Set], round: usize) {
    if round == 1 {
        side_by_side(sets, async |set| {
            let refresh = json!({"metadata": {"annotations": {REFRESH: "normal"}}});
            patch(fleet, &set.name, refresh).await;
        })
        .await;
        until_all(fleet, sets, "refreshed", |app| {
            let annotations = app.metadata.annotations.as_ref();
            annotations.is_none_or(|all| !all.contains_key(REFRESH))
        })
        .await;
        return;
    }
    let due = fleet.reconciles() + sets.len() as u64;
    fleet.hub.take_up(Wake::AllApplications);
    wait::eventually("everything is looked at", async || {
        fleet.reconciles() >= due
    })
    .await;
}

async fn patch(fleet: &Fleet, name: &str, patch: Value) {
    fleet
        .applications()
        .patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

/// Commits the corpus.
fn sets(fleet: &Fleet) -> Vec<Set> {
    let sets = files().into_iter().map(|(name, text)| {
        fleet.tree.write(&format!("{name}/objects.yaml"), &text);
        let manifests = objects(&text);
        Set { name, manifests }
    });
    let sets = sets.collect();
    fleet.tree.commit(&[]);
    sets
}

/// Every manifest of the corpus.
pub(crate) fn manifests() -> Vec<Value> {
    let files = files().into_values();
    files.flat_map(|text| objects(&text)).collect()
}

/// The texts of the corpus, by the names of the applications.
fn files() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = format!("{NAMES}{}", path.file_stem().unwrap().to_str().unwrap());
        (name, std::fs::read_to_string(&path).unwrap())
    });
    files.collect()
}

fn objects(text: &str) -> Vec<Value> {
    let documents = argosy_yaml::parse_documents(text).unwrap().into_iter();
    let objects = documents.flat_map(|document| match document.value["items"].as_array() {
        Some(items) if document.value["kind"] == "List" => items.clone(),
        _ => vec![document.value],
    });
    objects.collect()
}

/// Whether the first sync has ended or was refused.
fn was_tried(app: &Application) -> bool {
    let status = app.status.as_ref();
    let is_over =
        status.is_some_and(|status| !status.history.is_empty()) && app.operation.is_none();
    is_over || refusal(app).is_some()
}

/// Why the sync is tried again.
fn refusal(app: &Application) -> Option<String> {
    let state = app.status.as_ref()?.operation_state.as_ref()?;
    state
        .message
        .contains("failed to apply")
        .then(|| state.message.clone())
}

fn out_of_sync(app: &Application) -> Vec<&ResourceStatus> {
    let resources = app.status.iter().flat_map(|status| &status.resources);
    resources
        .filter(|one| one.status != Some(SyncStatusCode::Synced))
        .collect()
}

/// Makes sure that all applications are in sync; tells what differs where they are not.
async fn nothing_is_wrong(fleet: &Fleet, when: &str) {
    let mut trouble = BTreeMap::new();
    for (name, app) in applications(fleet).await {
        if let Some(why) = refusal(&app) {
            trouble.insert(name, why);
        } else if !is_synced(&app) || !out_of_sync(&app).is_empty() {
            let conditions = &app.status.as_ref().unwrap().conditions;
            let found = reported(fleet, &name).await;
            trouble.insert(name, format!("{found:?} {conditions:?}"));
        }
    }
    assert!(trouble.is_empty(), "{when}: {trouble:#?}");
}

fn place(fleet: &Fleet, resource: &ResourceStatus) -> Api<DynamicObject> {
    let cluster = fleet.hub.clusters.get(fleet.server(1).url()).unwrap();
    let served = cluster.discovery.served();
    let kind = served.kind(&resource.group, &resource.version, &resource.kind);
    let (client, kind) = (fleet.plane.client(1), &kind.unwrap().resource);
    if resource.namespace.is_empty() {
        Api::all_with(client, kind)
    } else {
        Api::namespaced_with(client, &resource.namespace, kind)
    }
}

/// Every object of every set, as it lives.
async fn live(fleet: &Fleet, sets: &[Set]) -> BTreeMap<String, Value> {
    let apps = applications(fleet).await;
    let found = side_by_side(sets, async |set| {
        let resources = &apps[&set.name].status.as_ref().unwrap().resources;
        let mut found = Vec::new();
        for resource in resources {
            let object = place(fleet, resource).get(&resource.name).await.unwrap();
            let key = format!("{}/{}/{}", set.name, resource.kind, resource.name);
            found.push((key, serde_json::to_value(object).unwrap()));
        }
        found
    });
    found.await.into_iter().flatten().collect()
}

/// An object without what the API server keeps for itself.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    object
}

/// Changes one field that a sync sets, in a way that the server takes and that changes nothing else,
/// and says which: one that git sets, or, where none of these can be, the tracking annotation.
async fn edit(fleet: &Fleet, set: &Set, resource: &ResourceStatus) -> String {
    let api = place(fleet, resource);
    let live = serde_json::to_value(api.get(&resource.name).await.unwrap()).unwrap();
    let manifest = set.manifests.iter().find(|manifest| {
        manifest["kind"] == resource.kind.as_str()
            && manifest["metadata"]["name"] == resource.name.as_str()
    });
    let mut leaves = Vec::new();
    collect(manifest.unwrap(), &mut String::new(), &mut leaves);
    leaves.sort_by_key(|leaf| leaf.starts_with("/metadata"));
    if resource.kind == "CustomResourceDefinition" {
        // Any other edit of a definition concerns the objects of its kind, too.
        leaves.retain(|leaf| leaf.starts_with("/metadata"));
    }
    leaves.push(TRACKING_ID.to_owned());
    for pointer in leaves {
        let Some(before) = live.pointer(&pointer).cloned() else {
            continue;
        };
        for value in others(&before, &pointer) {
            let replace = json!([{"op": "replace", "path": pointer, "value": value}]);
            let replace: json_patch::Patch = serde_json::from_value(replace).unwrap();
            let write = async |dry_run| {
                let params = PatchParams {
                    dry_run,
                    field_manager: Some("somebody".to_owned()),
                    ..PatchParams::default()
                };
                let edited = Patch::Json::<()>(replace.clone());
                api.patch(&resource.name, &params, &edited).await
            };
            let Ok(would_be) = write(true).await else {
                continue;
            };
            let would_be = serde_json::to_value(would_be).unwrap();
            let changes = json_patch::diff(&content(&live), &content(&would_be));
            if changes.len() == 1 && changes[0].path().as_str() == pointer {
                write(false).await.unwrap();
                return pointer;
            }
        }
    }
    panic!(
        "nothing of {} {} can be edited",
        resource.kind, resource.name
    );
}

/// The pointers of the plain values of a manifest that can be edited without making another object
/// or another item of it.
fn collect(value: &Value, at: &mut String, leaves: &mut Vec<String>) {
    if [
        "/apiVersion",
        "/kind",
        "/status",
        "/metadata/name",
        "/metadata/namespace",
    ]
    .contains(&at.as_str())
    {
        return;
    }
    let length = at.len();
    let mut descend = |part: &str, below: &Value, leaves: &mut Vec<String>| {
        at.push('/');
        // Git writes it as text, and it lives encoded.
        at.push_str(if length == 0 && part == "stringData" {
            "data"
        } else {
            part
        });
        collect(below, at, leaves);
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => {
            for (name, below) in fields
                .iter()
                .filter(|(name, _)| !KEYS.contains(&name.as_str()) || length == 0)
            {
                descend(&name.replace('~', "~0").replace('/', "~1"), below, leaves);
            }
        }
        Value::Array(items) => {
            for (index, below) in items
                .iter()
                .enumerate()
                .filter(|(_, item)| item.is_object())
            {
                descend(&index.to_string(), below, leaves);
            }
        }
        Value::Null => {}
        _ => leaves.push(at.clone()),
    }
}

/// Other values of the same sort.
fn others(value: &Value, pointer: &str) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or(1);
            vec![json!(number + 1), json!(number - 1)]
        }
        Value::String(text)
            if pointer.starts_with("/data/") || pointer.starts_with("/binaryData/") =>
        {
            vec![json!("ZWRpdGVk"), json!(format!("{text}x"))]
        }
        Value::String(text) => match text.parse::<i64>() {
            Ok(number) => vec![json!((number + 1).to_string())],
            Err(_) => vec![json!(format!("{text}x"))],
        },
        _ => Vec::new(),
    }
}
