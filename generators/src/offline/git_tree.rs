//! A checked-out tree, and which of its files a pattern selects.

use std::collections::{BTreeMap, BTreeSet};

use argosy_glob::path_match::Pattern;
use argosy_glob::{doublestar, pathspec::Pathspec};

use crate::settings::Globbing;

/// A revision of a repository.
pub trait GitTree {
    /// Every directory that is not hidden and not in a hidden one, relative to the root, which is
    /// not among them; depth first, siblings by name.
    fn directories(&self) -> Vec<String> {
        let paths = self.paths();
        let mut directories = BTreeSet::new();
        for path in &paths {
            let segments: Vec<&str> = path.split('/').collect();
            for length in 1..segments.len() {
                let directory = &segments[..length];
                if directory.iter().all(|segment| !segment.starts_with('.')) {
                    directories.insert(directory.to_vec());
                }
            }
        }
        let join = |segments: Vec<&str>| segments.join("/");
        directories.into_iter().map(join).collect()
    }

    /// Every tracked file's path.
    fn paths(&self) -> Vec<String>;

    /// A file's content; links are followed within the tree.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Whether a path is a link that leads out of the tree; where there are no links, none is.
    fn leads_out(&self, _path: &str) -> bool {
        false
    }
}

/// Those of the directories that one of the patterns matches. A malformed pattern matches nothing,
/// as in Argo CD.
pub fn select_directories(directories: &[String], patterns: &[String]) -> Vec<String> {
    let patterns = parse_directories(patterns);
    let matches = |directory: &str| patterns.iter().any(|pattern| pattern.matches(directory));
    let selected = directories.iter().filter(|directory| matches(directory));
    selected.cloned().collect()
}

/// Those of the directories that none of the patterns matches.
pub(crate) fn leave_out<'d>(directories: &'d [String], patterns: &[String]) -> Vec<&'d String> {
    let patterns = parse_directories(patterns);
    let matches = |directory: &str| patterns.iter().any(|pattern| pattern.matches(directory));
    let left = directories.iter().filter(|directory| !matches(directory));
    left.collect()
}

fn parse_directories(patterns: &[String]) -> Vec<Pattern> {
    let parsed = patterns.iter().map(|pattern| Pattern::parse(pattern));
    parsed.filter_map(Result::ok).collect()
}

/// The files that a pattern selects, with their content. Where it is read as doublestar, one that
/// selects a directory is an error, because a directory cannot be read, and a link that leads out of
/// the tree is no file.
pub fn select_files(
    tree: &dyn GitTree,
    pattern: &str,
    globbing: Globbing,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let paths = tree.paths();
    let selected = match globbing {
        Globbing::Pathspec => {
            let spec = Pathspec::parse(pattern).map_err(|error| error.to_string())?;
            paths
                .into_iter()
                .filter(|path| spec.matches(path))
                .collect()
        }
        Globbing::Doublestar => {
            let mut selected = select_doublestar(&paths, pattern)?;
            selected.retain(|path| !tree.leads_out(path));
            selected
        }
    };
    selected
        .into_iter()
        .map(|path| tree.read(&path).map(|content| (path, content)))
        .collect()
}

/// Whether a pattern selects a file; the error says that the pattern is malformed.
pub(crate) fn selects(pattern: &str, path: &str, globbing: Globbing) -> Result<bool, String> {
    match globbing {
        Globbing::Pathspec => {
            let spec = Pathspec::parse(pattern).map_err(|error| error.to_string())?;
            Ok(spec.matches(path))
        }
        Globbing::Doublestar if !doublestar::is_valid(pattern) => {
            Err(doublestar::BadPattern.to_string())
        }
        Globbing::Doublestar => {
            Ok(clean(pattern)
                .is_some_and(|pattern| doublestar::matches(&pattern, path) == Ok(true)))
        }
    }
}

fn select_doublestar(paths: &[String], pattern: &str) -> Result<Vec<String>, String> {
    if !doublestar::is_valid(pattern) {
        return Err(doublestar::BadPattern.to_string());
    }
    let Some(pattern) = clean(pattern) else {
        return Ok(Vec::new());
    };
    let matches = |path: &str| doublestar::matches(&pattern, path) == Ok(true);
    // The root, and what git itself keeps in a checkout.
    for directory in ["", ".git"] {
        if matches(directory) {
            return Err(format!("read /{directory}: is a directory"));
        }
    }
    for path in paths {
        for (at, _) in path.match_indices('/') {
            if matches(&path[..at]) {
                return Err(format!("read /{}: is a directory", &path[..at]));
            }
        }
    }
    Ok(paths.iter().filter(|path| matches(path)).cloned().collect())
}

/// The pattern below the root, without `.`, `..` and needless slashes; `None` if it leaves the root.
fn clean(pattern: &str) -> Option<String> {
    let mut segments = Vec::new();
    for segment in pattern.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            segment => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}
