//! Grafana's dashboards, made of one source so that they share style and keep the rules of Grafana's
//! dashboard-linter.

mod selected;

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use selected::selected;

/// Grafana's grid has so many columns.
const COLUMNS: u32 = 24;

/// The version of the schema that the JSON has, Grafana 12's.
const SCHEMA: u32 = 41;

const DATASOURCE: &str = "${datasource}";

/// What all dashboards carry, so that they find each other.
const TAG: &str = "argosy";

/// A dashboard as the source describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dashboard {
    file: String,
    title: String,
    description: String,
    variables: Vec<Variable>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Variable {
    /// The scrape that a series comes from; each dashboard has it.
    #[serde(skip)]
    Job,
    /// The hub's process that a series comes from; each dashboard has it.
    #[serde(skip)]
    Instance,
    Cluster,
    Project,
    Application,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    panels: Vec<Panel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    #[serde(default)]
    kind: Kind,
    unit: String,
    description: String,
    #[serde(default)]
    stack: bool,
    #[serde(default)]
    link: Option<Link>,
    /// From which value on each colour holds; the lowest has none.
    #[serde(default)]
    thresholds: BTreeMap<String, Option<f64>>,
    queries: Vec<Query>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Stat,
    #[default]
    Timeseries,
    Table,
    Heatmap,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Link {
    Application,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    expr: String,
    legend: String,
}

/// The dashboards of a source, by file name, as JSON.
pub(crate) fn generate(source: &str) -> anyhow::Result<Vec<(String, String)>> {
    let dashboards: Vec<Dashboard> =
        serde_yaml::from_str(source).context("dashboards/dashboards.yaml cannot be read")?;
    let written = dashboards.iter().map(|dashboard| {
        let text = crate::codegen::sorted_json(dashboard.json())?;
        Ok((format!("{}.json", dashboard.file), text))
    });
    written.collect()
}

impl Dashboard {
    fn json(&self) -> Value {
        json!({
            "annotations": {"list": [syncs()]},
            "description": self.description,
            "editable": false,
            "graphTooltip": 1,
            "links": [{
                "asDropdown": true, "icon": "external link", "includeVars": true, "keepTime": true,
                "tags": [TAG], "targetBlank": false, "title": "Argosy", "type": "dashboards",
            }],
            "panels": self.panels(),
            "refresh": "30s",
            "schemaVersion": SCHEMA,
            "tags": [TAG],
            "templating": {"list": self.variables()},
            "time": {"from": "now-6h", "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": format!("Argosy / {}", self.title),
            "uid": format!("argosy-{}", self.file),
            "version": 1,
        })
    }

    fn variables(&self) -> Vec<Value> {
        let datasource = json!({
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
            "refresh": 1, "includeAll": false, "multi": false, "options": [], "regex": "",
        });
        let hub = [Variable::Job, Variable::Instance];
        let others = hub.iter().chain(&self.variables);
        let others = others.map(|variable| variable.json());
        std::iter::once(datasource).chain(others).collect()
    }

    /// The panels in rows, from left to right and top to bottom.
    fn panels(&self) -> Vec<Value> {
        let mut panels = Vec::new();
        let mut grid = Grid::default();
        for row in &self.rows {
            let (x, y) = grid.place(COLUMNS, 1);
            panels.push(json!({
                "type": "row", "title": row.title, "id": panels.len() + 1, "collapsed": false, "panels": [],
                "gridPos": {"h": 1, "w": COLUMNS, "x": x, "y": y},
            }));
            for panel in &row.panels {
                let (width, height) = panel.kind.size();
                let (x, y) = grid.place(width, height);
                let mut json = panel.json();
                json["id"] = json!(panels.len() + 1);
                json["gridPos"] = json!({"h": height, "w": width, "x": x, "y": y});
                panels.push(json);
            }
        }
        panels
    }
}

/// Where the next panel goes.
#[derive(Default)]
struct Grid {
    x: u32,
    y: u32,
    /// The height of what stands in the current line.
    line: u32,
}

impl Grid {
    fn place(&mut self, width: u32, height: u32) -> (u32, u32) {
        if self.x + width > COLUMNS || (self.x > 0 && height != self.line) {
            self.x = 0;
            self.y += self.line;
            self.line = 0;
        }
        let place = (self.x, self.y);
        self.x += width;
        self.line = self.line.max(height);
        place
    }
}

impl Variable {
    fn json(self) -> Value {
        let (name, label, query) = match self {
            Self::Job => ("job", "job", "label_values(argocd_info, job)"),
            Self::Instance => (
                "instance",
                "instance",
                "label_values(argocd_info{job=~\"$job\"}, instance)",
            ),
            Self::Cluster => (
                "cluster",
                "Cluster",
                "label_values(argocd_cluster_info{job=~\"$job\"}, server)",
            ),
            Self::Project => (
                "project",
                "Project",
                "label_values(argocd_app_info{job=~\"$job\"}, project)",
            ),
            Self::Application => (
                "application",
                "Application",
                "label_values(argocd_app_info{job=~\"$job\",project=~\"$project\"}, name)",
            ),
        };
        // What comes from a hub always says which; other labels may be empty.
        let all = match self {
            Self::Job | Self::Instance => ".+",
            Self::Cluster | Self::Project | Self::Application => ".*",
        };
        json!({
            "name": name, "label": label, "type": "query", "datasource": datasource(),
            "definition": query, "query": {"query": query, "refId": "A"},
            "refresh": 2, "sort": 1, "includeAll": true, "allValue": all, "multi": true,
            "current": {"selected": true, "text": "All", "value": "$__all"}, "options": [], "regex": "",
        })
    }
}

impl Kind {
    fn size(self) -> (u32, u32) {
        match self {
            Self::Stat => (4, 4),
            Self::Timeseries | Self::Heatmap | Self::Table => (12, 8),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Timeseries => "timeseries",
            Self::Table => "table",
            Self::Heatmap => "heatmap",
        }
    }

    fn options(self) -> Value {
        match self {
            Self::Stat => json!({
                "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "textMode": "auto",
                "orientation": "auto",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
            }),
            Self::Timeseries => json!({
                "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom",
                    "showLegend": true},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Self::Table => json!({"cellHeight": "sm", "showHeader": true,
                "sortBy": [{"desc": true, "displayName": "Value"}]}),
            Self::Heatmap => json!({
                "calculate": false, "cellGap": 1, "legend": {"show": true},
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                "tooltip": {"mode": "single", "yHistogram": false}, "yAxis": {"unit": "s"},
            }),
        }
    }
}

impl Panel {
    fn json(&self) -> Value {
        let is_table = self.kind == Kind::Table;
        let is_heatmap = self.kind == Kind::Heatmap;
        let targets = ('A'..).zip(&self.queries).map(|(letter, query)| json!({
            "refId": letter.to_string(), "datasource": datasource(), "editorMode": "code",
            "expr": selected(&query.expr), "legendFormat": query.legend,
            "instant": is_table, "range": !is_table,
            "format": if is_table { "table" } else if is_heatmap { "heatmap" } else { "time_series" },
        }));
        let mut json = json!({
            "type": self.kind.name(),
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "targets": targets.collect::<Vec<_>>(),
            "options": self.kind.options(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": self.overrides()},
        });
        if is_table {
            // Where a sample comes from and when is the same in each row.
            let hidden = ["Time", "__name__", "instance", "job"];
            let hidden: serde_json::Map<_, _> = hidden
                .into_iter()
                .map(|name| (name.to_owned(), Value::Bool(true)))
                .collect();
            json["transformations"] =
                json!([{"id": "organize", "options": {"excludeByName": hidden}}]);
        }
        json
    }

    fn defaults(&self) -> Value {
        let mut defaults = json!({
            "unit": self.unit, "noValue": "none", "color": {"mode": self.color()},
            "thresholds": {"mode": "absolute", "steps": self.steps()},
        });
        if self.kind == Kind::Timeseries {
            let stacking = if self.stack { "normal" } else { "none" };
            defaults["min"] = json!(0);
            defaults["custom"] = json!({
                "drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
                "fillOpacity": if self.stack { 60 } else { 10 },
                "stacking": {"group": "A", "mode": stacking},
            });
        }
        defaults
    }

    fn color(&self) -> &'static str {
        if self.thresholds.is_empty() && self.kind != Kind::Stat {
            "palette-classic"
        } else {
            "thresholds"
        }
    }

    fn steps(&self) -> Vec<Value> {
        let mut steps: Vec<_> = self.thresholds.iter().collect();
        steps.sort_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        if steps.is_empty() {
            return vec![json!({"color": "green", "value": null})];
        }
        let steps = steps.into_iter();
        steps
            .map(|(color, value)| json!({"color": color, "value": value}))
            .collect()
    }

    fn overrides(&self) -> Vec<Value> {
        let Some(Link::Application) = self.link else {
            return Vec::new();
        };
        let url = "/d/argosy-application?${__url_time_range}&var-datasource=${datasource}&var-project=${__data.fields.project}&var-application=${__data.fields.name}";
        vec![json!({
            "matcher": {"id": "byName", "options": "name"},
            "properties": [{"id": "links", "value": [{"title": "Application", "url": url}]}],
        })]
    }
}

/// Marks the syncs on all panels.
fn syncs() -> Value {
    json!({
        "name": "Syncs", "enable": false, "iconColor": "blue", "datasource": datasource(),
        "expr": selected("sum by (project, dest_server, phase) (increase(argocd_app_sync_total[1m])) > 0"),
        "step": "60s", "titleFormat": "Sync {{phase}}", "textFormat": "{{project}} on {{dest_server}}",
        "tagKeys": "project,phase",
    })
}

fn datasource() -> Value {
    json!({"type": "prometheus", "uid": DATASOURCE})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_fill_lines_and_do_not_overlap() {
        let mut grid = Grid::default();
        let places = [(24, 1), (4, 4), (4, 4), (12, 8), (12, 8), (24, 1)];
        let placed: Vec<_> = places.map(|(w, h)| grid.place(w, h)).into();
        assert_eq!(placed, [(0, 0), (0, 1), (4, 1), (0, 5), (12, 5), (0, 13)]);
    }
}
