//! Plain manifests and Jsonnet in a directory, read as Argo CD does.
//!
//! The walk is lexical. Links are followed to files inside the repository and never into
//! directories.

use argosy_crds::application::ApplicationSourceDirectory;
use argosy_glob::gobwas;
use serde_json::Value;

use crate::{
    jsonnet,
    manifest::parse_file,
    path::TreePath,
    render::{RenderError, Request},
    tree::{Kind, TreeError},
    view::View,
};

/// A file that holds this text anywhere is left alone.
const SKIP_MARKER: &[u8] = b"+argocd:skip-file-rendering";

/// All objects in `directory`, in the order of its files.
pub(crate) fn render(
    view: &View,
    directory: &TreePath,
    request: &Request<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Value>, RenderError> {
    let options = request.source.directory.clone().unwrap_or_default();
    let mut files = Vec::new();
    collect(view, directory, directory, &options, warnings, &mut files)?;
    check_size(view, directory, &files, request.max_combined_size)?;
    let mut objects = Vec::new();
    for file in files {
        let bytes = view.read(&file)?;
        if bytes
            .windows(SKIP_MARKER.len())
            .any(|window| window == SKIP_MARKER)
        {
            continue;
        }
        if is_jsonnet(&file) {
            if request.enabled.jsonnet {
                objects.extend(jsonnet::evaluate(
                    view,
                    directory,
                    &file,
                    &options.jsonnet,
                    request.environment,
                )?);
            }
        } else {
            objects.extend(parse_file(&file, &bytes)?);
        }
    }
    Ok(objects)
}

fn is_jsonnet(file: &TreePath) -> bool {
    extension(file.name()) == Some("jsonnet")
}

fn collect(
    view: &View,
    root: &TreePath,
    directory: &TreePath,
    options: &ApplicationSourceDirectory,
    warnings: &mut Vec<String>,
    files: &mut Vec<TreePath>,
) -> Result<(), RenderError> {
    for entry in view.list(directory)? {
        let Some(path) = directory.child(&entry.name) else {
            continue;
        };
        if entry.kind == Kind::Directory {
            if options.recurse {
                collect(view, root, &path, options, warnings, files)?;
            }
            continue;
        }
        let relative = path.relative_to(root).unwrap_or_default();
        if !options.disable_extension_filter && !has_manifest_extension(&entry.name) {
            continue;
        }
        match is_regular(view, &path, entry.kind, relative)? {
            Ok(()) => {}
            Err(warning) => {
                warnings.push(warning);
                continue;
            }
        }
        let matches = |pattern: &str| gobwas::matches(pattern, relative, &[]);
        let excluded = !options.exclude.is_empty() && matches(&options.exclude);
        let included = options.include.is_empty() || matches(&options.include);
        if included && !excluded {
            files.push(path);
        }
    }
    Ok(())
}

fn has_manifest_extension(name: &str) -> bool {
    matches!(extension(name), Some("yaml" | "yml" | "json" | "jsonnet"))
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// Whether there is a regular file, possibly behind links; otherwise what to tell the user.
fn is_regular(
    view: &View,
    path: &TreePath,
    kind: Kind,
    relative: &str,
) -> Result<Result<(), String>, TreeError> {
    Ok(match kind {
        Kind::File => Ok(()),
        Kind::Link => match view.resolve(path)? {
            Some(target) if target.kind == Kind::File => Ok(()),
            Some(target) => Err(format!(
                "ignoring symlink at {relative:?} to non-regular file {:?}",
                target.path.as_str()
            )),
            None => Err(format!("destination of symlink {relative:?} is missing")),
        },
        Kind::Directory | Kind::Submodule | Kind::Other => Err(format!(
            "ignoring {relative:?}, which is not a regular file"
        )),
    })
}

fn check_size(
    view: &View,
    directory: &TreePath,
    files: &[TreePath],
    limit: u64,
) -> Result<(), RenderError> {
    let mut total = 0_u64;
    for file in files.iter().filter(|file| !is_jsonnet(file)) {
        total = total.saturating_add(view.size(file)?);
        if limit > 0 && total > limit {
            return Err(RenderError::TooLarge {
                directory: directory.clone(),
                limit,
            });
        }
    }
    Ok(())
}
