//! Applications, sets and projects among manifests.

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::offline::read_set;
use argosy_render::{Kind, TreePath};
use serde_json::Value;

use super::snapshot::Snapshot;

/// What a manifest declares that matters to a plan.
pub(super) enum Declared {
    Application(Box<Application>),
    Set(Box<ApplicationSet>),
    Project(String),
}

/// What a manifest declares; the error says why it cannot be read.
pub(super) fn declared(manifest: &Value, namespace: &str) -> Result<Option<Declared>, String> {
    let group = manifest["apiVersion"].as_str().unwrap_or_default();
    if !group.starts_with("argoproj.io/") {
        return Ok(None);
    }
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    let kind = manifest["kind"].as_str().unwrap_or_default();
    let unreadable = |why: String| format!("the {kind} `{name}` cannot be read: {why}");
    Ok(match kind {
        "Application" => {
            let app: Result<Application, _> = serde_json::from_value(manifest.clone());
            let mut app = app.map_err(|error| unreadable(error.to_string()))?;
            app.metadata
                .namespace
                .get_or_insert_with(|| namespace.to_owned());
            Some(Declared::Application(Box::new(app)))
        }
        "ApplicationSet" => {
            let mut set = read_set(manifest.clone()).map_err(unreadable)?;
            set.metadata
                .namespace
                .get_or_insert_with(|| namespace.to_owned());
            Some(Declared::Set(Box::new(set)))
        }
        "AppProject" => Some(Declared::Project(name.to_owned())),
        _ => None,
    })
}

/// The manifests in the YAML and JSON files of a snapshot. A file that is no YAML, such as a
/// template of a chart, declares nothing.
pub(super) fn manifests(snapshot: &Snapshot, paths: &[String]) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for file in snapshot.tree.files().map_err(|error| error.to_string())? {
        if file.kind != Kind::File || !is_manifest(&file.path) || !is_below(&file.path, paths) {
            continue;
        }
        let Ok(text) = argosy_yaml::decode(&snapshot.file(&file.path)?) else {
            continue;
        };
        // Most files of a repository declare no application; reading them all takes longer.
        if text.contains("argoproj.io/")
            && let Ok(documents) = argosy_yaml::parse_documents(&text)
        {
            found.extend(documents.into_iter().map(|document| document.value));
        }
    }
    Ok(found)
}

fn is_manifest(path: &TreePath) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| path.name().ends_with(end))
}

fn is_below(path: &TreePath, directories: &[String]) -> bool {
    let below = |directory: &String| {
        TreePath::parse(directory).is_ok_and(|directory| path.relative_to(&directory).is_some())
    };
    directories.is_empty() || directories.iter().any(below)
}
