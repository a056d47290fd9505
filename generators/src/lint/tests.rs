use std::collections::BTreeMap;

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use serde_json::{Value, json};

use super::{Level, Subject, lint};
use crate::facts::{Answer, Cluster, Facts, Request};
use crate::generator::clusters::select_clusters;
use crate::offline::{generate_from, select_directories};
use crate::settings::Settings;

/// A strict Go set whose Applications have this name and path.
fn set(generators: &Value, name: &str, path: &str) -> Value {
    json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": generators,
            "template": {
                "metadata": {"name": name},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": "r", "path": path},
                    "destination": {"name": "in-cluster"},
                },
            },
        },
    })
}

/// The only repository has two directories and a file; the only cluster is `dev`.
fn answer(request: &Request) -> Observed<Answer> {
    match request {
        Request::Project(_) => Observed::complete(Answer::Exists(true)),
        Request::Clusters { generator } => {
            let dev = Cluster {
                name: "dev".to_owned(),
                server: "https://dev.example.com".to_owned(),
                labels: BTreeMap::from([("env".to_owned(), "dev".to_owned())]),
                ..Cluster::default()
            };
            select_clusters(generator, &[dev])
        }
        Request::GitDirectories {
            repo_url, include, ..
        } if repo_url == "r" => {
            let there = ["apps/a".to_owned(), "apps/b".to_owned()];
            Observed::complete(Answer::Directories(select_directories(&there, include)))
        }
        Request::GitFiles {
            repo_url, pattern, ..
        } if repo_url == "r" => {
            let file = (
                "envs/dev.yaml".to_owned(),
                b"region: eu\nteam: {name: web}\n".to_vec(),
            );
            let selected = pattern == "envs/*.yaml";
            Observed::complete(Answer::Files(
                selected.then_some(file).into_iter().collect(),
            ))
        }
        _ => Observed::unknown("nobody said"),
    }
}

/// The findings as `level rule place`.
#[track_caller]
fn found(set: Value) -> Vec<String> {
    let set: ApplicationSet = serde_json::from_value(set).expect("a set");
    let settings = Settings::default();
    let mut facts = Facts::new();
    let expansion = generate_from(&set, &settings, &mut |request| {
        let answer = answer(request);
        facts.insert(request.clone(), answer.clone());
        answer
    });
    let subject = Subject {
        set: &set,
        facts: &facts,
        expansion: &expansion,
        settings: &settings,
    };
    let findings = lint(&subject);
    findings
        .iter()
        .map(|one| format!("{} {} {}", one.level.as_str(), one.rule, one.place))
        .collect()
}

fn dirs() -> Value {
    json!([{"git": {"repoURL": "r", "revision": "main", "directories": [{"path": "apps/*"}]}}])
}

#[test]
fn a_good_set_has_no_findings() {
    assert_eq!(
        found(set(&dirs(), "{{.path.basename}}", "{{.path.path}}")),
        [""; 0]
    );
    let clusters = json!([{"clusters": {
        "selector": {"matchLabels": {"env": "dev"}}, "values": {"tier": "{{.metadata.labels.env}}"}}}]);
    assert_eq!(
        found(set(&clusters, "{{.name}}-{{.values.tier}}", "web")),
        [""; 0]
    );
    let files =
        json!([{"git": {"repoURL": "r", "revision": "main", "files": [{"path": "envs/*.yaml"}]}}]);
    assert_eq!(
        found(set(
            &files,
            "{{.team.name}}-{{.region}}",
            "{{.path.filename}}"
        )),
        [""; 0]
    );
}

#[test]
fn a_template_that_makes_a_key_is_told_that_it_never_makes_it_again() {
    let path = r#"{{ genPrivateKey "ed25519" | sha256sum }}"#;
    assert_eq!(
        found(set(&dirs(), "{{.path.basename}}", path)),
        ["warning fresh-key spec.template.spec.source.path"]
    );
}

#[test]
fn a_parameter_that_is_not_yielded_is_found_in_both_modes() {
    let findings = found(set(&dirs(), "{{.path.basename}}", "{{.pth.path}}"));
    assert!(
        findings.contains(&"error unreachable-parameter spec.template.spec.source.path".to_owned()),
        "{findings:?}"
    );
    let mut fast = set(
        &dirs(),
        "{{path.basename}}",
        "{{path}}/{{path[1]}}/{{pathh}}",
    );
    fast["spec"]["goTemplate"] = json!(false);
    fast["spec"]["goTemplateOptions"] = json!([]);
    assert_eq!(
        found(fast),
        ["error unreachable-parameter spec.template.spec.source.path"]
    );
}

#[test]
fn the_content_of_files_tells_which_parameters_there_are() {
    let files =
        json!([{"git": {"repoURL": "r", "revision": "main", "files": [{"path": "envs/*.yaml"}]}}]);
    let mut lax = set(&files, "{{.team.name}}", "{{.team.nam}}");
    lax["spec"]["goTemplateOptions"] = json!([]);
    assert_eq!(
        found(lax),
        [
            "error unreachable-parameter spec.template.spec.source.path",
            "warning missing-key spec.goTemplateOptions",
        ]
    );
}

#[test]
fn a_later_child_of_a_matrix_sees_earlier_ones_only() {
    let list = json!({"list": {"elements": [{"repo": "r"}]}});
    let git = |url: &str| json!({"git": {"repoURL": url, "revision": "main", "directories": [{"path": "apps/*"}]}});
    let matrix = |children: Value| json!([{"matrix": {"generators": children}}]);
    let name = "{{.path.basename}}-{{.repo}}";
    assert_eq!(
        found(set(&matrix(json!([list, git("{{.repo}}")])), name, "web")),
        [""; 0]
    );
    let findings = found(set(&matrix(json!([git("{{.repo}}"), list])), name, "web"));
    assert!(
        findings.iter().any(|one| one
            == "error unreachable-parameter spec.generators[0].matrix.generators[0].git.repoURL"),
        "{findings:?}"
    );
}

#[test]
fn a_value_that_nothing_names_is_found() {
    let clusters = json!([{"clusters": {"values": {"used": "a", "unused": "b"}}}]);
    assert_eq!(
        found(set(&clusters, "{{.name}}-{{.values.used}}", "web")),
        ["warning unused-value spec.generators[0].clusters.values.unused"]
    );
    let whole = set(&clusters, "{{.name}}", "{{ toJson .values }}");
    assert_eq!(found(whole), [""; 0]);
}

#[test]
fn the_values_of_a_flat_list_see_each_cluster() {
    let flat = json!([{"clusters": {"flatList": true, "values": {"a": "{{.name}}"}}}]);
    let name = "{{ len .clusters }}";
    assert_eq!(found(set(&flat, name, "web")), [""; 0]);
}

#[test]
fn a_patch_that_replaces_a_list_of_the_template_is_found() {
    let mut patched = set(&dirs(), "{{.path.basename}}", "{{.path.path}}");
    patched["spec"]["template"]["spec"]["source"]["helm"] = json!({"valueFiles": ["values.yaml"]});
    patched["spec"]["templatePatch"] = json!(
        "spec:\n  source:\n    helm:\n      valueFiles:\n      {{- range .path.segments }}\n      - {{ . }}.yaml\n      {{- end }}\n"
    );
    assert_eq!(
        found(patched),
        ["warning patch-replaces-list spec.templatePatch: spec.source.helm.valueFiles"]
    );
}

#[test]
fn a_pattern_that_selects_nothing_is_found() {
    let patterns = json!([{"git": {"repoURL": "r", "revision": "main", "directories": [
        {"path": "apps/*"}, {"path": "aps/*"}, {"path": "apps/gone", "exclude": true}]}}]);
    assert_eq!(
        found(set(&patterns, "{{.path.basename}}", "web")),
        [
            "warning empty-glob spec.generators[0].git.directories[1].path",
            "warning empty-glob spec.generators[0].git.directories[2].path"
        ]
    );
    let files =
        json!([{"git": {"repoURL": "r", "revision": "main", "files": [{"path": "none/*.yaml"}]}}]);
    assert_eq!(
        found(set(&files, "{{.path.filename}}", "web")),
        ["warning empty-glob spec.generators[0].git.files[0].path"]
    );
}

#[test]
fn a_selector_that_can_match_nothing_is_found() {
    let with =
        |selector: Value| json!([{"list": {"elements": [{"app": "a"}]}, "selector": selector}]);
    let of = |selector: Value| found(set(&with(selector), "{{.app}}", "web"));
    assert_eq!(of(json!({"matchLabels": {"app": "a"}})), [""; 0]);
    let never = ["error selector-matches-nothing spec.generators[0].selector"];
    assert_eq!(of(json!({"matchLabels": {"ap": "a"}})), never);
    assert_eq!(
        of(json!({"matchExpressions": [
            {"key": "app", "operator": "In", "values": ["a", "b"]},
            {"key": "app", "operator": "NotIn", "values": ["a", "b", "c"]}]})),
        never
    );
    let clusters = json!([{"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}]);
    assert_eq!(
        found(set(&clusters, "{{.name}}", "web")),
        ["warning selector-matches-nothing spec.generators[0].clusters.selector"]
    );
}

#[test]
fn names_that_repeat_are_found() {
    assert_eq!(
        found(set(&dirs(), "web", "{{.path.path}}")),
        ["error duplicate-name spec.template.metadata.name"]
    );
}

#[test]
fn what_cannot_be_known_is_not_judged() {
    let scm = json!([{"scmProvider": {"github": {"organization": "o"}}}]);
    assert_eq!(
        found(set(&scm, "{{.repository}}", "web")),
        ["info generation spec.generators[0].scmProvider"]
    );
    assert_eq!(
        found(set(&scm, "{{.repo}}", "web"))[0],
        "error unreachable-parameter spec.template.metadata.name"
    );
}

#[test]
fn broken_templates_and_idle_options_are_found() {
    let findings = found(set(&dirs(), "{{.path.basename", "web"));
    assert!(
        findings
            .iter()
            .any(|one| one == "error syntax spec.template.metadata.name"),
        "{findings:?}"
    );
    let mut idle = set(&dirs(), "{{path.basename}}", "web");
    idle["spec"]["goTemplate"] = json!(false);
    assert_eq!(found(idle), ["warning missing-key spec.goTemplateOptions"]);
    assert!(Level::Error < Level::Warning, "the worst comes first");
}
