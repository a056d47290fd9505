//! What cannot be expanded is told with the set, the generator, the parameters and the path in the template, in both
//! modes; and never with a text that differs from one attempt to the next.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::ApplicationSet;
use argosy_generators::offline::{GitTree, World, generate};
use argosy_generators::{Cluster, Error, Settings};
use serde_json::{Value, json};

struct Files(BTreeMap<&'static str, &'static str>);

impl GitTree for Files {
    fn paths(&self) -> Vec<String> {
        self.0.keys().map(|path| (*path).to_owned()).collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.0.get(path).map(|text| text.as_bytes().to_vec());
        found.ok_or_else(|| format!("there is no {path}"))
    }
}

fn error(go: bool, generators: &Value, change: impl FnOnce(&mut Value)) -> Error {
    let mut set = json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": go, "goTemplateOptions": ["missingkey=error"],
            "generators": generators,
            "template": {
                "metadata": {"name": "app"},
                "spec": {"project": "default", "destination": {"name": "in-cluster", "namespace": "x"},
                         "source": {"repoURL": "https://git.example.com/r.git", "path": "p"}},
            },
        },
    });
    change(&mut set["spec"]);
    let set: ApplicationSet = serde_json::from_value(set).expect("a set");
    let files = Files(BTreeMap::from([
        ("apps/a/config.json", "{\"team\": \"blue\"}"),
        ("apps/b/config.json", "{\"team\": "),
    ]));
    let world = World {
        projects: BTreeSet::from(["default".to_owned()]),
        clusters: ["dev", "prod"].map(cluster).to_vec(),
        trees: &|url, _| match url {
            "gone" => Err("cannot reach the repository gone: connection refused".to_owned()),
            _ => Ok(Box::new(Files(files.0.clone()))),
        },
    };
    let attempt = || generate(&set, &world, &Settings::default()).err();
    let first = attempt().expect("an error");
    assert_eq!(Some(&first), attempt().as_ref(), "the text is volatile");
    first
}

fn cluster(name: &str) -> Cluster {
    Cluster {
        name: name.to_owned(),
        server: format!("https://{name}.example.com"),
        ..Cluster::default()
    }
}

/// Checks the condition's text: what happened and where.
#[track_caller]
fn told(error: &Error, message: &str, place: &str) {
    let text = error.to_string();
    assert!(text.contains(message), "{text}\nlacks {message}");
    assert_eq!(error.place, place);
    assert!(
        text.ends_with(&format!("(ApplicationSet argocd/fleet, {place})")),
        "{text}"
    );
}

fn list() -> Value {
    json!([{"list": {"elements": [{"name": "dev", "path": "a"}, {"name": "prod", "path": "b"}]}}])
}

#[test]
fn a_text_that_cannot_be_rendered_names_its_path_and_the_parameters() {
    let path = |text: &'static str| {
        move |spec: &mut Value| spec["template"]["spec"]["source"]["path"] = json!(text)
    };
    let place = "spec.template.spec.source.path for parameter set 0 {name: dev, path: a} of spec.generators[0].list";
    let fast = error(false, &list(), path("{{name}}/{{name"));
    told(&fast, "Cannot find end tag=\"}}\"", place);
    let go = error(true, &list(), path("{{.name}}/{{.nope}}"));
    told(&go, "map has no entry for key \"nope\"", place);
    let go = error(true, &list(), path("{{.name}}/{{.nope"));
    told(&go, "failed to parse template {{.name}}/{{.nope", place);
    let second = error(
        true,
        &list(),
        path("{{ if eq .name \"prod\" }}{{ fail \"no\" }}{{ end }}"),
    );
    told(
        &second,
        "error calling fail: no",
        "spec.template.spec.source.path for parameter set 1 {name: prod, path: b} of spec.generators[0].list",
    );
}

#[test]
fn keys_lists_and_patches_have_paths_too() {
    let parameters = "for parameter set 0 {name: dev, path: a} of spec.generators[0].list";
    let key =
        |spec: &mut Value| spec["template"]["metadata"]["labels"] = json!({"x/{{.nope}}": "y"});
    told(
        &error(true, &list(), key),
        "no entry for key",
        &format!("spec.template.metadata.labels {parameters}"),
    );
    for (go, text) in [(true, "{{.nope}}"), (false, "{{name}}{{name")] {
        let item = |spec: &mut Value| {
            spec["template"]["spec"]["source"]["kustomize"] = json!({"images": ["a", text]});
        };
        told(
            &error(go, &list(), item),
            "",
            &format!("spec.template.spec.source.kustomize.images[1] {parameters}"),
        );
        let patch = |spec: &mut Value| spec["templatePatch"] = json!(text);
        told(
            &error(go, &list(), patch),
            "error replacing values in templatePatch",
            &format!("spec.templatePatch {parameters}"),
        );
        let patch = |spec: &mut Value| spec["templatePatch"] = json!("spec: [not, a, map]");
        told(
            &error(go, &list(), patch),
            "invalid templatePatch",
            &format!("spec.templatePatch {parameters}"),
        );
    }
}

#[test]
fn a_generator_is_named_by_its_path() {
    let git = |url: &str, more: Value| {
        let mut git = json!({"git": {"repoURL": url, "revision": "HEAD"}});
        git["git"]
            .as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        git
    };
    let directories = json!({"directories": [{"path": "apps/*"}]});
    let matrix =
        |children: Value| json!([{"list": {"elements": []}}, {"matrix": {"generators": children}}]);
    for go in [false, true] {
        told(
            &error(go, &json!([git("gone", directories.clone())]), |_| {}),
            "connection refused",
            "spec.generators[0].git",
        );
        let nested = json!({"merge": {"mergeKeys": ["path"], "generators": [{"clusters": {}}, git("gone", directories.clone())]}});
        told(
            &error(go, &matrix(json!([{"clusters": {}}, nested])), |_| {}),
            "failed to get params for second generator in the matrix generator",
            "spec.generators[1].matrix.generators[1].merge.generators[1].git",
        );
        let selector = json!({"matchExpressions": [{"key": "env", "operator": "Is"}]});
        told(
            &error(go, &json!([{"clusters": {"selector": selector}}]), |_| {}),
            "\"Is\" is not a valid label selector operator",
            "spec.generators[0].clusters",
        );
        let mut selected = list();
        selected[0]["selector"] = selector;
        told(
            &error(go, &selected, |_| {}),
            "error parsing label selector",
            "spec.generators[0].selector",
        );
        let files = json!({"files": [{"path": "apps/*/config.json"}]});
        told(
            &error(go, &json!([git("r", files)]), |_| {}),
            "unable to process file 'apps/b/config.json' from repository 'r'",
            "spec.generators[0].git",
        );
    }
}

#[test]
fn parameters_of_a_matrix_or_of_values_are_named() {
    for (go, bad, name) in [
        (false, "{{name}}{{x", "{{name}}"),
        (true, "{{.nope}}", "{{.name}}"),
    ] {
        let values = json!([{"clusters": {"selector": {"matchLabels": {}}, "values": {"a": name, "z": bad}}}]);
        told(
            &error(go, &values, |_| {}),
            "failed to append templated values",
            "spec.generators[0].clusters.values.z for parameters {name: dev, server: https://dev.example.com, project: , …}",
        );
        let git =
            json!({"git": {"repoURL": "r", "revision": "HEAD", "directories": [{"path": bad}]}});
        let children = json!([list()[0], git]);
        told(
            &error(go, &json!([{"matrix": {"generators": children}}]), |_| {}),
            "failed to get params for second generator",
            "spec.generators[0].matrix.generators[1].git.directories[0].path for parameters {name: dev, path: a}",
        );
    }
}

#[test]
fn a_template_bomb_is_an_error_like_any_other() {
    for (bomb, why) in [
        (
            "{{ range until 1000000 }}{{ range until 1000 }}{{ end }}{{ end }}",
            "more than 1000000 steps",
        ),
        (
            "{{ repeat 1000000000 \"x\" }}",
            "longer than 16777216 bytes",
        ),
        (
            "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
            "maximum template depth (100)",
        ),
        (
            "{{ regexMatch \"((a{0,1000}){0,1000}){0,1000}\" .name }}",
            "when compiled",
        ),
        ("{{ until 1000000000 }}", "more than 1000000 elements"),
    ] {
        let name = |spec: &mut Value| spec["template"]["metadata"]["name"] = json!(bomb);
        told(
            &error(true, &list(), name),
            why,
            "spec.template.metadata.name for parameter set 0 {name: dev, path: a} of spec.generators[0].list",
        );
        let values = json!([{"clusters": {"values": {"bomb": bomb}}}]);
        let failed = error(true, &values, |_| {});
        assert!(failed.message.contains(why), "{failed}");
        assert!(
            failed
                .place
                .starts_with("spec.generators[0].clusters.values.bomb"),
            "{failed}"
        );
        let patch = |spec: &mut Value| spec["templatePatch"] = json!(bomb);
        assert!(error(true, &list(), patch).message.contains(why));
    }
}
