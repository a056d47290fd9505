//! What Argo CD does where one would not expect it, each told by its own code.

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::offline::{GitTree, World, generate, select_files};
use argosy_generators::{Cluster, Globbing, Settings};
use serde_json::{Value, json};

/// A repository with one directory.
struct Apps;

impl GitTree for Apps {
    fn paths(&self) -> Vec<String> {
        vec!["apps/web/kustomization.yaml".to_owned()]
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path} is not read"))
    }
}

fn cluster(name: &str) -> Cluster {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Cluster {
        name: name.to_owned(),
        server: format!("https://{name}.example.com"),
        labels: [
            label("argocd.argoproj.io/secret-type", "cluster"),
            label("env", "prod"),
        ]
        .into(),
        ..Cluster::default()
    }
}

/// A set whose Applications are called `app` and say in an annotation what a text comes to.
fn set(go: bool, generators: &Value, text: &str) -> Value {
    json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": go, "generators": generators,
            "template": {
                "metadata": {"name": "app", "annotations": {"says": text}},
                "spec": {"project": "default", "destination": {"name": "in-cluster", "namespace": "x"},
                         "source": {"repoURL": "https://git.example.com/r.git", "path": "p"}},
            },
        },
    })
}

fn generated(set: Value, clusters: &[&str]) -> Result<Vec<Application>, String> {
    let set: ApplicationSet = serde_json::from_value(set).map_err(|error| error.to_string())?;
    let world = World {
        projects: ["default".to_owned()].into(),
        clusters: clusters.iter().map(|name| cluster(name)).collect(),
        trees: &|_, _| Ok(Box::new(Apps)),
    };
    let expansion = generate(&set, &world, &Settings::default());
    let expansion = expansion.map_err(|error| error.message)?;
    Ok(expansion.applications.into_inner())
}

/// What the annotation of each Application says.
fn says(set: Value, clusters: &[&str]) -> Result<Vec<String>, String> {
    let annotation = |app: Application| {
        let mut annotations = app.metadata.annotations.unwrap_or_default();
        annotations.remove("says").unwrap_or_default()
    };
    Ok(generated(set, clusters)?
        .into_iter()
        .map(annotation)
        .collect())
}

fn list(element: &Value) -> Value {
    json!({"list": {"elements": [element]}})
}

fn matrix(first: &Value, second: &Value) -> Value {
    json!([{"matrix": {"generators": [first, second]}}])
}

#[test]
fn a_merge_of_texts_leaves_numbers_as_they_are() {
    let typed = json!({"list": {"elementsYaml": "[{n: x, k: 5}]"}});
    let merged =
        json!([{"merge": {"mergeKeys": ["n"], "generators": [list(&json!({"n": "x"})), typed]}}]);
    assert_eq!(
        says(set(false, &merged, "{{k}}"), &[]),
        Ok(vec!["{{k}}".to_owned()])
    );
    let crossed = matrix(&list(&json!({"m": "x"})), &typed);
    assert_eq!(
        says(set(false, &crossed, "{{k}}"), &[]),
        Ok(vec!["5".to_owned()])
    );
}

#[test]
fn nulls_vanish_from_a_child_that_is_rendered() {
    let element = list(&json!({"k": null, "n": "x"}));
    let says = |generators: &Value| says(set(false, generators, "{{n}}{{k}}"), &[]);
    assert!(says(&json!([element])).is_err());
    let crossed = matrix(&list(&json!({"m": "x"})), &element);
    assert_eq!(says(&crossed), Ok(vec!["x{{k}}".to_owned()]));
}

#[test]
fn the_hub_s_own_cluster_is_the_last_and_there_whatever_another_is_called() {
    let flat = json!([{"clusters": {"flatList": true}}]);
    let all = set(true, &flat, "{{range .clusters}}{{.server}} {{end}}");
    let expected = "https://in-cluster.example.com https://kubernetes.default.svc ";
    assert_eq!(says(all, &["in-cluster"]), Ok(vec![expected.to_owned()]));
}

#[test]
fn a_selector_cannot_ask_for_secrets_of_another_type() {
    let labels = json!({"argocd.argoproj.io/secret-type": "repository", "env": "prod"});
    let selected = json!([{"clusters": {"selector": {"matchLabels": labels}}}]);
    assert_eq!(
        says(set(false, &selected, "{{name}}"), &["eu"]),
        Ok(vec!["eu".to_owned()])
    );
}

#[test]
fn values_wait_for_parameters_that_are_missing_and_for_nothing_else() {
    let first = list(&json!({"m": "x", "few": ["a"]}));
    let says = |value: &str| {
        let selector = json!({"matchLabels": {"env": "prod"}});
        let second = json!({"clusters": {"selector": selector, "values": {"v": value}}});
        says(
            set(true, &matrix(&first, &second), "{{.values.v}}"),
            &["eu"],
        )
    };
    assert_eq!(says("{{.m}}"), Ok(vec!["x".to_owned()]));
    assert_eq!(says("{{.name}}"), Ok(vec!["eu".to_owned()]));
    assert!(says("{{if .few}}{{index .few 9}}{{end}}").is_err());
}

#[test]
fn a_child_s_template_counts_for_nothing_and_is_rendered() {
    let first = list(&json!({"m": "x"}));
    let mut second = list(&json!({"n": "y"}));
    let crossed = |second: &Value| {
        let mut set = set(true, &matrix(&first, second), "{{.m}}{{.n}}");
        set["spec"]["goTemplateOptions"] = json!(["missingkey=error"]);
        says(set, &[])
    };
    let template = |name: &str| json!({"metadata": {"name": name}, "spec": {"project": "default", "destination": {}}});
    second["list"]["template"] = template("{{.m}}");
    assert_eq!(crossed(&second), Ok(vec!["xy".to_owned()]));
    second["list"]["template"] = template("{{.n}}");
    assert!(crossed(&second).is_err());
}

#[test]
fn typed_lists_are_one_value_to_selectors() {
    let directories = json!([{"path": "apps/*"}]);
    let git = json!({"repoURL": "r", "revision": "HEAD", "directories": directories});
    let counted = |key: &str| {
        let selector = json!({"matchExpressions": [{"key": key, "operator": "Exists"}]});
        let selected = json!([{"git": git, "selector": selector}]);
        generated(set(true, &selected, ""), &[]).map(|apps| apps.len())
    };
    assert_eq!(counted("path.segments"), Ok(1));
    assert_eq!(counted("path.segments.0"), Ok(0));
}

#[test]
fn a_git_generator_needs_the_project_in_the_set_s_own_template() {
    let directories = json!([{"path": "apps/*"}]);
    let git = json!([{"git": {"repoURL": "r", "revision": "HEAD", "directories": directories}}]);
    let mut set = set(false, &git, "");
    set["spec"]["template"]["spec"]["project"] = json!("");
    let problem = generated(set, &[]).unwrap_err();
    assert!(problem.contains("error getting project"), "{problem}");
}

/// The values of the only Application after a patch.
fn patched(patch: &str) -> Result<Value, String> {
    let mut set = set(true, &json!([list(&json!({"n": "x"}))]), "");
    let values = json!({"image": {"tag": "a", "name": "n"}, "text": "x"});
    set["spec"]["template"]["spec"]["source"]["helm"] = json!({"valuesObject": values});
    set["spec"]["templatePatch"] = json!(patch);
    let app = json!(generated(set, &[])?[0]);
    Ok(app["spec"]["source"]["helm"]["valuesObject"].clone())
}

#[test]
fn a_patch_replaces_texts_inside_of_values_and_merges_no_maps_there() {
    let values = |patch: &str| {
        patched(&format!(
            "spec: {{source: {{helm: {{valuesObject: {patch}}}}}}}"
        ))
    };
    let image = json!({"tag": "a", "name": "n"});
    let with_text = values("{text: z, new: {a: null, b: c}}");
    let expected = json!({"image": image, "text": "z", "new": {"b": "c"}});
    assert_eq!(with_text, Ok(expected));
    assert!(values("{image: {tag: b}}").is_err());
    let all = values("{$patch: replace, image: {tag: b}}");
    assert_eq!(all, Ok(json!({"image": {"tag": "b"}})));
}

#[test]
fn a_patch_that_begins_with_a_brace_is_json() {
    assert!(patched("{metadata: {labels: {a: b}}}").is_err());
    assert!(patched(r#" {"metadata": {"labels": {"a": "b"}}}"#).is_ok());
    assert!(patched("metadata: {$patch: merge}").is_err());
}

#[test]
fn a_patch_may_take_away_by_null() {
    let annotations = |patch: &str| {
        let mut set = set(true, &json!([list(&json!({"n": "x"}))]), "kept");
        set["spec"]["templatePatch"] = json!(patch);
        generated(set, &[]).map(|apps| json!(apps[0].metadata.annotations))
    };
    let patched = annotations("metadata: {annotations: {says: null, other: x}}");
    assert_eq!(patched, Ok(json!({"other": "x"})));
    assert_eq!(
        annotations("metadata: {annotations: null}"),
        Ok(json!(null))
    );
}

#[test]
fn what_is_switched_off_in_so_many_words_stays_so() {
    let mut set = set(false, &json!([list(&json!({"n": "x"}))]), "");
    let automated = json!({"prune": false, "selfHeal": false, "allowEmpty": false});
    set["spec"]["template"]["spec"]["syncPolicy"] = json!({"automated": automated});
    let apps = generated(set, &[]).expect("an application");
    assert_eq!(json!(apps[0])["spec"]["syncPolicy"]["automated"], automated);
}

/// A repository with a file and a link that leads out of it.
struct Linked;

impl GitTree for Linked {
    fn paths(&self) -> Vec<String> {
        vec!["a.json".to_owned(), "out.json".to_owned()]
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if self.leads_out(path) {
            return Err(format!("{path} leads out"));
        }
        Ok(Vec::new())
    }

    fn leads_out(&self, path: &str) -> bool {
        path == "out.json"
    }
}

#[test]
fn the_new_globbing_drops_links_that_lead_out_and_refuses_directories() {
    let files = |pattern: &str| {
        let files = select_files(&Linked, pattern, Globbing::Doublestar)?;
        Ok::<_, String>(files.into_keys().collect::<Vec<_>>())
    };
    assert_eq!(files("*.json"), Ok(vec!["a.json".to_owned()]));
    assert_eq!(files("/a.json"), Ok(vec!["a.json".to_owned()]));
    for directory in ["", "*", "**"] {
        assert!(files(directory).is_err(), "{directory}");
    }
    assert!(select_files(&Linked, "*.json", Globbing::Pathspec).is_err());
}
