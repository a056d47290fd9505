//! One file of manifests, read as Kubernetes' decoders do.

use serde_json::Value;

use crate::{path::TreePath, render::RenderError};

/// The objects in a YAML or JSON file.
///
/// A YAML file that is no manifest at all is passed over in silence, because such files lie beside
/// manifests everywhere; one that looks like a manifest, or holds good ones before a bad one, is an
/// error.
pub(crate) fn parse_file(path: &TreePath, bytes: &[u8]) -> Result<Vec<Value>, RenderError> {
    let json = is_json(path);
    let parsed = match argosy_yaml::decode(bytes) {
        Ok(text) if json => return parse_json(path, &text),
        Ok(text) => parse_yaml(&text),
        Err(error) => Failed::nothing(error.to_string()),
    };
    match parsed {
        Ok(objects) => Ok(objects),
        Err(failed) if json || failed.after_objects || looks_like_manifest(bytes) => {
            Err(RenderError::Manifest {
                path: path.clone(),
                why: failed.why,
            })
        }
        Err(_) => Ok(Vec::new()),
    }
}

/// Argo CD tells by the name, in lower case only.
fn is_json(path: &TreePath) -> bool {
    path.name()
        .rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "json")
}

struct Failed {
    /// Whether good objects stand before what is wrong.
    after_objects: bool,
    why: String,
}

impl Failed {
    fn nothing<T>(why: String) -> Result<T, Self> {
        Err(Self {
            after_objects: false,
            why,
        })
    }
}

fn parse_yaml(text: &str) -> Result<Vec<Value>, Failed> {
    let documents = argosy_yaml::parse_documents(text).map_err(|error| Failed {
        after_objects: begins_with_object(text),
        why: error.to_string(),
    })?;
    let mut objects = Vec::new();
    for document in documents {
        if let Err(why) = check_object(&document.value) {
            return Err(Failed {
                after_objects: !objects.is_empty(),
                why: format!("line {}: {why}", document.line),
            });
        }
        objects.push(document.value);
    }
    Ok(objects)
}

/// Whether the first document of a stream that fails somewhere is a good object.
fn begins_with_object(text: &str) -> bool {
    let good = |value: &Value| check_object(value).is_ok();
    if text.trim_start().starts_with('{') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        return values
            .next()
            .is_some_and(|value| value.as_ref().is_ok_and(good));
    }
    for document in argosy_yaml::split_documents(text) {
        let Ok(document) = document else {
            return false;
        };
        match argosy_yaml::from_str(&document.text) {
            Ok(Value::Null) => {}
            Ok(value) => return good(&value),
            Err(_) => return false,
        }
    }
    false
}

fn parse_json(path: &TreePath, text: &str) -> Result<Vec<Value>, RenderError> {
    let refuse = |why: String| RenderError::Manifest {
        path: path.clone(),
        why,
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let object = values
        .next()
        .ok_or_else(|| refuse("the file is empty".into()))?
        .map_err(|error| refuse(error.to_string()))?;
    check_object(&object).map_err(refuse)?;
    if text[values.byte_offset()..].trim().is_empty() {
        Ok(vec![object])
    } else {
        Err(RenderError::SeveralObjects { path: path.clone() })
    }
}

/// What Kubernetes asks of any object: that it is one, and names its kind.
pub(crate) fn check_object(value: &Value) -> Result<(), String> {
    let Value::Object(fields) = value else {
        return Err(format!("{} is not an object", excerpt(value)));
    };
    match fields.get("kind") {
        Some(Value::String(kind)) if !kind.is_empty() => Ok(()),
        _ => Err(format!("Object 'Kind' is missing in '{}'", excerpt(value))),
    }
}

fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn looks_like_manifest(bytes: &[u8]) -> bool {
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    holds(b"apiVersion:") && holds(b"kind:") && holds(b"metadata:")
}
