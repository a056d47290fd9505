//! The git generator: what its two forms share.

use argosy_crds::application_set::generators::GitGenerator;
use argosy_gotemplate::Value;
use argosy_gotemplate::argocd::normalize;

use super::{git_directories, git_files};
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &GitGenerator) -> Result<Vec<Params>, Stop> {
    let Some(project) = project(x) else {
        return sets(x, spec, String::new());
    };
    // Also where it is not known yet, the other facts are asked for at once.
    let exists = check_project(x, &project);
    if let Err(Stop::Failed(failure)) = exists {
        return Err(Stop::Failed(failure));
    }
    let sets = sets(x, spec, project);
    exists.and(sets)
}

fn sets(x: &mut Expander<'_>, spec: &GitGenerator, project: String) -> Result<Vec<Params>, Stop> {
    let sets = if !spec.directories.is_empty() {
        git_directories::params(x, spec, project)
    } else if !spec.files.is_empty() {
        git_files::params(x, spec, &project)
    } else {
        return Err(Stop::failed("ApplicationSet is empty"));
    };
    sets.map_err(|stop| stop.within("error generating params from git"))
}

/// The set's project, whose credentials and signature rules count; none when it is templated and
/// so not known before the repository is read.
fn project(x: &Expander<'_>) -> Option<String> {
    let project = &x.set.spec.template.spec.project;
    (!project.contains("{{")).then(|| project.clone())
}

fn check_project(x: &mut Expander<'_>, project: &str) -> Result<(), Stop> {
    if project.is_empty() {
        return Err(Stop::failed(
            "error getting project : a git generator needs the project in the set's own template; set spec.template.spec.project",
        ));
    }
    match x.ask(Request::Project(project.to_owned())) {
        Ok(Answer::Exists(true)) => Ok(()),
        Ok(_) => Err(Stop::failed(format!(
            "error getting project {project}: appprojects.argoproj.io \"{project}\" not found"
        ))),
        Err(stop) => Err(stop.within(&format!("error getting project {project}"))),
    }
}

/// Adds the parameters that describe a path: of a directory, or of a file in it.
pub(super) fn add_path(
    params: &mut Params,
    prefix: &str,
    directory: &str,
    file: Option<&str>,
    is_go: bool,
) {
    let base = base_name(directory);
    let mut described = vec![
        ("basename", base.to_owned()),
        ("basenameNormalized", normalize(base)),
    ];
    if let Some(file) = file {
        described.push(("filename", file.to_owned()));
        described.push(("filenameNormalized", normalize(file)));
    }
    let segments = directory.split('/');
    if is_go {
        let mut path: Vec<(&str, Value)> = described
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect();
        path.push(("path", directory.into()));
        path.push(("segments", Value::strings(segments)));
        let path = Value::map(path);
        if prefix.is_empty() {
            params.set("path", path);
        } else {
            params.set(prefix, Value::map([("path", path)]));
        }
        return;
    }
    let name = if prefix.is_empty() {
        "path".to_owned()
    } else {
        format!("{prefix}.path")
    };
    for (key, value) in described {
        params.set(format!("{name}.{key}"), value);
    }
    for (index, segment) in segments.enumerate().filter(|(_, s)| !s.is_empty()) {
        params.set(format!("{name}[{index}]"), segment);
    }
    params.set(name, directory);
}

/// The last segment of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
