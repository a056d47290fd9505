//! What `argosy.dev/depends-on` on an application refers to.

use std::collections::BTreeMap;
use std::fmt;

use super::AppKey;

/// Labels and their values.
pub type Labels = BTreeMap<String, String>;

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// One application.
    Name(AppKey),
    /// All applications with these labels, in whatever namespace; there has to be one.
    Labels(Labels),
    /// A text that refers to nothing; whoever has it waits until it is corrected.
    Malformed(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(key) => key.fmt(f),
            Self::Labels(labels) => {
                let pairs: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
                f.write_str(&pairs.join("&"))
            }
            Self::Malformed(text) => f.write_str(text),
        }
    }
}

/// Reads the annotation: names (`db`, `infra/db`) or labels (`tier=db&region=eu`), separated by
/// commas. A bare name means the namespace of the application that has the annotation.
pub fn references(annotation: &str, namespace: &str) -> Vec<Reference> {
    annotation
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| one(item, namespace).unwrap_or_else(|| Reference::Malformed(item.to_owned())))
        .collect()
}

fn one(item: &str, namespace: &str) -> Option<Reference> {
    if item.contains('=') {
        let labels = item.split('&').map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (!key.is_empty()).then(|| (key.trim().to_owned(), value.trim().to_owned()))
        });
        return labels.collect::<Option<_>>().map(Reference::Labels);
    }
    match item.split('/').collect::<Vec<_>>().as_slice() {
        [name] => Some(Reference::Name(AppKey::new(namespace, *name))),
        [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
            Some(Reference::Name(AppKey::new(*namespace, *name)))
        }
        _ => None,
    }
}
