//! What the settings of an Argo CD mean here.

use std::collections::BTreeMap;

use argosy_engine::exclusions::Exclusions;
use argosy_engine::ignore::Ignore;
use argosy_engine::lua;
use argosy_engine::overrides::Overrides;
use argosy_render::check_build_options;

use super::finding::{Finding, Findings};
use super::inventory::Inventory;

/// Judges the ConfigMaps.
pub(super) fn judge(inventory: &Inventory, all: &mut Vec<Finding>) {
    let named = |name: &str| format!("ConfigMap {name}");
    let settings = inventory.data("argocd-cm");
    argocd_cm(&settings, &mut Findings::of(named("argocd-cm"), all));
    kinds(&settings, &mut Findings::of(named("argocd-cm"), all));
    let name = "argocd-cmd-params-cm";
    params(&inventory.data(name), &mut Findings::of(named(name), all));
    let name = "argocd-rbac-cm";
    let policies = inventory.data(name);
    let mut found = Findings::of(named(name), all);
    for key in policies.keys().filter(|key| key.starts_with("policy.")) {
        found.differs(
            key,
            "is not enforced: the hub's API is Kubernetes' own, and its RBAC says who may do what",
        );
    }
    let name = "argocd-notifications-cm";
    let notifications = inventory.data(name);
    let services = notifications.keys();
    let mut found = Findings::of(named(name), all);
    for key in services.filter(|key| key.starts_with("service.")) {
        found.differs(
            key,
            "notifications are not there; keep Argo CD's notifications controller, which reads the same Applications, or use the alerts",
        );
    }
}

fn argocd_cm(data: &BTreeMap<String, String>, found: &mut Findings<'_>) {
    for (key, text) in data {
        let is_set = !text.trim().is_empty();
        match key.as_str() {
            "configManagementPlugins" if is_set => {
                found.fails(
                    key,
                    "plugins of this kind are gone from Argo CD, too: declare each in a file of the folder that `--plugins` names",
                );
            }
            "globalProjects" if is_set => found.fails(
                key,
                "projects inherit nothing here: write what they inherit into each project",
            ),
            "oidc.config" | "dex.config" if is_set => found.differs(
                key,
                "there is no web UI and no login; Kubernetes' own authentication counts",
            ),
            _ if key == "kustomize.buildOptions" || key.starts_with("kustomize.buildOptions.") => {
                if let Err(why) = check_build_options(text) {
                    found.fails(key, why);
                }
            }
            _ if key.starts_with("kustomize.path.") || key.starts_with("kustomize.version.") => {
                found.differs(
                    key,
                    "the program has to be in the hub's image at this place, too",
                );
            }
            _ => {}
        }
    }
}

/// What is said of single kinds, read by what reads it in the hub.
fn kinds(data: &BTreeMap<String, String>, found: &mut Findings<'_>) {
    if let Err(error) = Exclusions::from_config_map(data) {
        found.fails(
            "resource.exclusions",
            format!("{error}; no kind would be kept out of sight"),
        );
    }
    let overrides = match Overrides::from_config_map(data) {
        Ok(overrides) => overrides,
        Err(error) => {
            let message = format!("{error}; until that is corrected no customization counts");
            found.fails("resource.customizations", message);
            return;
        }
    };
    for (kind, one) in overrides.kinds() {
        if let Err(error) = lua::compiles(&one.health_lua) {
            let place = format!("resource.customizations.health.{}", kind.replace('/', "_"));
            found.fails(place, error.to_string());
        }
    }
    for flaw in Ignore::new(&[], &overrides).flaws() {
        let message = format!("{flaw}; the objects that it is for would be Unknown");
        found.fails("resource.customizations.ignoreDifferences", message);
    }
}

fn params(data: &BTreeMap<String, String>, found: &mut Findings<'_>) {
    let is = |key: &str, word: &str| data.get(key).is_some_and(|text| text.trim() == word);
    let namespaces = [
        "application.namespaces",
        "applicationsetcontroller.namespaces",
    ];
    for key in namespaces {
        if data.get(key).is_some_and(|text| !text.trim().is_empty()) {
            found.differs(key, "counts for a hub with --any-namespace alone");
        }
    }
    let key = "applicationsetcontroller.dryrun";
    if is(key, "true") {
        found.fails(
            key,
            "is not followed: sets would write their Applications; give them `applicationsSync: create-only`, or look with `argosy appset diff`",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(name: &str, data: &serde_json::Value) -> Vec<String> {
        let data = serde_json::from_value(data.clone()).unwrap();
        let inventory = Inventory {
            settings: [(name.to_owned(), data)].into(),
            ..Inventory::default()
        };
        let mut all = Vec::new();
        judge(&inventory, &mut all);
        all.into_iter()
            .map(|one| format!("{} {}", one.weight, one.place))
            .collect()
    }

    #[test]
    fn settings_that_count_here_as_there_are_passed_over() {
        let data = json!({
            "timeout.reconciliation": "60s", "url": "https://argocd.example.com",
            "resource.customizations.health.example.com_Widget": "return {status = 'Healthy'}",
            "resource.customizations.ignoreDifferences.apps_Deployment": "jqPathExpressions: ['.spec.replicas']",
            "kustomize.buildOptions": "--enable-helm",
        });
        assert_eq!(places("argocd-cm", &data), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_or_cannot_be_read_is_named_by_its_key() {
        let data = json!({
            "globalProjects": "- projectName: all", "oidc.config": "issuer: https://sso.example.com",
            "kustomize.buildOptions": "--enable-alpha-plugins",
            "resource.exclusions": "{",
            "resource.customizations.health.example.com_Widget": "return {",
            "resource.customizations.ignoreDifferences.apps_Deployment": "jqPathExpressions: ['def f: .; f']",
        });
        assert_eq!(
            places("argocd-cm", &data),
            [
                "fails globalProjects",
                "fails kustomize.buildOptions",
                "differs oidc.config",
                "fails resource.exclusions",
                "fails resource.customizations.health.example.com_Widget",
                "fails resource.customizations.ignoreDifferences",
            ]
        );
        let broken = json!({"resource.customizations.typo.apps_Deployment": "a"});
        assert_eq!(
            places("argocd-cm", &broken),
            ["fails resource.customizations"]
        );
        let data =
            json!({"application.namespaces": "team-*", "applicationsetcontroller.dryrun": "true"});
        assert_eq!(
            places("argocd-cmd-params-cm", &data),
            [
                "differs application.namespaces",
                "fails applicationsetcontroller.dryrun"
            ]
        );
        let data = json!({"policy.csv": "g, ada, role:admin"});
        assert_eq!(places("argocd-rbac-cm", &data), ["differs policy.csv"]);
    }
}
