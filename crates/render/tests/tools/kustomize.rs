//! Kustomizations.

use argosy_render::{KustomizeVersion, MemoryTree};
use serde_json::{Value, json};

use crate::{Options, data, refused, run};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {v: base}\n";

fn kustomization(text: &str) -> MemoryTree {
    MemoryTree::default()
        .file("k/kustomization.yaml", text)
        .file("base/kustomization.yaml", "resources: [x.yaml]\n")
        .file("base/x.yaml", MAP)
        .file("other/unused.yaml", MAP)
}

fn source(kustomize: Value) -> Value {
    json!({"repoURL": "https://git.example.com/apps.git", "path": "k", "kustomize": kustomize})
}

#[track_caller]
fn fails(text: &str, error: &str) {
    refused(
        kustomization(text),
        source(json!({})),
        &Options::default(),
        error,
    );
}

#[test]
fn every_kind_of_reference_is_there_when_it_is_built() {
    let tree = kustomization(
        "resources: [../base, ../linked]\n\
         components: [../comp]\n\
         patches: [{path: p.yaml}, {target: {kind: ConfigMap}, patch: '[{\"op\": \"add\", \"path\": \"/data/j\", \"value\": \"y\"}]'}]\n\
         patchesStrategicMerge:\n- sm.yaml\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n  data: {sm2: y}\n\
         replacements: [{path: r.yaml}]\n\
         configurations: [conf.yaml]\n\
         crds: [crd.json]\n\
         transformers:\n- tr.yaml\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: t}\n  path: inline.yaml\n  target: {kind: ConfigMap, name: x}\n\
         generators: [gen.yaml]\n\
         secretGenerator: [{name: s, envs: [s.env], files: [key=f.txt, g.txt]}]\n",
    )
    .file("second/kustomization.yml", "resources: [s.yaml]\n")
    .file("second/s.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\n")
    .link("linked", "second")
    .file("comp/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: ConfigMap}, path: c.yaml}]\n")
    .file("comp/c.yaml", "- {op: add, path: /data/c, value: 'y'}\n")
    .file("k/p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {p: y}\n")
    .file("k/sm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {sm: y}\n")
    .file("k/r.yaml", "source: {kind: Service, name: svc, fieldPath: metadata.name}\ntargets: [{select: {kind: ConfigMap}, fieldPaths: [data.v]}]\n")
    .file("k/conf.yaml", "nameReference: []\n")
    .file("k/crd.json", "{}")
    .file("k/tr.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: u}\npath: tp.yaml\ntarget: {kind: ConfigMap, name: x}\n")
    .file("k/tp.yaml", "- {op: add, path: /data/t, value: 'y'}\n")
    .file("k/inline.yaml", "- {op: add, path: /data/i, value: 'y'}\n")
    .file("k/gen.yaml", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: gs}\nfiles: [h.txt]\n")
    .file("k/h.txt", "h")
    .file("k/s.env", "A=b\n")
    .file("k/f.txt", "f")
    .file("k/g.txt", "g");
    let render = run(tree.clone(), source(json!({})), &Options::default());
    assert_eq!(render.manifests.len(), 4);
    assert_eq!(
        data(tree, source(json!({})), &Options::default()),
        json!({"v": "svc", "p": "y", "j": "y", "sm": "y", "sm2": "y", "c": "y", "t": "y", "i": "y"})
    );
}

#[test]
fn only_what_is_used_counts_as_read() {
    let tree = kustomization("resources: [../base]\n");
    let render = run(tree.clone(), source(json!({})), &Options::default());
    let hold = |tree: MemoryTree| render.reads.hold_in(&tree).unwrap();
    assert!(hold(tree.clone().file("other/unused.yaml", "changed")));
    assert!(!hold(tree.clone().file("base/x.yaml", "changed")));
    assert!(!hold(
        tree.file("base/kustomization.yml", "resources: []\n")
    ));
}

/// Remote references, of which some become options of git, and paths: CVE-2026-113708,
/// CVE-2022-24877.
#[test]
fn what_lies_outside_the_repository_is_refused_before_kustomize_sees_it() {
    for remote in [
        "https://example.com/x.yaml",
        "http://127.0.0.1:1/x.yaml",
        "github.com/org/repo//path?ref=v1",
        "git@github.com:org/repo.git",
        "ssh://git@example.com/repo",
        "file:///etc/passwd",
        "git::https://example.com/x",
        "https://example.com/x?ref=--upload-pack=x",
        "ext::sh -c touch% x",
    ] {
        for field in ["resources", "components", "crds", "transformers"] {
            fails(&format!("{field}: ['{remote}']\n"), "is remote");
        }
        fails(&format!("patches: [{{path: '{remote}'}}]\n"), "is remote");
        fails(&format!("openapi: {{path: '{remote}'}}\n"), "is remote");
        fails(
            &format!("secretGenerator: [{{name: s, files: ['k={remote}']}}]\n"),
            "is remote",
        );
    }
    let unrestricted = Options {
        kustomize_settings: "--load-restrictor LoadRestrictionsNone",
        ..Options::default()
    };
    for path in ["/etc/passwd", "../../x", "out"] {
        let tree = kustomization(&format!(
            "secretGenerator: [{{name: s, files: ['k={path}']}}]\n"
        ))
        .link("k/out", "../../x");
        refused(
            tree,
            source(json!({})),
            &unrestricted,
            "lies outside the repository",
        );
    }
    // Go's decoder takes these keys for `resources`, too.
    for key in ["Resources", "re\u{17f}ources"] {
        fails(
            &format!("resources: [../base]\n{key}: ['https://example.com/x']\n"),
            "is remote",
        );
    }
    for (path, text) in [
        ("https://example.com/x", "is remote"),
        ("/etc/passwd", "lies outside the repository"),
        ("../../../x", "lies outside the repository"),
    ] {
        let plugin = kustomization("resources: [../base]\ntransformers: [../a/b/plugins]\n")
            .file("a/b/plugins/kustomization.yaml", "resources: [t.yaml]\n")
            .file(
                "a/b/plugins/t.yaml",
                format!("apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: t}}\nPath: {path}\ntarget: {{kind: ConfigMap}}\n"),
            );
        refused(plugin, source(json!({})), &unrestricted, text);
    }
    let nested = kustomization("resources: [../deep]\n").file(
        "deep/kustomization.yaml",
        "resources: ['https://example.com/x']\n",
    );
    refused(
        nested,
        source(json!({})),
        &Options::default(),
        "deep refers to https://example.com/x",
    );
}

#[test]
fn references_outside_the_kustomization_obey_load_restrictions() {
    let tree = || kustomization("secretGenerator: [{name: s, files: [../base/x.yaml]}]\n");
    refused(
        tree(),
        source(json!({})),
        &Options::default(),
        "is not in or below",
    );
    let unrestricted = Options {
        kustomize_settings: "--load-restrictor=LoadRestrictionsNone",
        ..Options::default()
    };
    assert_eq!(
        run(tree(), source(json!({})), &unrestricted)
            .manifests
            .len(),
        1
    );
}

/// A configuration of Helm's that the repository brings is refused: CVE-2026-113709.
#[test]
fn charts_are_rendered_when_they_are_in_the_repository() {
    let options = Options {
        kustomize_settings: "--enable-helm",
        ..Options::default()
    };
    let chart = |text: &str| {
        kustomization(text)
            .file("k/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
            .file("k/charts/web/values.yaml", "v: default\n")
            .file(
                "k/charts/web/templates/cm.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {v: {{ .Values.v }}, k: {{ .Capabilities.KubeVersion }} }\n",
            )
            .file("k/v.yaml", "v: own\n")
    };
    let local = "helmCharts: [{name: web, releaseName: r, valuesFile: v.yaml}]\n";
    assert_eq!(
        data(chart(local), source(json!({})), &options),
        json!({"v": "own", "k": "v1.31.2"})
    );
    refused(
        chart(local),
        source(json!({})),
        &Options::default(),
        "--enable-helm",
    );
    for (text, error) in [
        (
            "helmCharts: [{name: far, repo: 'https://example.com', version: 1.0.0}]\n",
            "put it into k/charts/far-1.0.0/far",
        ),
        (
            "helmGlobals: {configHome: /root}\n",
            "helmGlobals.configHome",
        ),
        (
            "helmGlobals: {chartHome: /etc}\nhelmCharts: [{name: web}]\n",
            "lies outside the repository",
        ),
        (
            "helmGlobals: {chartHome: ../../x}\nhelmCharts: [{name: web}]\n",
            "lies outside the repository",
        ),
        (
            "helmChartInflationGenerator: [{chartName: web}]\n",
            "use helmCharts",
        ),
    ] {
        refused(chart(text), source(json!({})), &options, error);
    }
}

#[test]
fn fields_of_the_source_are_edits() {
    let tree = || {
        kustomization("resources: [../base]\n")
            .file("comp/one/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"add\", \"path\": \"/data/one\", \"value\": \"y\"}]'}]\n")
            .file("comp/two/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches: [{target: {kind: ConfigMap}, path: p.json}]\n")
            .file("comp/two/p.json", r#"[{"op": "add", "path": "/data/two", "value": "y"}]"#)
            .file("k/own.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {own: y}\n")
    };
    let kustomize = json!({
        "namePrefix": "a-", "nameSuffix": "-b", "namespace": "n",
        "commonLabels": {"l": "$ARGOCD_APP_NAME"},
        "commonAnnotations": {"a": "${ARGOCD_APP_NAME}"}, "commonAnnotationsEnvsubst": true,
        "components": ["../comp/*", "../comp/none"], "ignoreMissingComponents": true,
        "patches": [{"path": "own.yaml"}],
    });
    let render = run(tree(), source(kustomize), &Options::default());
    let object = &render.manifests[0];
    assert_eq!(
        object["metadata"],
        json!({"name": "a-x-b", "namespace": "n", "labels": {"l": "web"}, "annotations": {"a": "web"}})
    );
    assert_eq!(
        object["data"],
        json!({"v": "base", "own": "y", "one": "y", "two": "y"})
    );
    let only_missing = json!({"components": ["../comp/none"], "ignoreMissingComponents": true});
    let render = run(tree(), source(only_missing), &Options::default());
    assert_eq!(render.manifests.len(), 1);
    let missing = json!({"components": ["../comp/none"]});
    refused(tree(), source(missing), &Options::default(), "comp/none");
    let far = json!({"components": ["https://github.com/org/repo"]});
    refused(tree(), source(far), &Options::default(), "is remote");
}

/// CVE-2022-24878.
#[test]
fn a_circle_of_bases_is_an_error() {
    let tree = kustomization("resources: [../other]\n")
        .file("other/kustomization.yaml", "resources: [../k]\n");
    refused(tree, source(json!({})), &Options::default(), "cycle");
}

#[test]
fn the_version_that_a_source_names_builds_it_with_its_own_options() {
    let folder = tempfile::tempdir().unwrap();
    // A program may run what lies beside it, and no other program of its own.
    let program = folder.path().join("kustomize-old");
    let real = folder.path().join("kustomize");
    std::fs::copy(std::env::var("ARGOSY_KUSTOMIZE").unwrap(), &real).unwrap();
    let real = real.display();
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = build ]; then echo \"# $*\"; {real} \"$@\" | sed s/base/old/; else exec {real} \"$@\"; fi\n"
    );
    std::fs::write(&program, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    let versions = [KustomizeVersion {
        name: "v4".to_owned(),
        program,
        build_options: String::new(),
    }];
    let options = Options {
        // Other versions may not know these.
        kustomize_settings: "--unknown-to-all",
        kustomize_versions: Some(&versions),
        ..Options::default()
    };
    let tree = || kustomization("resources: [../base]\n");
    let of = |version: &str| source(json!({"version": version, "namePrefix": "a-"}));
    assert_eq!(data(tree(), of("v4"), &options), json!({"v": "old"}));
    refused(tree(), of("v5"), &options, "v5 is not registered");
    refused(tree(), of(""), &options, "--unknown-to-all");
}

/// A worker has kustomizations in memory and the program on a disk: what they use is the same.
#[test]
fn a_kustomization_is_the_same_in_memory_and_on_a_disk() {
    let tree = kustomization(
        "resources: [../linked/deep, ../other, 'a b-\u{fc}+@(1).yaml']\n\
         configMapGenerator: [{name: g, files: ['./f/../f/x y.txt', 'k=f/x y.txt']}]\n\
         generatorOptions: {disableNameSuffixHash: true}\n",
    )
    .file(
        "other/kustomization.yaml",
        "resources: [unused.yaml]\nnamePrefix: other-\n",
    )
    .link("linked", "far/away")
    .link("far/away/deep", "../../deep")
    .file(
        "deep/kustomization.yaml",
        "resources: [../base]\nnamePrefix: deep-\n",
    )
    .file(
        "k/a b-\u{fc}+@(1).yaml",
        MAP.replace("name: x", "name: odd"),
    )
    .file("k/f/x y.txt", "text");
    let render = run(tree, source(json!({})), &Options::default());
    let mut names: Vec<_> = render
        .manifests
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["deep-x", "g", "odd", "other-x"]);
    let generated = render
        .manifests
        .iter()
        .find(|one| one["metadata"]["name"] == "g");
    assert_eq!(
        generated.unwrap()["data"],
        json!({"x y.txt": "text", "k": "text"})
    );
}

#[test]
fn kustomizations_that_cannot_be_built_are_told_alike() {
    for (text, error) in [
        ("resources: [none.yaml]\n", "none.yaml"),
        ("resources: [../none]\n", "../none"),
        ("resources: [../other]\n", "must build at directory"),
        ("resources: [../base/x.yaml]\n", "is not in or below"),
        ("resources: [.]\n", "cycle"),
        ("nothing: true\n", "unknown field"),
        ("patches: [{path: none.yaml}]\n", "none.yaml"),
        (
            "resources: [../base, ../base]\n",
            "may not add resource with an already registered id",
        ),
        ("configMapGenerator: [{name: g, files: [none]}]\n", "none"),
        (": {", "cannot read k/kustomization.yaml"),
    ] {
        fails(text, error);
    }
    let namespace = json!({"patches": [{"patch": "a: ["}]});
    refused(
        kustomization("resources: [../base]\n"),
        source(namespace),
        &Options::default(),
        "",
    );
}
