//! What a set reads of git, so that a push wakes exactly those that it concerns.
//!
//! Where it cannot be told it counts as read: a needless look costs little, a missed one a polling
//! interval. Links are not followed here; what a link leads to is found by polling.

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::application_set::generators::GitGenerator;
use argosy_glob::path_match::Pattern;

use crate::facts::Request;
use crate::offline::selects;
use crate::settings::Globbing;

/// A revision of a repository, and which of its paths are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRead {
    /// The repository.
    pub repo_url: String,
    /// The branch, tag or commit; empty means HEAD.
    pub revision: String,
    paths: Paths,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Paths {
    /// Directories; the patterns take in and leave out.
    Directories(Vec<String>, Vec<String>),
    /// Files; the patterns take in and leave out.
    Files(Vec<String>, Vec<String>, Globbing),
    /// It is not known which.
    Any,
}

/// All that a set reads of git.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitReads {
    /// What it is known to read.
    pub known: Vec<GitRead>,
    /// Whether it may read more: a generator's repository comes from parameters, and the set has
    /// not been expanded yet.
    pub maybe_more: bool,
}

/// What a set reads of git. `used` gives the requests of its last expansion, if there was one; it
/// is asked only where generators have fields that come from the parameters of others.
pub fn git_reads(
    set: &ApplicationSet,
    globbing: Globbing,
    used: impl FnOnce() -> Option<BTreeSet<Request>>,
) -> GitReads {
    let mut generators = Vec::new();
    collect(&set.spec.generators, &mut generators);
    let (templated, literal): (Vec<_>, Vec<_>) =
        generators.into_iter().partition(|git| is_templated(git));
    let mut known: Vec<_> = literal.iter().map(|git| read_by(git, globbing)).collect();
    if templated.is_empty() {
        return GitReads {
            known,
            maybe_more: false,
        };
    }
    let is_literal = |request: &Request| literal.iter().any(|git| asks(git, request));
    let used = used();
    let others = used.iter().flatten().filter(|request| !is_literal(request));
    known.extend(others.filter_map(read_of));
    GitReads {
        known,
        maybe_more: used.is_none(),
    }
}

fn collect<'s>(entries: &'s [ApplicationSetGenerator], found: &mut Vec<&'s GitGenerator>) {
    for entry in entries {
        found.extend(&entry.git);
        let matrix = entry.matrix.iter().map(|matrix| &matrix.generators);
        let merge = entry.merge.iter().map(|merge| &merge.generators);
        matrix
            .chain(merge)
            .for_each(|children| collect(children, found));
    }
}

fn is_templated(git: &GitGenerator) -> bool {
    let directories = git.directories.iter().map(|item| &item.path);
    let files = git.files.iter().map(|item| &item.path);
    directories
        .chain(files)
        .chain([&git.repo_url, &git.revision])
        .any(|text| text.contains("{{"))
}

fn read_by(git: &GitGenerator, globbing: Globbing) -> GitRead {
    let split = |items: Vec<(&String, bool)>| {
        let of = |exclude: bool| {
            let chosen = items
                .iter()
                .filter(move |(_, excludes)| *excludes == exclude);
            chosen.map(|(path, _)| (*path).clone()).collect::<Vec<_>>()
        };
        (of(false), of(true))
    };
    let paths = if git.directories.is_empty() {
        let items = git.files.iter().map(|item| (&item.path, item.exclude));
        let (include, exclude) = split(items.collect());
        Paths::Files(include, exclude, globbing)
    } else {
        let items = git
            .directories
            .iter()
            .map(|item| (&item.path, item.exclude));
        let (include, exclude) = split(items.collect());
        Paths::Directories(include, exclude)
    };
    GitRead {
        repo_url: git.repo_url.clone(),
        revision: git.revision.clone(),
        paths,
    }
}

/// Whether a request is one of the generator's own.
fn asks(git: &GitGenerator, request: &Request) -> bool {
    match request {
        Request::GitDirectories {
            repo_url, revision, ..
        } => !git.directories.is_empty() && git.repo_url == *repo_url && git.revision == *revision,
        Request::GitFiles {
            repo_url,
            revision,
            pattern,
            ..
        } => {
            git.repo_url == *repo_url
                && git.revision == *revision
                && git.files.iter().any(|item| item.path == *pattern)
        }
        _ => false,
    }
}

fn read_of(request: &Request) -> Option<GitRead> {
    match request {
        Request::GitDirectories {
            repo_url, revision, ..
        } => Some(GitRead {
            repo_url: repo_url.clone(),
            revision: revision.clone(),
            paths: Paths::Any,
        }),
        Request::GitFiles {
            repo_url,
            revision,
            pattern,
            globbing,
            ..
        } => Some(GitRead {
            repo_url: repo_url.clone(),
            revision: revision.clone(),
            paths: Paths::Files(vec![pattern.clone()], Vec::new(), *globbing),
        }),
        _ => None,
    }
}

impl GitRead {
    /// Whether a change of these files may change what is read; no files at all means that nobody
    /// said which.
    pub fn is_touched_by(&self, files: &[String]) -> bool {
        files.is_empty() || files.iter().any(|file| self.looks_at(file))
    }

    fn looks_at(&self, file: &str) -> bool {
        match &self.paths {
            Paths::Any => true,
            Paths::Files(include, exclude, globbing) => {
                let selects = |patterns: &[String]| {
                    patterns
                        .iter()
                        // A malformed pattern is told by the expansion.
                        .any(|pattern| selects(pattern, file, *globbing).unwrap_or(true))
                };
                selects(include) && !selects(exclude)
            }
            Paths::Directories(include, exclude) => {
                let parents = file.match_indices('/').map(|(at, _)| &file[..at]);
                let matches = |patterns: &[String], directory: &str| {
                    patterns
                        .iter()
                        .filter_map(|pattern| Pattern::parse(pattern).ok())
                        .any(|pattern| pattern.matches(directory))
                };
                let mut parents = parents.filter(|directory| matches(include, directory));
                parents.any(|directory| !matches(exclude, directory))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(generators: &Value) -> ApplicationSet {
        let set = json!({"metadata": {}, "spec": {"generators": generators}});
        serde_json::from_value(set).expect("a set")
    }

    fn touched(generators: &Value, file: &str) -> bool {
        let reads = git_reads(&set(generators), Globbing::Pathspec, || None);
        reads
            .known
            .iter()
            .any(|read| read.is_touched_by(&[file.to_owned()]))
    }

    #[test]
    fn directories_are_touched_by_what_lies_in_them() {
        let apps = json!([{"git": {"repoURL": "r", "directories": [
            {"path": "apps/*"}, {"path": "apps/old", "exclude": true}]}}]);
        assert!(touched(&apps, "apps/web/deep/in/it.yaml"));
        assert!(!touched(&apps, "apps/README.md"));
        assert!(!touched(&apps, "apps/old/x.yaml"));
        assert!(!touched(&apps, "docs/web/x.yaml"));
    }

    #[test]
    fn files_are_touched_by_themselves() {
        let files = json!([{"git": {"repoURL": "r", "files": [
            {"path": "envs/*.json"}, {"path": "envs/old.json", "exclude": true}]}}]);
        assert!(touched(&files, "envs/dev.json"));
        // Git's own patterns cross directories.
        assert!(touched(&files, "envs/eu/dev.json"));
        assert!(!touched(&files, "envs/old.json"));
        assert!(!touched(&files, "envs/dev.yaml"));
    }

    #[test]
    fn what_comes_from_parameters_is_known_after_the_first_expansion() {
        let generators = json!([{"matrix": {"generators": [
            {"list": {"elements": [{"repo": "r"}]}},
            {"git": {"repoURL": "{{repo}}", "revision": "main", "files": [{"path": "a.json"}]}}]}}]);
        let set = set(&generators);
        let before = git_reads(&set, Globbing::Pathspec, || None);
        assert!(before.maybe_more && before.known.is_empty());
        let used = BTreeSet::from([Request::GitFiles {
            repo_url: "r".to_owned(),
            revision: "main".to_owned(),
            project: String::new(),
            pattern: "a.json".to_owned(),
            globbing: Globbing::Pathspec,
        }]);
        let after = git_reads(&set, Globbing::Pathspec, || Some(used));
        assert!(!after.maybe_more);
        assert_eq!(after.known[0].repo_url, "r");
        assert!(after.known[0].is_touched_by(&["a.json".to_owned()]));
        assert!(!after.known[0].is_touched_by(&["b.json".to_owned()]));
    }

    #[test]
    fn nobody_says_which_files_changed() {
        let one = json!([{"git": {"repoURL": "r", "files": [{"path": "a.json"}]}}]);
        let reads = git_reads(&set(&one), Globbing::Doublestar, || None);
        assert!(reads.known[0].is_touched_by(&[]));
    }
}
