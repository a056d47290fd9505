//! Dependencies of a chart that lie elsewhere in its repository (`file://…`).
//!
//! They are put where Helm looks for them. Nothing is ever downloaded.

use serde_json::Value;

use crate::{
    path::TreePath,
    tool::workspace::Workspace,
    tree::{Kind, TreeError},
    view::View,
};

/// Puts every `file://` dependency that is not in the chart's `charts` directory there.
pub(super) fn vendor(view: &View, workspace: &Workspace, chart: &TreePath) -> Result<(), String> {
    for (name, path) in local(view, chart).map_err(|error| error.to_string())? {
        let place = charts(chart, &name).ok_or_else(|| format!("{name:?} is no chart's name"))?;
        let outside =
            |_| format!("the dependency {name} at file://{path} lies outside the repository");
        let from = chart.join(&format!("./{path}")).map_err(outside)?;
        let target = view.resolve(&from).map_err(|error| error.to_string())?;
        let target = target.filter(|target| target.kind == Kind::Directory);
        let Some(target) = target else {
            return Err(format!(
                "the dependency {name} at file://{path} does not exist: there is no directory {from}"
            ));
        };
        if workspace.at(&place).exists() || target.path == *chart {
            continue;
        }
        workspace
            .copy(view, &place, &target.path)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Name and path of the dependencies with a `file://` address.
fn local(view: &View, chart: &TreePath) -> Result<Vec<(String, String)>, TreeError> {
    let mut found = Vec::new();
    for file in ["Chart.yaml", "requirements.yaml"] {
        let Some(path) = chart.child(file) else {
            continue;
        };
        let is_file = view
            .resolve(&path)?
            .is_some_and(|target| target.kind == Kind::File);
        if !is_file {
            continue;
        }
        // What cannot be read as YAML is for Helm to complain about.
        let text = argosy_yaml::decode(&view.read(&path)?).ok();
        let value = text.and_then(|text| argosy_yaml::from_str(&text).ok());
        let value = value.unwrap_or(Value::Null);
        for dependency in value["dependencies"].as_array().into_iter().flatten() {
            let field = |name: &str| dependency[name].as_str().unwrap_or_default().to_owned();
            if let Some(path) = field("repository").strip_prefix("file://") {
                found.push((field("name"), path.to_owned()));
            }
        }
    }
    Ok(found)
}

/// Where Helm looks for a dependency of this name.
fn charts(chart: &TreePath, name: &str) -> Option<TreePath> {
    chart.child("charts")?.child(name)
}
