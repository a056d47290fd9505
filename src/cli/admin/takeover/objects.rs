//! What Applications, sets and projects of an Argo CD mean here.

use argosy_crds::{AppProject, Application, ApplicationSet, ApplicationSpec, names};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::ObjectExt as _;
use argosy_engine::overrides::Overrides;
use argosy_engine::windows::Window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::finding::{Finding, Findings};
use super::inventory::Inventory;

/// Judges the objects of Argo CD's own kinds.
pub(super) fn judge(inventory: &Inventory, all: &mut Vec<Finding>) {
    let overrides = Overrides::from_config_map(&inventory.data("argocd-cm")).unwrap_or_default();
    for object in &inventory.applications {
        let mut found = Findings::of(shown(object), all);
        if let Some(app) = read::<Application>(object, &mut found) {
            unknown_fields(object, &app.spec, &mut found);
            application(&app, &overrides, &mut found);
        }
    }
    let params = inventory.data("argocd-cmd-params-cm");
    let steps = params.get("applicationsetcontroller.enable.progressive.syncs");
    let is_undecided = steps.is_none_or(|text| text != "true" && text != "false");
    for object in &inventory.sets {
        let mut found = Findings::of(shown(object), all);
        if let Some(set) = read::<ApplicationSet>(object, &mut found) {
            unknown_fields(object, &set.spec, &mut found);
            let is_stepwise = object.pointer("/spec/strategy/type") == Some(&"RollingSync".into());
            if is_stepwise && is_undecided {
                found.differs(
                    "spec.strategy",
                    "the steps are followed here, and there only where applicationsetcontroller.enable.progressive.syncs is true",
                );
            }
            sources(
                object.pointer("/spec/template/spec"),
                "spec.template.spec",
                &mut found,
            );
        }
    }
    for object in &inventory.projects {
        let mut found = Findings::of(shown(object), all);
        if let Some(project) = read::<AppProject>(object, &mut found) {
            unknown_fields(object, &project.spec, &mut found);
            self::project(&project, &mut found);
        }
    }
}

fn shown(object: &Value) -> String {
    format!("{} {}/{}", object.kind(), object.namespace(), object.name())
}

fn read<T: DeserializeOwned>(object: &Value, found: &mut Findings<'_>) -> Option<T> {
    match serde_path_to_error::deserialize(object) {
        Ok(read) => Some(read),
        Err(error) => {
            let place = error.path().to_string();
            found.fails(place, format!("cannot be read: {}", error.inner()));
            None
        }
    }
}

/// Fields that Argosy's types do not have: an API server with Argosy's definitions drops them.
fn unknown_fields(object: &Value, spec: &impl Serialize, found: &mut Findings<'_>) {
    let known = serde_json::to_value(spec).unwrap_or_default();
    let mut lost = Vec::new();
    missing(&object["spec"], &known, "spec", &mut lost);
    for place in lost {
        found.fails(place, "is no field of Argo CD 3.6, and counts for nothing");
    }
}

/// The places of `all` that `known` does not have. What is empty may be left out.
fn missing(all: &Value, known: &Value, place: &str, lost: &mut Vec<String>) {
    match (all, known) {
        (Value::Object(all), Value::Object(known)) => {
            for (key, value) in all {
                let place = format!("{place}.{key}");
                match known.get(key) {
                    Some(known) => missing(value, known, &place, lost),
                    None if is_empty(value) => {}
                    None => lost.push(place),
                }
            }
        }
        (Value::Array(all), Value::Array(known)) => {
            for (at, (value, known)) in all.iter().zip(known).enumerate() {
                missing(value, known, &format!("{place}[{at}]"), lost);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.values().all(is_empty),
    }
}

fn application(app: &Application, overrides: &Overrides, found: &mut Findings<'_>) {
    let spec = serde_json::to_value(&app.spec).unwrap_or_default();
    sources(Some(&spec), "spec", found);
    ignored(&app.spec, overrides, found);
    let annotations = app.metadata.annotations.iter().flatten();
    for key in annotations.map(|(key, _)| key) {
        if key.starts_with(names::annotation::SUBSCRIBE_PREFIX) {
            found.differs(format!("metadata.annotations.{key}"), "nobody is notified");
        }
    }
    let state = app
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref());
    let is_running = state.is_some_and(|state| !state.phase.is_completed());
    if app.operation.is_some() || is_running {
        found.differs(
            "operation",
            "an operation is under way: let it end before Argo CD stops, or the hub takes it up",
        );
    }
}

/// The sources of an Application's spec or of a template of one.
fn sources(spec: Option<&Value>, place: &str, found: &mut Findings<'_>) {
    let Some(spec) = spec else { return };
    if spec.get("sourceHydrator").is_some_and(Value::is_object) {
        found.fails(
            format!("{place}.sourceHydrator"),
            "nothing hydrates here: the branch of syncSource is synced as it is",
        );
    }
    let one = spec
        .get("source")
        .map(|source| (format!("{place}.source"), source));
    let many = spec.get("sources").and_then(Value::as_array);
    let many = many.into_iter().flatten().enumerate();
    let many = many.map(|(at, source)| (format!("{place}.sources[{at}]"), source));
    for (place, source) in one.into_iter().chain(many) {
        if source.get("plugin").is_some_and(Value::is_object) {
            found.fails(
                format!("{place}.plugin"),
                "needs the plugin's declaration and programs in the folder that `--plugins` of the hub names; until then it is Unknown, and stays as it is",
            );
        }
        let text = |path: &str| source.pointer(path).and_then(Value::as_str);
        if text("/kustomize/version").is_some_and(|version| !version.is_empty()) {
            found.differs(
                format!("{place}.kustomize.version"),
                "the program that argocd-cm registers for this version has to be in the hub's image, too",
            );
        }
        if text("/helm/version") == Some("v2") {
            found.fails(format!("{place}.helm.version"), "Helm 2 is not there");
        }
    }
}

/// Ignore rules of its own that cannot be used.
fn ignored(spec: &ApplicationSpec, overrides: &Overrides, found: &mut Findings<'_>) {
    let everybody = Ignore::new(&[], overrides).flaws();
    for flaw in Ignore::new(&spec.ignore_differences, overrides).flaws() {
        if !everybody.contains(&flaw) {
            let message = format!("{flaw}; the objects that it is for would be Unknown");
            found.fails("spec.ignoreDifferences", message);
        }
    }
}

fn project(project: &AppProject, found: &mut Findings<'_>) {
    let spec = &project.spec;
    let git = spec
        .source_integrity
        .iter()
        .filter_map(|one| one.git.as_ref());
    let mut policies = git.flat_map(|git| &git.policies);
    if policies.any(|policy| policy.gpg.as_ref().is_some_and(|gpg| gpg.mode == "strict")) {
        found.fails(
            "spec.sourceIntegrity",
            "the mode `strict` is not served: no commit would do",
        );
    }
    if spec.roles.iter().any(|role| !role.policies.is_empty()) {
        found.differs(
            "spec.roles",
            "are not enforced: the hub's API is Kubernetes' own, and its RBAC says who may do what",
        );
    }
    for (at, window) in spec.sync_windows.iter().enumerate() {
        if let Err(error) = Window::validate(window) {
            found.fails(format!("spec.syncWindows[{at}]"), error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(inventory: &Inventory) -> Vec<String> {
        let mut all = Vec::new();
        judge(inventory, &mut all);
        all.into_iter()
            .map(|one| format!("{} {}: {}", one.weight, one.object, one.place))
            .collect()
    }

    fn object(kind: &str, spec: &Value) -> Value {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind,
               "metadata": {"name": "a", "namespace": "argocd"}, "spec": spec})
    }

    fn applications(spec: &Value) -> Inventory {
        Inventory {
            applications: vec![object("Application", spec)],
            ..Inventory::default()
        }
    }

    #[test]
    fn an_application_of_charts_kustomizations_and_hooks_is_as_it_was() {
        let spec = json!({
            "project": "default", "destination": {"server": "https://a", "namespace": "a"},
            "sources": [
                {"repoURL": "https://charts", "chart": "web", "targetRevision": "1.2.x",
                 "helm": {"valueFiles": ["$values/web.yaml"], "parameters": [{"name": "a", "value": "", "forceString": false}]}},
                {"repoURL": "https://git", "ref": "values"},
                {"repoURL": "https://git", "path": "web", "kustomize": {"images": ["web:1"], "version": ""}}],
            "syncPolicy": {"automated": {"prune": false, "selfHeal": true}, "syncOptions": ["Replace=true"]},
            "ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec.replicas"]}],
        });
        assert_eq!(places(&applications(&spec)), Vec::<String>::new());
    }

    #[test]
    fn what_an_application_asks_for_in_vain_is_named_by_its_field() {
        let spec = json!({
            "project": "default", "destination": {"server": "https://a", "namespace": "a"},
            "source": {"repoURL": "https://git", "path": "a", "plugin": {"name": "cdk8s"}, "newer": {"a": 1}},
            "ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jqPathExpressions": ["def f: .; f"]}],
        });
        assert_eq!(
            places(&applications(&spec)),
            [
                "fails Application argocd/a: spec.source.newer",
                "fails Application argocd/a: spec.source.plugin",
                "fails Application argocd/a: spec.ignoreDifferences",
            ]
        );
        let unreadable = applications(&json!({"project": 7, "destination": {}}));
        assert_eq!(
            places(&unreadable),
            ["fails Application argocd/a: spec.project"]
        );
    }

    #[test]
    fn signatures_roles_windows_and_steps_are_told() {
        let inventory = Inventory {
            projects: vec![object(
                "AppProject",
                &json!({
                    "signatureKeys": [{"keyID": "ABCDEF0123456789"}],
                    "sourceIntegrity": {"git": {"policies": [
                        {"repos": [{"url": "*"}], "gpg": {"mode": "strict", "keys": ["ABCDEF0123456789"]}}]}},
                    "roles": [{"name": "ci", "policies": ["p, proj:a:ci, applications, sync, a/*, allow"]}],
                    "syncWindows": [{"kind": "deny", "schedule": "TZ=UTC * * * * *", "duration": "1h", "applications": ["*"]}],
                }),
            )],
            sets: vec![object(
                "ApplicationSet",
                &json!({
                    "generators": [], "strategy": {"type": "RollingSync", "rollingSync": {"steps": []}},
                    "template": {"metadata": {"name": "a"}, "spec": {"project": "default", "destination": {},
                        "source": {"repoURL": "https://git", "plugin": {"name": "cdk8s"}}}},
                }),
            )],
            ..Inventory::default()
        };
        assert_eq!(
            places(&inventory),
            [
                "differs ApplicationSet argocd/a: spec.strategy",
                "fails ApplicationSet argocd/a: spec.template.spec.source.plugin",
                "fails AppProject argocd/a: spec.sourceIntegrity",
                "differs AppProject argocd/a: spec.roles",
                "fails AppProject argocd/a: spec.syncWindows[0]",
            ]
        );
    }
}
