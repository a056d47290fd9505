//! Charts.

use std::sync::Arc;

use argosy_render::{MemoryTree, Refs};
use serde_json::{Value, json};

use crate::{Options, complaints, data, refused, run};

const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  name: {{ .Values.name | quote }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n";

fn chart() -> MemoryTree {
    MemoryTree::default()
        .file(
            "ch/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        )
        .file("ch/values.yaml", "name: base\n")
        .file("ch/templates/cm.yaml", TEMPLATE)
        .file("ch/env/b.yaml", "name: b\n")
        .file("ch/env/a/z.yaml", "name: z\n")
        .file("shared/common.yaml", "name: common\n")
}

fn source(helm: Value) -> Value {
    json!({"repoURL": "https://git.example.com/apps.git", "path": "ch", "helm": helm})
}

#[track_caller]
fn name(tree: MemoryTree, helm: Value) -> Value {
    data(tree, source(helm), &Options::default())["name"].clone()
}

fn fails(tree: MemoryTree, helm: Value, text: &str) {
    refused(tree, source(helm), &Options::default(), text);
}

#[test]
fn values_files_count_in_argo_cds_order() {
    let files = |files: &[&str]| name(chart(), json!({"valueFiles": files}));
    assert_eq!(files(&["/shared/common.yaml"]), "common");
    assert_eq!(files(&["env/**/*.yaml"]), "z");
    assert_eq!(files(&["env/**/*.yaml", "env/b.yaml"]), "b");
    assert_eq!(files(&["env/b.yaml", "env/**/*.yaml"]), "z");
    assert_eq!(
        files(&["env/b.yaml", "../shared/common.yaml", "env/b.yaml"]),
        "common"
    );
    assert_eq!(
        name(
            chart(),
            json!({"valueFiles": ["env/b.yaml"], "values": "name: inline\n"})
        ),
        "inline"
    );
    assert_eq!(
        name(
            chart(),
            json!({"values": "name: text\n", "valuesObject": {"name": "object"},
                   "parameters": [{"name": "name", "value": "$ARGOCD_APP_NAME,${NONE}x"}]})
        ),
        "web,x"
    );
}

#[test]
fn values_files_that_are_missing_are_errors_unless_ignored() {
    for (file, text) in [
        ("nope.yaml", "open nope.yaml: no such file or directory"),
        (
            "nope/*.yaml",
            "values file glob \"nope/*.yaml\" matched no files",
        ),
    ] {
        fails(chart(), json!({"valueFiles": [file]}), text);
        let ignored = json!({"valueFiles": [file], "ignoreMissingValueFiles": true});
        assert_eq!(name(chart(), ignored), "base");
    }
}

/// CVE-2022-24348, CVE-2022-24731, CVE-2022-31036 and, for a lock that is a link, CVE-2025-53547.
#[test]
fn files_never_come_from_outside_the_repository() {
    let values = |path: &str| json!({"valueFiles": [path]});
    let linked = || {
        chart()
            .link("ch/out.yaml", "../../secret.yaml")
            .link("ch/abs.yaml", "/etc/passwd")
    };
    fails(
        linked(),
        values("../../x.yaml"),
        "resolved to outside repository root",
    );
    fails(
        linked(),
        values("/../x.yaml"),
        "resolved to outside repository root",
    );
    fails(
        linked(),
        values("out.yaml"),
        "resolved to outside repository root",
    );
    fails(
        linked(),
        values("ab*.yaml"),
        "resolved to outside repository root",
    );
    fails(chart(), values("/"), "resolved to repository root");
    fails(
        chart(),
        values("file:///etc/passwd"),
        "the URL scheme 'file' is not allowed",
    );
    fails(chart(), values("https://example.com/v.yaml"), "is remote");
    fails(
        chart(),
        json!({"fileParameters": [{"name": "name", "path": "../../etc/passwd"}]}),
        "resolved to outside repository root",
    );
    fails(
        linked(),
        json!({"fileParameters": [{"name": "name", "path": "abs.yaml"}]}),
        "resolved to outside repository root",
    );
    // A link that leads out fails the chart even where nothing names it.
    fails(linked(), json!({}), "leaves the repository");
    for own in ["ch/values.yaml", "ch/Chart.lock", "ch/templates/x.yaml"] {
        let tree = chart().link(own, "../../../other/values.yaml");
        fails(tree, json!({}), "leaves the repository");
    }
}

#[test]
fn references_lead_into_other_repositories() {
    let values = MemoryTree::default()
        .file("prod/web.yaml", "name: referenced\n")
        .file("text", "from a file")
        .link("out.yaml", "../x");
    let refs = Refs::default().with("vals", Arc::new(values));
    let options = Options {
        refs: Some(&refs),
        ..Options::default()
    };
    let of = |helm| data(chart(), source(helm), &options)["name"].clone();
    assert_eq!(
        of(json!({"valueFiles": ["$vals/prod/$ARGOCD_APP_NAME.yaml"]})),
        "referenced"
    );
    assert_eq!(
        of(json!({"valueFiles": ["$vals/prod/**/*.yaml"], "ignoreMissingValueFiles": true})),
        "referenced"
    );
    assert_eq!(
        of(json!({"fileParameters": [{"name": "name", "path": "$vals/text"}]})),
        "from a file"
    );
    for (path, text) in [
        (
            "$vals/../ch/values.yaml",
            "resolved to outside repository root",
        ),
        ("$vals/out.yaml", "resolved to outside repository root"),
        ("$vals", "no file path after the ref name"),
        (
            "$nope/x.yaml",
            "which is not one of the available sources ($vals)",
        ),
    ] {
        refused(
            chart(),
            source(json!({"valueFiles": [path]})),
            &options,
            text,
        );
    }
}

#[test]
fn a_render_depends_on_what_it_read_of_references_only() {
    let values = MemoryTree::default()
        .file("a.yaml", "name: a\n")
        .file("b.yaml", "name: b\n");
    let refs = Refs::default()
        .with("vals", Arc::new(values.clone()))
        .with("unused", Arc::new(values.clone()));
    let options = Options {
        refs: Some(&refs),
        ..Options::default()
    };
    let source = source(json!({"valueFiles": ["$vals/a.yaml"]}));
    let render = run(chart(), source, &options);
    assert_eq!(render.ref_reads.keys().collect::<Vec<_>>(), ["vals"]);
    let reads = &render.ref_reads["vals"];
    assert!(
        reads
            .hold_in(&values.clone().file("b.yaml", "name: c\n"))
            .unwrap()
    );
    assert!(!reads.hold_in(&values.file("a.yaml", "name: c\n")).unwrap());
}

#[test]
fn the_clusters_version_is_used_without_its_vendors_suffix() {
    let kube = |helm| data(chart(), source(helm), &Options::default())["kube"].clone();
    assert_eq!(kube(json!({})), "v1.31.2");
    assert_eq!(kube(json!({"kubeVersion": "v1.27.1+k3s1"})), "v1.27.1");
}

#[test]
fn dependencies_in_the_repository_are_found_and_others_are_not_fetched() {
    let with = |repository: &str| {
        chart()
            .file(
                "ch/Chart.yaml",
                format!(
                    "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: lib, version: 0.1.0, repository: '{repository}'}}\n"
                ),
            )
            .file("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 0.1.0\n")
            .file("lib/templates/s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
    };
    let render = run(
        with("file://../lib"),
        source(json!({})),
        &Options::default(),
    );
    assert_eq!(render.manifests.len(), 2);
    fails(
        with("file://../../lib"),
        json!({}),
        "lies outside the repository",
    );
    fails(with("file:///etc"), json!({}), "does not exist");
    fails(
        with("https://charts.example.com"),
        json!({}),
        "missing in charts/ directory: lib",
    );
}

/// A template reads no file of the machine, no cluster and no name server: CVE-2022-24731,
/// CVE-2020-11013, CVE-2023-25165, CVE-2026-41050.
#[test]
fn templates_reach_nothing_but_their_chart() {
    let template = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data:
  file: {{ .Files.Get "/etc/passwd" | quote }}
  above: {{ .Files.Get "../shared/common.yaml" | quote }}
  all: {{ len (.Files.Glob "/**") }}
  lookup: {{ lookup "v1" "Secret" "" "" | toJson | quote }}
  host: {{ getHostByName "localhost" | quote }}
"#;
    let tree = chart().file("ch/templates/cm.yaml", template);
    let found = data(tree, source(json!({})), &Options::default());
    let nothing = json!({"file": "", "above": "", "all": 0, "lookup": "{}", "host": ""});
    assert_eq!(found, nothing);
}

/// What made Helm panic or fill the memory is an error of the chart: CVE-2022-36055, CVE-2025-55198,
/// CVE-2025-55199, CVE-2025-32387.
#[test]
fn hostile_charts_are_errors() {
    let index = json!({"parameters": [{"name": "a[99999999999]", "value": "1"}]});
    fails(chart(), index, "99999999999");
    let of_chart = |more: &str| {
        let text = format!("apiVersion: v2\nname: web\nversion: 1.0.0\n{more}\n");
        chart().file("ch/Chart.yaml", text)
    };
    for more in ["dependencies: [null]", "maintainers: [null]", "name: ../x"] {
        fails(of_chart(more), json!({}), "");
    }
    let schema = |text: &str| chart().file("ch/values.schema.json", text);
    // A program reads such a file, and a worker cannot.
    complaints(
        schema(r#"{"$ref": "file:///dev/zero"}"#),
        source(json!({})),
        &Options::default(),
        "file:///dev/zero",
    );
    for text in [r#"{"$ref": "http://127.0.0.1:1/x"}"#, &"[".repeat(100_000)] {
        fails(schema(text), json!({}), "");
    }
}

#[test]
fn values_are_never_options() {
    let helm = json!({"releaseName": "--help", "namespace": "-x", "parameters": [{"name": "--debug", "value": "--post-renderer=/bin/sh"}]});
    fails(chart(), helm, "invalid release name");
}

#[test]
fn versions_of_helm_that_do_not_exist_are_refused() {
    fails(
        chart(),
        json!({"version": "v2"}),
        "helm version 'v2' is not supported",
    );
    assert_eq!(name(chart(), json!({"version": "v3"})), "base");
}

/// A worker has charts in memory and the program on a disk: what is in a chart is the same.
#[test]
fn a_chart_is_the_same_in_memory_and_on_a_disk() {
    let map = |name: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n")
    };
    let hook = |name: &str, event: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  \
             annotations: {{helm.sh/hook: {event}}}\n"
        )
    };
    let tree = MemoryTree::default()
        .file(
            "ch/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: application\n\
             dependencies: [{name: sub, version: 1.0.0, condition: on}]\n",
        )
        .file("ch/values.yaml", "\u{feff}on: true\nsub: {name: theirs}\n")
        .file("ch/.helmignore", "# none of these\n*.bak\n/docs/\ntemplates/old/\n")
        .file("ch/docs/a.txt", "a")
        .file("ch/files/a b-\u{fc}+@(1).txt", "text")
        .file("ch/files/x.bak", "text")
        .file("ch/templates/_helpers.tpl", "{{ define \"n\" }}named{{ end }}")
        .file("ch/templates/.hidden.yaml", "not: {{ a template")
        .file("ch/templates/old/a.yaml", "not: {{ a template")
        .file("ch/templates/b.yaml.bak", "not: {{ a template")
        .file("ch/templates/NOTES.txt", "{{ .Release.Name }}")
        .file("ch/templates/a-b/c.yaml", map("{{ include \"n\" . }}"))
        .file("ch/templates/a/c.yaml", map("second"))
        .file(
            "ch/templates/files.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: files}\ndata:\n  \
             names: {{ range $name, $_ := .Files.Glob \"**\" }}{{ $name }};{{ end }}\n",
        )
        .file("ch/templates/hook.yaml", hook("hook", "pre-install"))
        .file("ch/templates/tests/t.yaml", hook("tested", "test"))
        .file("ch/crds/c.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n")
        .file("ch/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n")
        .file("ch/charts/sub/templates/s.yaml", map("{{ .Values.name }}"))
        .link("ch/charts/linked", "../../other")
        .file("other/Chart.yaml", "apiVersion: v1\nname: linked\nversion: 1.0.0\n")
        .file("other/templates/l.yaml", map("linked"));
    let render = run(tree.clone(), source(json!({})), &Options::default());
    let names = |render: &argosy_render::Render| -> Vec<String> {
        let objects = render.manifests.iter();
        let mut names: Vec<_> = objects
            .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let all = [
        "c", "files", "hook", "linked", "named", "second", "tested", "theirs",
    ];
    assert_eq!(names(&render), all);
    let files = render
        .manifests
        .iter()
        .find(|object| object["metadata"]["name"] == "files");
    let seen = files.unwrap()["data"]["names"].as_str().unwrap();
    assert!(seen.contains("files/a b-\u{fc}+@(1).txt"), "{seen}");
    assert!(!seen.contains("docs") && !seen.contains("bak"), "{seen}");
    let less = json!({"skipTests": true, "skipCrds": true, "values": "on: false\n"});
    let render = run(tree, source(less), &Options::default());
    assert_eq!(
        names(&render),
        ["files", "hook", "linked", "named", "second"]
    );
}

#[test]
fn charts_that_cannot_be_rendered_are_told_alike() {
    let of_chart = |text: &str| chart().file("ch/Chart.yaml", text);
    let named = "name: web\nversion: 1.0.0\n";
    for (text, error) in [
        (
            format!("apiVersion: v2\ntype: library\n{named}"),
            "library charts are not installable",
        ),
        (
            format!("apiVersion: v3\n{named}"),
            "invalid chart apiVersion",
        ),
        (
            format!("apiVersion: v9\n{named}"),
            "unsupported chart version",
        ),
        (
            "apiVersion: v2\nname: web\n".to_owned(),
            "chart.metadata.version is required",
        ),
        (
            format!("apiVersion: v2\nkubeVersion: '>9.0.0'\n{named}"),
            "chart requires kubeVersion",
        ),
        (
            format!("apiVersion: v2\n{named}dependencies: [{{name: none, version: '1'}}]\n"),
            "missing in charts/ directory: none",
        ),
        (": {".to_owned(), "cannot load Chart.yaml"),
    ] {
        fails(of_chart(&text), json!({}), error);
    }
    for (path, text, error) in [
        (
            "ch/.helmignore",
            "a/**\n",
            "double-star (**) syntax is not supported",
        ),
        ("ch/values.yaml", "a: [", "cannot load values.yaml"),
        ("ch/templates/bad.yaml", "{{ .a", "web/templates/bad.yaml:1"),
        (
            "ch/templates/bad.yaml",
            "a: b: c\n",
            "YAML parse error on web/templates/bad.yaml",
        ),
        (
            "ch/templates/bad.yaml",
            "{{ fail \"no\" }}",
            "execution error at (web/templates/bad.yaml:1:3): no",
        ),
        ("ch/env/b.yaml", "a: [", "failed to parse ch/env/b.yaml"),
    ] {
        fails(
            chart().file(path, text),
            json!({"valueFiles": ["env/b.yaml"]}),
            error,
        );
    }
    let large = chart().file("ch/large.txt", vec![b'x'; 6 * 1024 * 1024]);
    fails(
        large,
        json!({}),
        "\"large.txt\" is larger than the maximum file size",
    );
    for (helm, error) in [
        (
            json!({"values": "a: ["}),
            "failed to parse the source's values",
        ),
        (json!({"kubeVersion": "x.y"}), "invalid kube version"),
        (
            json!({"parameters": [{"name": "a[x]", "value": "1"}]}),
            "failed parsing --set data",
        ),
    ] {
        fails(chart(), helm, error);
    }
}
