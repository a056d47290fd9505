//! Patterns over the paths of a tree, expanded as doublestar does: in order of names within a
//! directory, and a directory before what lies below it.

use argosy_glob::doublestar;

use crate::{
    path::TreePath,
    tree::{Kind, TreeError},
    view::View,
};

/// How deep `**` goes: deeper than any honest repository, so that links in a circle end.
const MAX_DEPTH: usize = 64;

/// Why a pattern has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GlobError {
    /// The pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] doublestar::BadPattern),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Whether a path is to be expanded.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Everything in the tree that matches, directories included; links are not resolved.
pub(crate) fn expand(view: &View, pattern: &TreePath) -> Result<Vec<TreePath>, GlobError> {
    expand_below(view, TreePath::root(), pattern)
}

/// As [`expand`], for a pattern of paths from `directory` on, whose own name is none.
pub(crate) fn expand_below(
    view: &View,
    directory: TreePath,
    pattern: &TreePath,
) -> Result<Vec<TreePath>, GlobError> {
    let segments: Vec<&str> = pattern.segments().collect();
    let mut found = vec![directory];
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        let mut next = Vec::new();
        for directory in &found {
            step(view, directory, segment, last, &mut next)?;
        }
        found = next;
    }
    Ok(found)
}

/// What one segment of a pattern finds in one directory.
fn step(
    view: &View,
    directory: &TreePath,
    segment: &str,
    last: bool,
    found: &mut Vec<TreePath>,
) -> Result<(), GlobError> {
    if segment == "**" {
        return Ok(everything(view, directory, last, 0, found)?);
    }
    if !segment.contains(['*', '?', '[', '{', '\\']) {
        let path = directory.child(segment);
        return Ok(push(view, path, last, found)?);
    }
    for entry in view.list(directory)? {
        if doublestar::matches(segment, &entry.name)? {
            push(view, directory.child(&entry.name), last, found)?;
        }
    }
    Ok(())
}

/// Keeps a path if it exists and, unless it is at the end of the pattern, can hold others.
fn push(
    view: &View,
    path: Option<TreePath>,
    last: bool,
    found: &mut Vec<TreePath>,
) -> Result<(), TreeError> {
    let Some(path) = path else { return Ok(()) };
    let fits = if last {
        exists(view, &path)?
    } else {
        is_directory(view, &path)?
    };
    if fits {
        found.push(path);
    }
    Ok(())
}

/// `directory` and everything below it; only directories unless `last`.
fn everything(
    view: &View,
    directory: &TreePath,
    last: bool,
    depth: usize,
    found: &mut Vec<TreePath>,
) -> Result<(), TreeError> {
    if depth > MAX_DEPTH {
        return Err(TreeError::LinkLoop {
            path: directory.clone(),
        });
    }
    found.push(directory.clone());
    for entry in view.list(directory)? {
        let Some(path) = directory.child(&entry.name) else {
            continue;
        };
        if is_directory(view, &path)? {
            everything(view, &path, last, depth + 1, found)?;
        } else if last {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether there is something at `path`, be it a link that leads nowhere.
fn exists(view: &View, path: &TreePath) -> Result<bool, TreeError> {
    let Some(parent) = view.resolve(&path.parent())? else {
        return Ok(false);
    };
    match parent.path.child(path.name()) {
        Some(path) => Ok(view.kind(&path)?.is_some()),
        None => Ok(false),
    }
}

/// A link out of the tree is no directory: what lies behind it is nobody's business.
fn is_directory(view: &View, path: &TreePath) -> Result<bool, TreeError> {
    match view.resolve(path) {
        Ok(target) => Ok(target.is_some_and(|target| target.kind == Kind::Directory)),
        Err(TreeError::LinkOutsideRoot { .. } | TreeError::LinkLoop { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::MemoryTree;

    #[track_caller]
    fn check(pattern: &str, expected: &[&str]) {
        let tree = MemoryTree::default()
            .file("env/z.yaml", "")
            .file("env/a/x.yaml", "")
            .file("env/a/b/y.yaml", "")
            .file("env/note.txt", "")
            .link("linked", "env/a");
        let view = View::new(Arc::new(tree));
        let found = expand(&view, &TreePath::parse(pattern).unwrap()).unwrap();
        let found: Vec<_> = found.iter().map(TreePath::as_str).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn patterns_find_files_in_doublestars_order() {
        check("env/*.yaml", &["env/z.yaml"]);
        check(
            "env/**/*.yaml",
            &["env/z.yaml", "env/a/x.yaml", "env/a/b/y.yaml"],
        );
        check("*/?.yaml", &["env/z.yaml", "linked/x.yaml"]);
        check("env/[a-b]", &["env/a"]);
        check("env/nothing*", &[]);
        check("no/**", &[]);
    }
}
