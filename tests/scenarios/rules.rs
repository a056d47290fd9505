//! Alerts, recording rules and dashboards: each rule fires and clears, has a runbook, and names only
//! metrics that a hub exposes; every panel shows data of a real hub in a real Prometheus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use argosy::demo::{Prometheus, Rules};
use argosy::metrics::declarations;
use argosy_test_support::manifest::deployment;
use argosy_test_support::wait::comes_true;
use regex::Regex;
use serde_json::{Value, json};

use crate::busy::busy;
use crate::fleet::Fleet;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn alerts_folder() -> PathBuf {
    Path::new(ROOT).join("dashboards/alerts")
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The rules of a file.
fn rules(file: &str) -> Vec<Value> {
    let groups = yaml(&alerts_folder().join(file))["groups"].clone();
    let groups = groups.as_array().unwrap().clone();
    let rules = groups
        .iter()
        .map(|group| group["rules"].as_array().unwrap());
    rules.flatten().cloned().collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A panel's question, and where it stands.
struct Asked {
    place: String,
    expr: String,
}

/// What all panels ask.
fn panels() -> Vec<Asked> {
    let folder = Path::new(ROOT).join("dashboards");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut asked = Vec::new();
    for path in files.filter(|path| path.extension().is_some_and(|one| one == "json")) {
        let dashboard: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            if panel["type"] == "row" {
                continue;
            }
            let place = format!("{} / {}", text(&dashboard, "title"), text(panel, "title"));
            assert!(!text(panel, "description").is_empty(), "{place}");
            assert!(
                panel["fieldConfig"]["defaults"]["unit"].is_string(),
                "{place}"
            );
            let targets = panel["targets"].as_array().unwrap();
            asked.extend(targets.iter().map(|target| Asked {
                place: place.clone(),
                expr: text(target, "expr").to_owned(),
            }));
        }
    }
    asked
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .current_dir(alerts_folder())
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("promtool (Debian package prometheus): {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
}

#[test]
fn prometheus_accepts_the_rules() {
    promtool(&["check", "rules", "alerts.yaml", "records.yaml"]);
}

#[test]
fn each_alert_fires_alone_and_clears() {
    let tests = yaml(&alerts_folder().join("tests/alerts.yaml"));
    let tests = tests["tests"].as_array().unwrap();
    let all = "count by (alertname) (ALERTS{alertstate=\"firing\"})";
    for rule in rules("alerts.yaml") {
        let alert = text(&rule, "alert");
        let test = tests.iter().find(|test| test["name"] == alert);
        let cases = test.unwrap_or_else(|| panic!("{alert} has no test"));
        let cases = cases["promql_expr_test"].as_array().unwrap();
        assert!(cases.iter().all(|case| case["expr"] == all), "{alert}");
        let fires = json!([{"labels": format!("{{alertname=\"{alert}\"}}"), "value": 1}]);
        let samples: Vec<_> = cases.iter().map(|case| &case["exp_samples"]).collect();
        assert_eq!(samples, [&fires, &json!([])], "{alert}");
    }
    promtool(&["test", "rules", "tests/alerts.yaml"]);
}

#[test]
fn each_alert_has_a_severity_and_a_runbook_and_each_runbook_an_alert() {
    let folder = Path::new(ROOT).join("docs/runbooks");
    let mut pages: BTreeSet<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(pages.remove("README.md"));
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for rule in rules("alerts.yaml") {
        let alert = text(&rule, "alert");
        let page = format!("{alert}.md");
        assert!(pages.remove(&page), "{alert} has no runbook");
        assert!(text(&rule["annotations"], "runbook_url").ends_with(&page));
        let severity = text(&rule["labels"], "severity");
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{alert}"
        );
        let written = std::fs::read_to_string(folder.join(&page)).unwrap();
        let told = format!("Severity {severity}");
        let headings = ["## What it means", "## How to look", "## How to fix it"];
        for part in headings.into_iter().chain([told.as_str()]) {
            assert!(written.contains(part), "{page} lacks {part}");
        }
        assert!(index.contains(&format!("[{alert}]({page})")), "{alert}");
    }
    assert!(pages.is_empty(), "runbooks without an alert: {pages:?}");
}

#[test]
fn rules_and_panels_name_only_what_a_hub_exposes() {
    let mut known = BTreeSet::new();
    for declared in declarations().unwrap() {
        if declared.kind == "histogram" {
            for part in ["bucket", "sum", "count"] {
                known.insert(format!("{}_{part}", declared.name));
            }
        } else {
            known.insert(declared.name);
        }
    }
    let records = rules("records.yaml");
    known.extend(records.iter().map(|rule| text(rule, "record").to_owned()));
    let of_rules = rules("alerts.yaml").into_iter().chain(records);
    let of_rules = of_rules.map(|rule| Asked {
        place: format!("{}{}", text(&rule, "alert"), text(&rule, "record")),
        expr: text(&rule, "expr").to_owned(),
    });
    let quoted = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    let name =
        Regex::new(r"\b(?:argocd_|argosy_|argosy:|workqueue_|process_)[A-Za-z0-9_:]*").unwrap();
    for asked in of_rules.chain(panels()) {
        let bare = quoted.replace_all(&asked.expr, "");
        let mut named = name.find_iter(&bare).map(|found| found.as_str()).peekable();
        assert!(named.peek().is_some(), "{} names no metric", asked.place);
        for metric in named {
            assert!(known.contains(metric), "{} names {metric}", asked.place);
        }
    }
}

/// Has everything asked, rendered and synced once more.
async fn stir(fleet: &Fleet, round: u64) {
    let image = format!("web:{round}");
    fleet.commit(&[("web/web.yaml", &deployment("web", &image))]);
    fleet.push();
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
    for name in ["artifact", "broken"] {
        fleet.change(name, refresh.clone()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_shows_data_of_a_real_hub() {
    let busy = busy().await;
    let folder = tempfile::tempdir().unwrap();
    let second = Duration::from_secs(1);
    let prometheus = Prometheus::start(folder.path(), busy.address, second, &Rules::default())
        .await
        .unwrap();
    let client = reqwest::Client::new();
    let mut left = panels();
    assert!(left.len() > 90, "{} queries", left.len());
    let mut round = 1;
    let complete = comes_true(async || {
        round += 1;
        stir(&busy.fleet, round).await;
        let mut silent = Vec::new();
        for asked in std::mem::take(&mut left) {
            if !has_data(&client, &prometheus, &asked.expr).await {
                silent.push(asked);
            }
        }
        left = silent;
        left.is_empty()
    })
    .await;
    let silent: Vec<_> = left
        .iter()
        .map(|asked| format!("{}: {}", asked.place, asked.expr))
        .collect();
    assert!(complete, "without data:\n{}", silent.join("\n"));
}

/// Whether Prometheus finds a number for a panel's question, with everything selected.
async fn has_data(client: &reqwest::Client, prometheus: &Prometheus, expr: &str) -> bool {
    let mut query = expr.to_owned();
    for (variable, value) in [
        ("$__rate_interval", "1m"),
        ("$__range", "5m"),
        ("$job", ".+"),
        ("$instance", ".+"),
        ("$cluster", ".*"),
        ("$project", ".*"),
        ("$application", ".*"),
    ] {
        query = query.replace(variable, value);
    }
    let address = format!("http://{}/api/v1/query", prometheus.address);
    let url = url::Url::parse_with_params(&address, [("query", &query)]).unwrap();
    let answer = client.get(url).send().await.unwrap();
    let answer = answer.text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["status"], "success", "{query}: {answer}");
    let series = answer["data"]["result"].as_array().unwrap();
    let is_number = |one: &Value| {
        let value = one["value"][1].as_str().unwrap_or_default();
        value.parse::<f64>().is_ok_and(f64::is_finite)
    };
    series.iter().any(is_number)
}
