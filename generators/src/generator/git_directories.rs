//! The git generator's directories.

use argosy_crds::application_set::generators::GitGenerator;
use argosy_glob::path_match::Pattern;

use super::git::add_path;
use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::params::Params;

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &GitGenerator,
    project: String,
) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error getting directories from repo";
    let request = Request::GitDirectories {
        repo_url: spec.repo_url.clone(),
        revision: spec.revision.clone(),
        project,
    };
    let Answer::Directories(directories) = x.ask(request).map_err(|stop| stop.within(CONTEXT))?
    else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    // A malformed pattern selects nothing, as in Argo CD.
    let patterns: Vec<(Pattern, bool)> = spec
        .directories
        .iter()
        .filter_map(|item| Some((Pattern::parse(&item.path).ok()?, item.exclude)))
        .collect();
    let is_selected = |directory: &str| {
        let matches = |excludes: bool| {
            patterns
                .iter()
                .any(|(pattern, exclude)| *exclude == excludes && pattern.matches(directory))
        };
        matches(false) && !matches(true)
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    directories
        .iter()
        .filter(|directory| is_selected(directory))
        .map(|directory| {
            let mut params = Params::default();
            add_path(&mut params, &spec.path_param_prefix, directory, None, is_go);
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}
