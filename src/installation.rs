//! What installs a hub on a cluster: the definitions of its kinds, its namespace, and the objects of
//! `deploy/kustomize/base`, which are part of the program so that there is no second copy of them.
//!
//! Nothing here talks to a cluster.

use argosy_crds::manifest;
use argosy_engine::object::ObjectExt as _;
use argosy_yaml as yaml;
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Kind};

static BASE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/deploy/kustomize/base");

/// The namespace that the kustomization installs into.
const NAMESPACE: &str = "argocd";

/// The name of the hub's Deployment.
pub const DEPLOYMENT: &str = "argosy";

/// Everything that a hub in `namespace` needs, in the order in which it is applied; `image` takes
/// the place of the one of this version. It is what the Helm chart installs there by default.
pub fn objects(namespace: &str, image: Option<&str>) -> Result<Vec<Value>, Diagnostic> {
    let definitions = manifest::custom_resource_definitions();
    let mut objects: Vec<_> = definitions.into_iter().map(|(_, object)| object).collect();
    objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    for file in resources()? {
        for mut object in documents(&file)? {
            place(&mut object, namespace);
            if let Some(image) = image {
                set(&mut object, "/spec/template/spec/containers/0/image", image);
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

/// The files that the kustomization names.
fn resources() -> Result<Vec<String>, Diagnostic> {
    let kustomization = documents("kustomization.yaml")?;
    let resources = kustomization
        .iter()
        .filter_map(|document| document["resources"].as_array());
    let names = resources.flatten().filter_map(Value::as_str);
    Ok(names.map(str::to_owned).collect())
}

fn documents(file: &str) -> Result<Vec<Value>, Diagnostic> {
    let broken = || {
        let what = "the manifests that this program holds cannot be read";
        Diagnostic::new(Kind::Internal, "ManifestsBroken", what).at(file)
    };
    let text = BASE.get_file(file).and_then(|file| file.contents_utf8());
    let documents = yaml::parse_documents(text.ok_or_else(broken)?);
    let documents = documents.map_err(|error| broken().because(&error))?;
    let values = documents.into_iter().map(|document| document.value);
    Ok(values.filter(|value| !value.is_null()).collect())
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
        let objects = objects("fleet", Some("registry.example.com/argosy:1")).unwrap();
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
