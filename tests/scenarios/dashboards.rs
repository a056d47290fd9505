//! The dashboards keep the rules that Grafana's dashboard-linter documents, but for what
//! `dashboards/.lint` leaves out with a reason. The linter itself is not run: its module is not in
//! every proxy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;

/// Units of Grafana.
const UNITS: [&str; 9] = [
    "bytes",
    "eps",
    "none",
    "opm",
    "ops",
    "percentunit",
    "reqps",
    "s",
    "short",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

fn dashboards() -> Vec<Value> {
    let files = std::fs::read_dir(folder()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|one| one == "json"));
    files
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

/// A breach of a rule, as the linter names it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    rule: &'static str,
    dashboard: String,
    panel: String,
}

struct Judge {
    dashboard: String,
    breaches: BTreeSet<Breach>,
}

impl Judge {
    fn demand(&mut self, holds: bool, rule: &'static str, panel: &str) {
        if !holds {
            self.breaches.insert(Breach {
                rule,
                dashboard: self.dashboard.clone(),
                panel: panel.to_owned(),
            });
        }
    }

    fn variables(&mut self, variables: &[Value]) {
        let sources = variables.iter().filter(|one| one["type"] == "datasource");
        let sources: Vec<_> = sources.map(|one| (&one["name"], &one["label"])).collect();
        let is_one = sources.len() == 1 && *sources[0].0 == "datasource";
        let is_labelled = is_one && *sources[0].1 == "Data source";
        self.demand(is_labelled, "template-datasource-rule", "");
        for (name, rule) in [
            ("job", "template-job-rule"),
            ("instance", "template-instance-rule"),
        ] {
            let found = variables.iter().find(|one| one["name"] == name);
            let holds = found.is_some_and(|one| {
                one["label"] == name
                    && one["type"] == "query"
                    && one["datasource"]["uid"] == "${datasource}"
                    && one["multi"] == true
                    && one["allValue"] == ".+"
            });
            self.demand(holds, rule, "");
        }
        let asked = Regex::new(r"^label_values\(\w+(\{[^{}]*\})?, \w+\)$").unwrap();
        for one in variables.iter().filter(|one| one["type"] == "query") {
            let query = one["query"]["query"].as_str().unwrap();
            let is_query = asked.is_match(query);
            self.demand(is_query, "template-label-promql-rule", query);
            let reloads = one["refresh"] == 2;
            self.demand(reloads, "template-on-time-change-reload-rule", query);
        }
    }

    fn panel(&mut self, panel: &Value) {
        let title = panel["title"].as_str().unwrap_or_default();
        let has = |key: &str| panel[key].as_str().is_some_and(|text| !text.is_empty());
        let is_told = has("title") && has("description");
        self.demand(is_told, "panel-title-description-rule", title);
        let is_templated = panel["datasource"]["uid"] == "${datasource}";
        self.demand(is_templated, "panel-datasource-rule", title);
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        let is_unit = unit.is_some_and(|unit| UNITS.contains(&unit));
        self.demand(is_unit, "panel-units-rule", title);
        let targets = panel["targets"].as_array().unwrap();
        self.demand(!targets.is_empty(), "panel-no-targets-rule", title);
        for target in targets {
            self.query(target["expr"].as_str().unwrap(), title);
        }
    }

    fn query(&mut self, query: &str, panel: &str) {
        let rates = Regex::new(r"\b(?:rate|irate|increase)\([^\[]*\[([^\]]*)\]").unwrap();
        let is_even = |found: regex::Captures<'_>| &found[1] == "$__rate_interval";
        let all_even = rates.captures_iter(query).all(is_even);
        self.demand(all_even, "target-rate-interval-rule", panel);
        let quoted = Regex::new(r#""[^"]*""#).unwrap();
        let bare = quoted.replace_all(query, "\"\"");
        let metric = r"\b(?:argocd_|argosy_|argosy:|workqueue_|process_)[\w:]*(\{[^}]*\})?";
        for found in Regex::new(metric).unwrap().captures_iter(&bare) {
            let matchers = found.get(1).map_or("", |one| one.as_str());
            for (name, rule) in [
                ("job=~", "target-job-rule"),
                ("instance=~", "target-instance-rule"),
            ] {
                self.demand(matchers.contains(name), rule, panel);
            }
        }
        let count = |name: &str| query.matches(name).count();
        let is_chosen = count("job=~") == count("job=~\"$job\"")
            && count("instance=~") == count("instance=~\"$instance\"");
        self.demand(is_chosen, "target-job-rule", panel);
    }
}

#[test]
fn the_dashboards_keep_the_rules_of_grafanas_linter() {
    let mut breaches = BTreeSet::new();
    for dashboard in dashboards() {
        let mut judge = Judge {
            dashboard: dashboard["title"].as_str().unwrap().to_owned(),
            breaches: BTreeSet::new(),
        };
        let is_fixed = dashboard["editable"] == false;
        judge.demand(is_fixed, "template-uneditable-rule", "");
        judge.variables(dashboard["templating"]["list"].as_array().unwrap());
        let panels = dashboard["panels"].as_array().unwrap();
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            judge.panel(panel);
        }
        breaches.append(&mut judge.breaches);
    }
    let text = std::fs::read_to_string(folder().join(".lint")).unwrap();
    let left_out: Value = serde_yaml::from_str(&text).unwrap();
    breaches.retain(|breach| {
        let exclusion = &left_out["exclusions"][breach.rule];
        let entries = exclusion["entries"].as_array();
        !entries.into_iter().flatten().any(|entry| {
            entry["dashboard"] == breach.dashboard.as_str()
                && entry["panel"] == breach.panel.as_str()
        })
    });
    assert_eq!(breaches, BTreeSet::new());
}
