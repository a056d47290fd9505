//! What the registered clusters and repositories of an Argo CD mean here, and its plugins.
//!
//! A finding never holds a value of a Secret.

use argosy_crds::names;
use argosy_facts::Secret as Hidden;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Secret};
use serde_json::Value;

use super::finding::{Finding, Findings};
use super::inventory::Inventory;
use crate::cluster::ClusterConfig;
use crate::source::{Credentials, Repositories, TrustedHosts, decoded};

/// The annotation with which Argo CD labels a cluster's Secret by itself.
const AUTO_LABEL: &str = "argocd.argoproj.io/auto-label-cluster-info";

/// The program of a plugin's container.
const PLUGIN_SERVER: &str = "argocd-cmp-server";

/// Judges Secrets and repository servers.
pub(super) fn judge(inventory: &Inventory, all: &mut Vec<Finding>) {
    for secret in &inventory.registrations {
        let name = secret.metadata.name.as_deref().unwrap_or_default();
        let labels = secret.metadata.labels.as_ref();
        let kind = labels.and_then(|labels| labels.get(names::label::SECRET_TYPE));
        let mut found = Findings::of(format!("Secret {name}"), all);
        match kind.map(String::as_str) {
            Some("cluster") => cluster(secret, &mut found),
            Some(kind @ ("repository" | "repo-creds")) => {
                repository(name, kind, secret, &mut found);
            }
            _ => {}
        }
    }
    for server in &inventory.repository_servers {
        let name = server.metadata.name.as_deref().unwrap_or_default();
        let mut found = Findings::of(format!("Deployment {name}"), all);
        for plugin in plugins(server) {
            found.fails(
                format!("container {}", plugin.name),
                "the hub runs plugins itself: put its plugin.yaml and programs into the folder that `--plugins` names; until then applications that it recognises by their files would be rendered otherwise",
            );
        }
    }
}

fn cluster(secret: &Secret, found: &mut Findings<'_>) {
    if let Err(error) = ClusterConfig::from_secret(secret) {
        found.fails("data", error.to_string());
        return;
    }
    let data = decoded(secret);
    let config = data.get("config").map(Hidden::expose);
    let config: Option<Value> = config.and_then(|text| serde_json::from_str(text).ok());
    let has = |key: &str| {
        config
            .as_ref()
            .is_some_and(|config| config[key].is_object())
    };
    if has("awsAuthConfig") {
        found.fails(
            "data.config.awsAuthConfig",
            "is not served; name a program that prints the token in execProviderConfig, such as `aws eks get-token`",
        );
    }
    if has("execProviderConfig") {
        found.differs(
            "data.config.execProviderConfig",
            "the program has to be in the hub's image: those of Argo CD's image, such as argocd-k8s-auth, are not",
        );
    }
    let annotations = secret.metadata.annotations.iter().flatten();
    if annotations
        .clone()
        .any(|(key, value)| key == AUTO_LABEL && value == "true")
    {
        found.differs(
            format!("metadata.annotations.{AUTO_LABEL}"),
            "is not followed; labels that are there stay, and sets that select by them see no new ones",
        );
    }
}

fn repository(name: &str, kind: &str, secret: &Secret, found: &mut Findings<'_>) {
    let data = decoded(secret);
    let (read, errors) = Repositories::read([(name, kind, &data)], TrustedHosts::default());
    for error in errors {
        found.fails("data", error.why);
    }
    // A template is seen through a repository below it.
    let text = |key: &str| data.get(key).map(Hidden::expose).unwrap_or_default();
    let repository = read.find(text("url"), text("project"));
    if let Credentials::Unsupported(what) = &repository.credentials {
        found.fails(
            "data",
            format!("holds {what}, which is not served; use a token or an SSH key"),
        );
    }
}

/// The containers beside a repository server that run plugins.
fn plugins(server: &Deployment) -> impl Iterator<Item = &Container> {
    let pod = server
        .spec
        .iter()
        .filter_map(|spec| spec.template.spec.as_ref());
    pod.flat_map(|pod| &pod.containers).filter(|container| {
        let command = container.command.iter().flatten();
        let mut words = command.chain(container.args.iter().flatten());
        words.any(|word| word.ends_with(PLUGIN_SERVER))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(kind: &str, annotations: &Value, data: Value) -> Vec<String> {
        let secret = json!({
            "metadata": {"name": "a", "labels": {"argocd.argoproj.io/secret-type": kind}, "annotations": annotations},
        });
        let mut secret: Secret = serde_json::from_value(secret).unwrap();
        let data: std::collections::BTreeMap<String, String> =
            serde_json::from_value(data).unwrap();
        let data = data
            .into_iter()
            .map(|(key, text)| (key, k8s_openapi::ByteString(text.into_bytes())));
        secret.data = Some(data.collect());
        let inventory = Inventory {
            registrations: vec![secret],
            ..Inventory::default()
        };
        let mut all = Vec::new();
        judge(&inventory, &mut all);
        assert!(all.iter().all(|one| !one.message.contains("hunter2")));
        all.into_iter()
            .map(|one| format!("{} {}", one.weight, one.place))
            .collect()
    }

    #[test]
    fn tokens_passwords_and_keys_are_served() {
        let config =
            json!({"bearerToken": "hunter2", "tlsClientConfig": {"insecure": true}}).to_string();
        let cluster = json!({"name": "a", "server": "https://a", "config": config});
        assert!(places("cluster", &json!({}), cluster).is_empty());
        let repository = json!({"url": "https://git/a", "username": "ada", "password": "hunter2"});
        assert!(places("repository", &json!({}), repository.clone()).is_empty());
        assert!(places("repo-creds", &json!({}), repository).is_empty());
    }

    #[test]
    fn ways_that_are_not_served_are_named_without_their_values() {
        let config = json!({"awsAuthConfig": {"clusterName": "hunter2"}}).to_string();
        let cluster = json!({"name": "a", "server": "https://a", "config": config});
        assert_eq!(
            places("cluster", &json!({AUTO_LABEL: "true"}), cluster),
            [
                "fails data.config.awsAuthConfig".to_owned(),
                format!("differs metadata.annotations.{AUTO_LABEL}"),
            ]
        );
        let broken = json!({"server": "https://a", "config": "hunter2"});
        assert_eq!(places("cluster", &json!({}), broken), ["fails data"]);
        let repository = json!({"url": "https://git/a", "gcpServiceAccountKey": "hunter2"});
        assert_eq!(places("repository", &json!({}), repository), ["fails data"]);
    }

    #[test]
    fn a_plugin_beside_the_repository_server_is_told() {
        let server = json!({"metadata": {"name": "argocd-repo-server"}, "spec": {
            "selector": {}, "template": {"spec": {"containers": [
                {"name": "argocd-repo-server", "args": ["/usr/local/bin/argocd-repo-server"]},
                {"name": "cdk8s", "command": ["/var/run/argocd/argocd-cmp-server"]}]}}}});
        let inventory = Inventory {
            repository_servers: vec![serde_json::from_value(server).unwrap()],
            ..Inventory::default()
        };
        let mut all = Vec::new();
        judge(&inventory, &mut all);
        let told: Vec<_> = all.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(told, ["container cdk8s"]);
    }
}
