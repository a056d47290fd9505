//! `manifest-generate-paths`: which applications a set of changed files concerns.

use argosy_crds::{Application, ApplicationSource};
use argosy_glob::path_match;

use crate::object::names;

/// The paths of an application's annotation, from the root of the repository and without a slash
/// in front; empty if every change concerns it.
pub fn paths(application: &Application) -> Vec<String> {
    paths_of(application, &application.spec.sources())
}

/// As [`paths`], with relative ones below the folders of `sources` alone.
pub fn paths_of(application: &Application, sources: &[ApplicationSource]) -> Vec<String> {
    let annotation = application
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(names::MANIFEST_GENERATE_PATHS));
    let Some(annotation) = annotation else {
        return Vec::new();
    };
    annotation
        .split(';')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .flat_map(|item| match item.strip_prefix('/') {
            Some(absolute) => vec![absolute.to_owned()],
            None => sources
                .iter()
                .map(|source| clean(&format!("{}/{item}", source.path)))
                .collect(),
        })
        .collect()
}

/// Whether any of the changed files concerns an application with these paths. An empty list of
/// files means that nothing is known of the change, so that it does.
pub fn concerns<S: AsRef<str>>(paths: &[String], changed: &[S]) -> bool {
    if paths.is_empty() || changed.is_empty() {
        return true;
    }
    changed.iter().any(|file| {
        let file = absolute(file.as_ref());
        paths.iter().any(|path| {
            let path = absolute(path);
            file == path || is_below(&path, &file) || path_match::matches(&path, &file) == Ok(true)
        })
    })
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

fn is_below(folder: &str, file: &str) -> bool {
    let folder = clean(folder);
    let file = clean(file);
    file.strip_prefix(folder.trim_end_matches('/'))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Go's `path.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
