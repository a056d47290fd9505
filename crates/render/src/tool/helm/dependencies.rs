//! A chart's dependencies: those that lie elsewhere in its repository (`file://…`), and those that
//! were fetched.
//!
//! They are put where Helm looks for them. Nothing is downloaded here.

use serde_json::Value;

use crate::{
    needs::{Dependency, Fetched, Need},
    path::TreePath,
    tool::selection::Selection,
    tree::{Kind, TreeError},
    view::View,
};

/// Puts every `file://` dependency that is not in the chart's `charts` directory there.
pub(super) fn vendor(
    view: &View,
    selection: &mut Selection,
    chart: &TreePath,
) -> Result<(), String> {
    for dependency in declared(view, chart).map_err(|error| error.to_string())? {
        let Dependency {
            name, repository, ..
        } = dependency;
        let Some(path) = repository.strip_prefix("file://") else {
            continue;
        };
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
        if selection.has(&place) || target.path == *chart {
            continue;
        }
        selection
            .copy(view, &place, &target.path)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The dependencies of other repositories that are not in the chart's `charts` directory.
pub(super) fn missing(view: &View, chart: &TreePath) -> Result<Vec<Dependency>, TreeError> {
    let mut missing = declared(view, chart)?;
    missing.retain(|one| !one.repository.is_empty() && !one.repository.starts_with("file://"));
    if missing.is_empty() {
        return Ok(missing);
    }
    let vendored = vendored(view, chart)?;
    missing.retain(|one| !vendored.iter().any(|entry| is_of(entry, &one.name)));
    let locked = dependencies(view, chart, &["Chart.lock", "requirements.lock"])?;
    for one in &mut missing {
        let lock = locked.iter().find(|locked| locked.name == one.name);
        one.locked = lock.map(|locked| locked.version.clone());
    }
    Ok(missing)
}

/// Puts what was fetched where Helm looks for it.
pub(super) fn unpack(
    missing: &[Dependency],
    fetched: &Fetched,
    selection: &mut Selection,
    chart: &TreePath,
) -> Result<(), String> {
    for (number, one) in missing.iter().enumerate() {
        let Some(archive) = fetched.get(&Need::Chart(one.clone())) else {
            continue;
        };
        let file = charts(chart, &format!("{}-{number}.tgz", one.name));
        let file = file.ok_or_else(|| format!("{:?} is no chart's name", one.name))?;
        selection
            .put(&file, archive.to_vec())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The names in the chart's `charts` directory.
fn vendored(view: &View, chart: &TreePath) -> Result<Vec<String>, TreeError> {
    let Some(charts) = chart.child("charts") else {
        return Ok(Vec::new());
    };
    match view.resolve(&charts)? {
        Some(target) if target.kind == Kind::Directory => {
            let entries = view.list(&target.path)?.into_iter();
            Ok(entries.map(|entry| entry.name).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether `entry` is the directory or the archive of the chart `name`.
fn is_of(entry: &str, name: &str) -> bool {
    let Some(rest) = entry.strip_prefix(name) else {
        return false;
    };
    let version = rest
        .strip_prefix('-')
        .and_then(|rest| rest.strip_suffix(".tgz"));
    let version = version.map(|version| version.strip_prefix('v').unwrap_or(version));
    rest.is_empty() || version.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
}

/// The dependencies that the chart declares.
fn declared(view: &View, chart: &TreePath) -> Result<Vec<Dependency>, TreeError> {
    dependencies(view, chart, &["Chart.yaml", "requirements.yaml"])
}

/// The dependencies in these files of the chart.
fn dependencies(
    view: &View,
    chart: &TreePath,
    files: &[&str],
) -> Result<Vec<Dependency>, TreeError> {
    let mut found = Vec::new();
    for path in files.iter().filter_map(|file| chart.child(file)) {
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
            found.push(Dependency {
                name: field("name"),
                repository: field("repository"),
                version: field("version"),
                locked: None,
            });
        }
    }
    Ok(found)
}

/// Where Helm looks for a dependency of this name.
fn charts(chart: &TreePath, name: &str) -> Option<TreePath> {
    chart.child("charts")?.child(name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::MemoryTree;

    /// CVE-2026-35206 and its like: a name is one folder below `charts`, or none.
    #[test]
    fn a_dependency_has_no_place_but_one_below_its_chart() {
        for name in ["..", ".", "", "a/b", "../../x", "/etc"] {
            let declared = format!(
                "dependencies: [{{name: '{name}', version: 1.0.0, repository: 'file://../lib'}}]"
            );
            let tree = MemoryTree::default()
                .file("c/Chart.yaml", declared)
                .file("lib/Chart.yaml", "name: lib\n");
            let chart = TreePath::parse("c").unwrap();
            let view = View::new(Arc::new(tree));
            let refused = vendor(&view, &mut Selection::default(), &chart);
            assert!(refused.is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_is_vendored_or_local_is_not_missing_and_the_lock_fixes_the_rest() {
        let tree = MemoryTree::default()
            .file(
                "c/Chart.yaml",
                "dependencies:\n\
                 - {name: redis, version: ^1, repository: 'https://e/x'}\n\
                 - {name: db, version: ^2, repository: 'oci://e/y'}\n\
                 - {name: dir, version: 1.0.0, repository: '@stable'}\n\
                 - {name: near, version: 1.0.0, repository: 'file://../near'}\n\
                 - {name: own, version: 1.0.0}\n",
            )
            .file(
                "c/Chart.lock",
                "dependencies:\n- {name: redis, version: 1.4.0}\n",
            )
            .file("c/charts/redis-cluster-1.0.0.tgz", "")
            .file("c/charts/db-v2.0.0.tgz", "")
            .file("c/charts/dir/Chart.yaml", "name: dir\n");
        let view = View::new(Arc::new(tree));
        let missing = missing(&view, &TreePath::parse("c").unwrap()).unwrap();
        let expected = Dependency {
            name: "redis".into(),
            repository: "https://e/x".into(),
            version: "^1".into(),
            locked: Some("1.4.0".into()),
        };
        assert_eq!(missing, [expected]);
    }
}
