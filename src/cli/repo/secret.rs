//! Repository Secrets in Argo CD's format.

use std::collections::BTreeMap;

use argosy_crds::names;
use argosy_facts::Secret as Credential;
use serde_json::{Value, json};

/// The types of Secrets: one repository, and credentials for all below a URL.
pub(super) const REPOSITORY: &str = "repository";
pub(super) const TEMPLATE: &str = "repo-creds";

/// The Secret's name as Argo CD's API makes it.
pub(super) fn name(kind: &str, url: &str, project: &str) -> String {
    let prefix = if kind == TEMPLATE { "creds" } else { "repo" };
    let hashed = if kind == TEMPLATE {
        url.to_owned()
    } else {
        format!("{url}{project}")
    };
    format!("{prefix}-{}", crate::cli::registration::fnv32a(&hashed))
}

/// The Secret itself.
pub(super) fn object(name: &str, kind: &str, data: &BTreeMap<String, Credential>) -> Value {
    let data: BTreeMap<_, _> = data
        .iter()
        .map(|(key, value)| (key, value.expose()))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {
            "name": name,
            "labels": {names::label::SECRET_TYPE: kind},
            "annotations": {names::annotation::MANAGED_BY: "argocd.argoproj.io"},
        },
        "stringData": data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_after_what_they_are_for() {
        let url = "https://git.example.com/a";
        let all = name(REPOSITORY, url, "");
        assert!(all.starts_with("repo-"));
        assert_ne!(all, name(REPOSITORY, url, "red"));
        assert_eq!(name(TEMPLATE, url, "").replace("creds-", "repo-"), all);
    }
}
