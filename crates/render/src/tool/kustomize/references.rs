//! The files that a kustomization uses.
//!
//! What a kustomization names outside its repository, be it an address or a path, is refused here,
//! so that kustomize never sees it: it would fetch addresses, and with load restrictions off it
//! would read any file of the machine.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    path::TreePath,
    tool::selection::{Selection, SelectionError},
    tree::{Kind, TreeError},
    view::View,
};

/// The names that a kustomization may have, in the order in which they are looked for.
pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

// The names of fields below are as [`folded`] leaves them.

/// Fields whose entries are files or directories with kustomizations of their own.
const BASES: [&str; 6] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
];

/// Fields whose entries are files.
const FILES: [&str; 3] = ["crds", "configurations", "patchesstrategicmerge"];

/// Fields whose entries have a `path`.
const WITH_PATH: [&str; 4] = ["patches", "patchesjson6902", "replacements", "openapi"];

/// Fields of plugins' configurations that name files.
const PLUGIN_FILES: [&str; 7] = [
    "path",
    "paths",
    "files",
    "env",
    "envs",
    "valuesfile",
    "additionalvaluesfiles",
];

/// Why a kustomization cannot be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReferenceError {
    /// It uses something that is not in its repository.
    #[error(
        "{at} refers to {reference}, which is remote: remote bases and files are not fetched; put \
         a copy into the repository, or make its repository a source of its own"
    )]
    Remote {
        /// The kustomization's directory.
        at: TreePath,
        /// What it refers to.
        reference: String,
    },
    /// It uses a path outside its repository.
    #[error("{at} refers to {reference}, which lies outside the repository")]
    Outside {
        /// The kustomization's directory.
        at: TreePath,
        /// What it refers to.
        reference: String,
    },
    /// It uses a chart that is not in its repository.
    #[error(
        "{at} uses the chart {chart}, which is not in the repository: charts are not downloaded; \
         put it into {place}"
    )]
    Chart {
        /// The kustomization's directory.
        at: TreePath,
        /// The chart's name.
        chart: String,
        /// Where kustomize would look for it.
        place: TreePath,
    },
    /// It uses a field that is never allowed.
    #[error("{at} uses {field}, which is not supported{instead}")]
    Unsupported {
        /// The kustomization's directory.
        at: TreePath,
        /// The field.
        field: &'static str,
        /// What to use instead, with a semicolon in front.
        instead: &'static str,
    },
    /// It cannot be parsed.
    #[error("cannot read {0}: {1}")]
    Unreadable(TreePath, String),
    /// A file cannot be had.
    #[error(transparent)]
    File(#[from] SelectionError),
}

impl From<TreeError> for ReferenceError {
    fn from(error: TreeError) -> Self {
        Self::File(error.into())
    }
}

/// Walks from kustomization to kustomization.
pub(super) struct References<'a> {
    view: &'a View,
    /// All files that were met.
    pub(super) selection: Selection,
    seen: BTreeSet<TreePath>,
    /// Whether a kustomization brings a schema of its own.
    pub(super) schema: bool,
}

impl<'a> References<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        Self {
            view,
            selection: Selection::default(),
            seen: BTreeSet::new(),
            schema: false,
        }
    }

    /// Adds the kustomization in `directory` with everything that it uses.
    pub(super) fn kustomization(&mut self, directory: &TreePath) -> Result<(), ReferenceError> {
        if !self.seen.insert(directory.clone()) {
            return Ok(());
        }
        for name in NAMES {
            let Some(path) = directory.child(name) else {
                continue;
            };
            if !self.is_file(&path)? {
                continue;
            }
            self.selection.file(self.view, &path)?;
            let text = argosy_yaml::decode(&self.view.read(&path)?);
            let unreadable = |why: String| ReferenceError::Unreadable(path.clone(), why);
            let text = text.map_err(|error| unreadable(error.to_string()))?;
            let value =
                argosy_yaml::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
            self.fields(directory, &folded(value))?;
        }
        Ok(())
    }

    /// Adds what `reference`, written in `directory`, leads to.
    pub(super) fn follow(
        &mut self,
        directory: &TreePath,
        reference: &str,
    ) -> Result<(), ReferenceError> {
        if reference.contains("://") {
            return Err(remote(directory, reference));
        }
        let outside = || outside(directory, reference);
        if reference.starts_with('/') {
            return Err(outside());
        }
        let path = directory.join(reference).map_err(|_| outside())?;
        let target = match self.view.resolve(&path) {
            Err(TreeError::LinkOutsideRoot { .. }) => return Err(outside()),
            other => other?,
        };
        match target {
            Some(target) if target.kind == Kind::Directory => {
                if target.path != path {
                    self.selection.alias(&path, &target.path);
                }
                self.kustomization(&target.path)
            }
            Some(target) if target.kind == Kind::File => {
                self.selection.file(self.view, &path)?;
                self.plugins_in(directory, &path)
            }
            Some(target) if target.kind == Kind::Submodule => {
                Err(TreeError::Submodule { path: target.path }.into())
            }
            // Kustomize says what is missing, unless it would look for it elsewhere.
            _ if looks_remote(reference) => Err(remote(directory, reference)),
            _ => Ok(()),
        }
    }

    fn fields(&mut self, at: &TreePath, value: &Value) -> Result<(), ReferenceError> {
        for reference in BASES
            .iter()
            .chain(&FILES)
            .flat_map(|name| texts(&value[*name]))
        {
            // What has several lines is the thing itself.
            if !reference.contains('\n') {
                self.follow(at, reference)?;
            }
        }
        for name in ["generators", "transformers", "validators"] {
            for entry in texts(&value[name]).filter(|entry| entry.contains('\n')) {
                self.plugins(at, entry)?;
            }
        }
        for entry in WITH_PATH.iter().flat_map(|name| items(&value[*name])) {
            self.all(at, &entry["path"])?;
        }
        self.schema |= !value["openapi"].is_null();
        for name in ["configmapgenerator", "secretgenerator"] {
            for entry in items(&value[name]) {
                for file in texts(&entry["files"]) {
                    self.follow(at, path_of(file))?;
                }
                self.all(at, &entry["envs"])?;
                self.all(at, &entry["env"])?;
            }
        }
        self.charts(at, value)
    }

    fn charts(&mut self, at: &TreePath, value: &Value) -> Result<(), ReferenceError> {
        let unsupported = |field, instead| {
            Err(ReferenceError::Unsupported {
                at: at.clone(),
                field,
                instead,
            })
        };
        if !value["helmchartinflationgenerator"].is_null() {
            return unsupported("helmChartInflationGenerator", "; use helmCharts");
        }
        let mut homes = Vec::new();
        for globals in items(&value["helmglobals"]) {
            if !globals["confighome"].is_null() {
                return unsupported("helmGlobals.configHome", "");
            }
            homes.extend(texts(&globals["charthome"]));
        }
        if homes.is_empty() {
            homes.push("charts");
        }
        for chart in items(&value["helmcharts"]) {
            for home in &homes {
                self.chart(at, home, chart)?;
            }
        }
        Ok(())
    }

    /// Adds a chart that kustomize is to render.
    fn chart(&mut self, at: &TreePath, home: &str, chart: &Value) -> Result<(), ReferenceError> {
        let field = |name: &str| chart[name].as_str().unwrap_or_default();
        let (name, version) = (field("name"), field("version"));
        let pinned = !version.is_empty() && !field("repo").is_empty();
        let folder = if pinned {
            format!("{home}/{name}-{version}/{name}")
        } else {
            format!("{home}/{name}")
        };
        let place = at.join(&folder).ok().filter(|_| !home.starts_with('/'));
        let place = place.ok_or_else(|| outside(at, &folder))?;
        let target = self.view.resolve(&place)?;
        if !target.is_some_and(|target| target.kind == Kind::Directory) {
            return Err(ReferenceError::Chart {
                at: at.clone(),
                chart: name.to_owned(),
                place,
            });
        }
        self.selection.directory(self.view, &place)?;
        self.all(at, &chart["valuesfile"])?;
        self.all(at, &chart["additionalvaluesfiles"])
    }

    /// Looks for configurations of built-in plugins in a file, which may be used from anywhere.
    fn plugins_in(&mut self, at: &TreePath, file: &TreePath) -> Result<(), ReferenceError> {
        const MARK: &[u8] = b"builtin";
        let bytes = self.view.read(file)?;
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Ok(());
        }
        match argosy_yaml::decode(&bytes) {
            Ok(text) => self.plugins(at, &text),
            Err(error) => Err(ReferenceError::Unreadable(file.clone(), error.to_string())),
        }
    }

    /// Follows what configurations of built-in plugins name.
    fn plugins(&mut self, at: &TreePath, text: &str) -> Result<(), ReferenceError> {
        let documents = argosy_yaml::parse_documents(text)
            .map_err(|error| ReferenceError::Unreadable(at.clone(), error.to_string()))?;
        for document in documents {
            let value = folded(document.value);
            if value["apiversion"] != "builtin" {
                continue;
            }
            if value["kind"] == "HelmChartInflationGenerator" {
                let home = value["charthome"].as_str().unwrap_or("charts");
                self.chart(at, home, &value)?;
            }
            self.plugin_files(at, &value)?;
        }
        Ok(())
    }

    fn plugin_files(&mut self, at: &TreePath, value: &Value) -> Result<(), ReferenceError> {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    // A `path` in there leads to a field.
                    if name == "fieldspecs" {
                        continue;
                    }
                    if PLUGIN_FILES.contains(&name.as_str()) {
                        for file in texts(field) {
                            let path = if name == "files" { path_of(file) } else { file };
                            self.stays_inside(at, path)?;
                            self.follow(at, path)?;
                        }
                    }
                    self.plugin_files(at, field)?;
                }
                Ok(())
            }
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.plugin_files(at, item)),
            _ => Ok(()),
        }
    }

    /// Makes sure that a path leaves the repository from no kustomization that was met: a plugin's
    /// paths are relative to the one that uses it.
    fn stays_inside(&self, at: &TreePath, file: &str) -> Result<(), ReferenceError> {
        let leaves = |directory: &TreePath| directory.join(file).is_err();
        if self.seen.iter().any(leaves) {
            return Err(outside(at, file));
        }
        Ok(())
    }

    fn all(&mut self, at: &TreePath, field: &Value) -> Result<(), ReferenceError> {
        texts(field).try_for_each(|reference| self.follow(at, reference))
    }

    fn is_file(&self, path: &TreePath) -> Result<bool, TreeError> {
        let target = self.view.resolve(path)?;
        Ok(target.is_some_and(|target| target.kind == Kind::File))
    }
}

fn remote(at: &TreePath, reference: &str) -> ReferenceError {
    ReferenceError::Remote {
        at: at.clone(),
        reference: reference.to_owned(),
    }
}

fn outside(at: &TreePath, reference: &str) -> ReferenceError {
    ReferenceError::Outside {
        at: at.clone(),
        reference: reference.to_owned(),
    }
}

/// The path in a `key=path`, which gives a file a key.
fn path_of(reference: &str) -> &str {
    reference
        .split_once('=')
        .map_or(reference, |(_, path)| path)
}

/// Whether kustomize may take a path that does not exist for a git repository.
fn looks_remote(reference: &str) -> bool {
    let host = reference.split('/').next().unwrap_or_default();
    reference.contains("?ref=")
        || reference.contains("//")
        || reference.contains("_git/")
        || reference.contains(".git")
        || host.contains('@')
        || host.contains(':')
        || host.eq_ignore_ascii_case("github.com")
}

/// The value with its keys as Go's decoder compares them: it takes `Resources` for `resources`, and
/// two other letters for `k` and `s`. What several keys then mean becomes a list of it all.
fn folded(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut result = serde_json::Map::new();
            for (key, value) in fields {
                let key: String = key.chars().map(fold).collect();
                let value = folded(value);
                let value = match result.remove(&key) {
                    Some(other) => Value::Array(vec![other, value]),
                    None => value,
                };
                result.insert(key, value);
            }
            Value::Object(result)
        }
        Value::Array(items) => items.into_iter().map(folded).collect(),
        leaf => leaf,
    }
}

fn fold(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// The mappings in a field that holds one or lists of them.
fn items(field: &Value) -> Vec<&Value> {
    match field {
        Value::Object(_) => vec![field],
        Value::Array(entries) => entries.iter().flat_map(items).collect(),
        _ => Vec::new(),
    }
}

/// The texts in a field that holds one or lists of them.
fn texts(field: &Value) -> impl Iterator<Item = &str> {
    fn collect<'v>(field: &'v Value, found: &mut Vec<&'v str>) {
        match field {
            Value::String(text) if !text.is_empty() => found.push(text),
            Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(field, &mut found);
    found.into_iter()
}
