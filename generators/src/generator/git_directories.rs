//! The git generator's directories.

use argosy_crds::application_set::generators::GitGenerator;

use super::git::add_path;
use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::offline::leave_out;
use crate::params::Params;

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &GitGenerator,
    project: String,
) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error getting directories from repo";
    let patterns = |excludes: bool| -> Vec<String> {
        let items = spec
            .directories
            .iter()
            .filter(move |item| item.exclude == excludes);
        items.map(|item| item.path.clone()).collect()
    };
    let request = Request::GitDirectories {
        repo_url: spec.repo_url.clone(),
        revision: spec.revision.clone(),
        project,
        include: patterns(false),
        exclude: patterns(true),
    };
    let Answer::Directories(directories) = x.ask(request).map_err(|stop| stop.within(CONTEXT))?
    else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    leave_out(directories, &patterns(true))
        .into_iter()
        .map(|directory| {
            let mut params = Params::default();
            add_path(&mut params, &spec.path_param_prefix, directory, None, is_go);
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}
