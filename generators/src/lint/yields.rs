//! Which parameters a generator yields, as far as that can be told without running it.

use std::collections::BTreeSet;

use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::application_set::generators::{GitGenerator, ListGenerator};
use argosy_facts::Observed;
use argosy_yaml as yaml;
use serde_json::Value;

use super::Subject;
use crate::facts::{Answer, Facts, Request};
use crate::generator::git_files;
use crate::offline::selects;

/// Names of parameters, nested ones by their path (`path.basename`).
#[derive(Clone, Debug, Default)]
pub(super) struct Yields {
    names: BTreeSet<String>,
    /// Names below which there may be anything; the empty one stands for everything.
    open: BTreeSet<String>,
}

impl Yields {
    /// Whether there may be a parameter of this name, or parameters below it.
    pub(super) fn has(&self, name: &str) -> bool {
        let is_below = |name: &str, parent: &str| {
            parent.is_empty()
                || name
                    .strip_prefix(parent)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.open
            .iter()
            .any(|open| is_below(name, open) || is_below(open, name))
            || self.names.contains(name)
            || self.names.iter().any(|known| is_below(known, name))
    }

    /// The names for a person to choose from; numbered ones are left out.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.names.iter().map(String::as_str);
        names.filter(|name| !name.ends_with(']'))
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.open.extend(other.open.iter().cloned());
    }

    fn name(&mut self, name: impl Into<String>) {
        self.names.insert(name.into());
    }

    fn open(&mut self, name: impl Into<String>) {
        self.open.insert(name.into());
    }

    fn all(&mut self, names: &[&str]) {
        self.names.extend(names.iter().map(|&name| name.to_owned()));
    }
}

const REPOSITORY: [&str; 10] = [
    "organization",
    "repository",
    "repository_id",
    "url",
    "branch",
    "branchNormalized",
    "sha",
    "short_sha",
    "short_sha_7",
    "labels",
];

const PULL_REQUEST: [&str; 10] = [
    "number",
    "title",
    "branch",
    "branch_slug",
    "target_branch",
    "target_branch_slug",
    "head_sha",
    "head_short_sha",
    "head_short_sha_7",
    "author",
];

/// What an entry yields.
pub(super) fn of(subject: &Subject<'_>, entry: &ApplicationSetGenerator) -> Yields {
    let is_go = subject.set.spec.go_template;
    let mut yields = Yields::default();
    if let Some(list) = &entry.list {
        of_list(list, is_go, &mut yields);
    }
    if let Some(clusters) = &entry.clusters {
        if clusters.flat_list {
            yields.open("clusters");
        } else {
            yields.all(&["name", "nameNormalized", "server", "project"]);
            yields.open("metadata.labels");
            yields.open("metadata.annotations");
        }
    }
    if let Some(git) = &entry.git {
        of_git(subject, git, is_go, &mut yields);
    }
    if entry.scm_provider.is_some() {
        yields.all(&REPOSITORY);
    }
    if entry.pull_request.is_some() {
        yields.all(&PULL_REQUEST);
        if is_go {
            yields.open("labels");
        }
    }
    // What others answer, and which keys decisions have, is theirs to say.
    if entry.plugin.is_some() || entry.cluster_decision_resource.is_some() {
        yields.open("");
    }
    for child in entry.children() {
        yields.add(&of(subject, child));
    }
    for key in values(entry) {
        yields.name(format!("values.{key}"));
    }
    yields
}

/// What the `values` of an entry see: the parameters before they are gathered in a flat list.
pub(super) fn before_values(subject: &Subject<'_>, entry: &ApplicationSetGenerator) -> Yields {
    let mut entry = entry.clone();
    if let Some(clusters) = &mut entry.clusters {
        clusters.flat_list = false;
    }
    of(subject, &entry)
}

/// The keys of `values` of an entry's own generators; none where they end up in a flat list.
pub(super) fn values(entry: &ApplicationSetGenerator) -> impl Iterator<Item = &String> {
    let clusters = entry.clusters.iter().filter(|clusters| !clusters.flat_list);
    let clusters = clusters.flat_map(|spec| spec.values.keys());
    let git = entry.git.iter().flat_map(|spec| spec.values.keys());
    let scm = entry
        .scm_provider
        .iter()
        .flat_map(|spec| spec.values.keys());
    let pull = entry
        .pull_request
        .iter()
        .flat_map(|spec| spec.values.keys());
    let decisions = entry
        .cluster_decision_resource
        .iter()
        .flat_map(|spec| spec.values.keys());
    let plugin = entry.plugin.iter().flat_map(|spec| spec.values.keys());
    clusters
        .chain(git)
        .chain(scm)
        .chain(pull)
        .chain(decisions)
        .chain(plugin)
}

fn of_list(list: &ListGenerator, is_go: bool, yields: &mut Yields) {
    for element in &list.elements {
        nested("", element, yields);
    }
    if list.elements_yaml.is_empty() {
        return;
    }
    match yaml::from_str(&list.elements_yaml) {
        Ok(Value::Array(items)) if !list.elements_yaml.contains("{{") => {
            for item in &items {
                nested("", item, yields);
            }
        }
        _ => yields.open(""),
    }
    if !is_go {
        // Fast mode keeps these as they are, and matrix flattens them.
        yields.open("values");
    }
}

/// The names of nested values; the items of a list are not told apart.
fn nested(name: &str, value: &Value, yields: &mut Yields) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                nested(&name, value, yields);
            }
        }
        _ if name.is_empty() => {}
        Value::Array(_) | Value::Object(_) => yields.open(name),
        _ => yields.name(name),
    }
}

fn of_git(subject: &Subject<'_>, git: &GitGenerator, is_go: bool, yields: &mut Yields) {
    let prefix = match git.path_param_prefix.as_str() {
        "" => "path".to_owned(),
        prefix => format!("{prefix}.path"),
    };
    yields.all(&[
        &format!("{prefix}.basename"),
        &format!("{prefix}.basenameNormalized"),
    ]);
    if is_go {
        yields.name(format!("{prefix}.path"));
        yields.open(format!("{prefix}.segments"));
    } else {
        yields.name(&prefix);
        // The number of segments is not known.
        (0..=MAX_SEGMENTS).for_each(|n| yields.name(format!("{prefix}[{n}]")));
    }
    if git.directories.is_empty() {
        yields.all(&[
            &format!("{prefix}.filename"),
            &format!("{prefix}.filenameNormalized"),
        ]);
        match contents(subject.facts, git, subject) {
            Some(contents) => contents
                .iter()
                .for_each(|content| nested("", content, yields)),
            None => yields.open(""),
        }
    }
}

/// How deep a path is taken to be at most.
const MAX_SEGMENTS: usize = 32;

/// What the selected files hold, if all of them are known.
fn contents(facts: &Facts, git: &GitGenerator, subject: &Subject<'_>) -> Option<Vec<Value>> {
    let globbing = subject.settings.globbing;
    let mut contents = Vec::new();
    for item in git.files.iter().filter(|item| !item.exclude) {
        let answer = facts.iter().find_map(|(request, answer)| match request {
            Request::GitFiles {
                repo_url,
                revision,
                pattern,
                ..
            } if *repo_url == git.repo_url
                && *revision == git.revision
                && *pattern == item.path =>
            {
                Some(answer)
            }
            _ => None,
        });
        let Observed::Complete(answer) = answer? else {
            return None;
        };
        let Answer::Files(files) = answer.get() else {
            return None;
        };
        let excludes = |path: &str| {
            let mut excluding = git.files.iter().filter(|item| item.exclude);
            excluding.any(|item| selects(&item.path, path, globbing) == Ok(true))
        };
        for (_, bytes) in files.iter().filter(|(path, _)| !excludes(path)) {
            let objects = git_files::read(bytes).ok()?;
            contents.extend(objects.into_iter().map(Value::Object));
        }
    }
    // Nothing is known of files that are not there.
    (!contents.is_empty()).then_some(contents)
}
