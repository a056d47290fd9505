//! The list of resources and the summary.

use std::collections::BTreeSet;

use argosy_crds::application::{ApplicationSummary, ResourceStatus};
use argosy_crds::names::annotation::IGNORE_DEFAULT_LINKS;
use serde_json::Value;

use crate::object::{ObjectExt, names};

/// Sorts `status.resources` by group, kind, namespace and name.
pub fn sort_resources(resources: &mut [ResourceStatus]) {
    resources.sort_by(|a, b| {
        (&a.group, &a.kind, &a.namespace, &a.name).cmp(&(&b.group, &b.kind, &b.namespace, &b.name))
    });
}

/// The container images of an object: of a pod, or of the pod template of anything else, in the
/// order in which they stand there, init containers first.
pub fn images(object: &Value) -> Vec<String> {
    let spec = &object["spec"];
    let pod = match object.kind() {
        "Pod" if object.group().is_empty() => spec,
        "CronJob" => &spec["jobTemplate"]["spec"]["template"]["spec"],
        _ => &spec["template"]["spec"],
    };
    let mut seen = Vec::new();
    for list in ["initContainers", "containers"] {
        for container in pod[list].as_array().into_iter().flatten() {
            if let Some(image) = container["image"].as_str()
                && !seen.iter().any(|known| known == image)
            {
                seen.push(image.to_owned());
            }
        }
    }
    seen
}

/// The addresses at which an object can be reached from outside: those of its link annotations,
/// and those of an Ingress.
pub fn external_urls(object: &Value) -> Vec<String> {
    let mut urls = BTreeSet::new();
    for (key, value) in object.annotations() {
        if key.starts_with(names::LINK_PREFIX) {
            let url = value.split_once('|').map_or(value, |(_, url)| url);
            urls.insert(url.to_owned());
        }
    }
    let by_default = object.annotation(IGNORE_DEFAULT_LINKS) != Some("true");
    if by_default
        && object.kind() == "Ingress"
        && matches!(object.group(), "networking.k8s.io" | "extensions")
    {
        urls.extend(ingress_urls(object));
    }
    urls.into_iter().collect()
}

fn ingress_urls(ingress: &Value) -> Vec<String> {
    let secured: BTreeSet<&str> = ingress["spec"]["tls"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|tls| tls["hosts"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut urls = Vec::new();
    for rule in ingress["spec"]["rules"].as_array().into_iter().flatten() {
        let Some(host) = rule["host"].as_str().filter(|host| !host.is_empty()) else {
            continue;
        };
        let scheme = if secured.contains(host) {
            "https"
        } else {
            "http"
        };
        let paths = rule["http"]["paths"].as_array();
        for path in paths.into_iter().flatten() {
            let path = path["path"].as_str().unwrap_or_default();
            let path = path.strip_suffix('*').unwrap_or(path);
            urls.push(format!("{scheme}://{host}{path}"));
        }
        if paths.is_none_or(Vec::is_empty) {
            urls.push(format!("{scheme}://{host}"));
        }
    }
    urls
}

/// The summary over all live objects of an application, managed and owned.
pub fn summary<'a>(objects: impl IntoIterator<Item = &'a Value>) -> ApplicationSummary {
    let (mut found_images, mut urls) = (BTreeSet::new(), BTreeSet::new());
    let mut is_app_of_apps = false;
    for object in objects {
        found_images.extend(images(object));
        urls.extend(external_urls(object));
        is_app_of_apps |= object.group() == "argoproj.io" && object.kind() == "Application";
    }
    ApplicationSummary {
        external_urls: urls.into_iter().collect(),
        images: found_images.into_iter().collect(),
        is_app_of_apps,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sums_up_images_and_addresses() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template":
            {"spec": {"containers": [{"image": "b:1"}, {"image": "a:1"}, {"image": "b:1"}]}}}});
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"annotations": {"link.argocd.argoproj.io/x": "docs|https://docs"}},
            "spec": {"tls": [{"hosts": ["web"]}], "rules": [
                {"host": "web", "http": {"paths": [{"path": "/api/*"}]}}]}});
        let summary = summary([&deployment, &ingress]);
        assert_eq!(summary.images, ["a:1", "b:1"]);
        assert_eq!(summary.external_urls, ["https://docs", "https://web/api/"]);
        assert_eq!(images(&deployment), ["b:1", "a:1"]);
    }
}
