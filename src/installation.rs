//! What installs a hub on a cluster: the definitions of its kinds, its namespace, and the objects of
//! `deploy/kustomize`, which is part of the program so that there is no second copy of them.
//!
//! Of kustomize it knows as much as these folders need, resources and JSON patches; a test holds it
//! against the real one. Nothing here talks to a cluster.

use argosy_crds::manifest;
use argosy_engine::object::ObjectExt as _;
use argosy_yaml as yaml;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Kind};

static FOLDERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/deploy/kustomize");

/// One hub.
const SINGLE: &str = "base";

/// Two hubs, of which one works.
const HIGHLY_AVAILABLE: &str = "overlays/ha";

/// The namespace that the kustomization installs into.
const NAMESPACE: &str = "argocd";

/// The name of the hub's Deployment.
pub const DEPLOYMENT: &str = "argosy";

/// What is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The image, if it is not the published one of this version.
    pub image: Option<&'a str>,
    /// Whether there are two hubs, of which one works.
    pub highly_available: bool,
}

/// Everything that a hub in `namespace` needs, in the order in which it is applied. It is what the
/// Helm chart installs there.
pub fn objects(namespace: &str, wanted: &Wanted<'_>) -> Result<Vec<Value>, Diagnostic> {
    let definitions = manifest::custom_resource_definitions();
    let mut objects: Vec<_> = definitions.into_iter().map(|(_, object)| object).collect();
    objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    let folder = if wanted.highly_available {
        HIGHLY_AVAILABLE
    } else {
        SINGLE
    };
    for mut object in built(folder)? {
        place(&mut object, namespace);
        if let Some(image) = wanted.image {
            set(&mut object, "/spec/template/spec/containers/0/image", image);
        }
        objects.push(object);
    }
    Ok(objects)
}

/// What a kustomization says and a program can do.
#[derive(Deserialize)]
struct Kustomization {
    resources: Vec<String>,
    #[serde(default)]
    patches: Vec<KustomizationPatch>,
}

#[derive(Deserialize)]
struct KustomizationPatch {
    target: Target,
    patch: String,
}

#[derive(Deserialize)]
struct Target {
    kind: String,
    name: String,
}

/// The objects that a folder with a kustomization stands for.
fn built(folder: &str) -> Result<Vec<Value>, Diagnostic> {
    let file = format!("{folder}/kustomization.yaml");
    let kustomization = documents(&file)?.into_iter().next().unwrap_or_default();
    let Kustomization { resources, patches } =
        serde_json::from_value(kustomization).map_err(|error| broken(&file).because(&error))?;
    let mut objects = Vec::new();
    for resource in resources {
        objects.extend(match resource.strip_prefix("../../") {
            Some(base) => built(base)?,
            None => documents(&format!("{folder}/{resource}"))?,
        });
    }
    for KustomizationPatch { target, patch } in &patches {
        let patch = yaml::parse_documents(patch).map_err(|error| broken(&file).because(&error))?;
        let patch = patch.into_iter().next().map(|document| document.value);
        let patch: json_patch::Patch = serde_json::from_value(patch.unwrap_or_default())
            .map_err(|error| broken(&file).because(&error))?;
        let is_meant =
            |object: &&mut Value| object.kind() == target.kind && object.name() == target.name;
        for object in objects.iter_mut().filter(is_meant) {
            json_patch::patch(object, &patch).map_err(|error| broken(&file).because(&error))?;
        }
    }
    Ok(objects)
}

fn documents(file: &str) -> Result<Vec<Value>, Diagnostic> {
    let text = FOLDERS.get_file(file).and_then(|file| file.contents_utf8());
    let documents = yaml::parse_documents(text.ok_or_else(|| broken(file))?);
    let documents = documents.map_err(|error| broken(file).because(&error))?;
    let values = documents.into_iter().map(|document| document.value);
    Ok(values.filter(|value| !value.is_null()).collect())
}

fn broken(file: &str) -> Diagnostic {
    let what = "the manifests that this program holds cannot be read";
    Diagnostic::new(Kind::Internal, "ManifestsBroken", what).at(file)
}

/// Moves an object of the kustomization to another namespace. What has no namespace carries it in
/// its name, so that hubs of several namespaces do not share it.
fn place(object: &mut Value, namespace: &str) {
    let renamed = |name: &str| {
        let rest = name.strip_prefix(NAMESPACE).unwrap_or(name);
        format!("{namespace}{rest}")
    };
    if object.namespace().is_empty() {
        let name = renamed(object.name());
        set(object, "/metadata/name", &name);
    }
    if object.pointer("/roleRef/kind") == Some(&json!("ClusterRole")) {
        let role = object.pointer("/roleRef/name").and_then(Value::as_str);
        let role = renamed(role.unwrap_or_default());
        set(object, "/roleRef/name", &role);
    }
    set(object, "/metadata/namespace", namespace);
    set(object, "/subjects/0/namespace", namespace);
    let arguments = object.pointer_mut("/spec/template/spec/containers/0/args");
    let arguments = arguments.and_then(Value::as_array_mut);
    for argument in arguments.into_iter().flatten() {
        if *argument == format!("--namespace={NAMESPACE}") {
            *argument = format!("--namespace={namespace}").into();
        }
    }
}

/// Changes a text that is there.
fn set(object: &mut Value, path: &str, text: &str) {
    if let Some(value) = object.pointer_mut(path) {
        *value = text.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_namespace_leaves_nothing_behind_in_that_of_the_kustomization() {
        let wanted = Wanted {
            image: Some("registry.example.com/argosy:1"),
            highly_available: true,
        };
        let objects = objects("fleet", &wanted).unwrap();
        for object in &objects {
            if object.kind() == "CustomResourceDefinition" {
                continue;
            }
            let settings = ["argocd-cm", "argocd-cmd-params-cm"].contains(&object.name());
            let text = object.to_string();
            assert!(settings || !text.contains(NAMESPACE), "{text}");
        }
        let named = |kind: &str| {
            let found = objects.iter().find(|object| object.kind() == kind);
            found.map(|object| (object.namespace(), object.name()))
        };
        assert_eq!(named("ClusterRoleBinding"), Some(("", "fleet-argosy")));
        assert_eq!(named("Deployment"), Some(("fleet", "argosy")));
        assert_eq!(named("Namespace"), Some(("", "fleet")));
        let image = objects
            .iter()
            .find_map(|object| object.pointer("/spec/template/spec/containers/0/image"));
        assert_eq!(image, Some(&json!("registry.example.com/argosy:1")));
    }
}
