//! The source's fields as edits of its kustomization.

use argosy_crds::application::{ApplicationSourceKustomize, KustomizeReplica};
use serde_json::{Map, Value};

use crate::environment::Environment;

/// The `kustomize edit` commands in Argo CD's order, up to where patches are added.
pub(super) fn commands(
    options: &ApplicationSourceKustomize,
    environment: &Environment,
) -> Result<Vec<Vec<String>>, String> {
    let one = |value: &String| {
        if value.is_empty() {
            vec![]
        } else {
            vec![value.clone()]
        }
    };
    let labels = options.common_labels.iter();
    let labels = labels.map(|(key, value)| format!("{key}:{}", environment.expand(value)));
    let annotations = options.common_annotations.iter().map(|(key, value)| {
        if options.common_annotations_envsubst {
            format!("{key}:{}", environment.expand(value))
        } else {
            format!("{key}:{value}")
        }
    });
    let images = options.images.iter().map(|image| environment.expand(image));
    let replicas: Result<Vec<_>, String> = options.replicas.iter().map(replica).collect();
    let edits = [
        edit(&["set", "nameprefix"], one(&options.name_prefix)),
        edit(&["set", "namesuffix"], one(&options.name_suffix)),
        edit(&["set", "image"], images.collect()),
        edit(&["set", "replicas"], replicas?),
        edit(&label_command(options), labels.collect()),
        edit(&annotation_command(options), annotations.collect()),
        edit(&["set", "namespace"], one(&options.namespace)),
    ];
    Ok(edits.into_iter().flatten().collect())
}

/// The command that adds components.
pub(super) fn add_components(components: Vec<String>) -> Option<Vec<String>> {
    edit(&["add", "component"], components)
}

/// One command; `None` if there is nothing to edit.
fn edit(command: &[&str], values: Vec<String>) -> Option<Vec<String>> {
    if values.is_empty() {
        return None;
    }
    // After `--` nothing is an option, whatever it looks like.
    let words = std::iter::once("edit")
        .chain(command.iter().copied())
        .chain(["--"]);
    Some(words.map(str::to_owned).chain(values).collect())
}

fn label_command(options: &ApplicationSourceKustomize) -> Vec<&'static str> {
    let mut command = vec!["add", "label"];
    for (flag, set) in [
        ("--force", options.force_common_labels),
        ("--without-selector", options.label_without_selector),
        ("--include-templates", options.label_include_templates),
    ] {
        if set {
            command.push(flag);
        }
    }
    command
}

fn annotation_command(options: &ApplicationSourceKustomize) -> Vec<&'static str> {
    let mut command = vec!["add", "annotation"];
    if options.force_common_annotations {
        command.push("--force");
    }
    command
}

fn replica(replica: &KustomizeReplica) -> Result<String, String> {
    let count = serde_json::to_value(&replica.count).map_err(|error| error.to_string())?;
    let text = match &count {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => "0".to_owned(),
    };
    let count: i64 = text
        .parse()
        .map_err(|_| format!("expected integer value for count. Received: {text}"))?;
    Ok(format!("{}={count}", replica.name))
}

/// A kustomization with the source's patches after its own. There is no command for this.
pub(super) fn add_patches(
    kustomization: Value,
    options: &ApplicationSourceKustomize,
) -> Result<Value, String> {
    let mut fields = match kustomization {
        Value::Null => Map::new(),
        Value::Object(fields) => fields,
        _ => return Err("the kustomization is not a mapping".into()),
    };
    let patches = fields
        .entry("patches")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(patches) = patches else {
        return Err("`patches` of the kustomization is not a list".into());
    };
    for patch in &options.patches {
        patches.push(serde_json::to_value(patch).map_err(|error| error.to_string())?);
    }
    Ok(Value::Object(fields))
}
