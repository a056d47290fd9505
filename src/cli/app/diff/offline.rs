//! `argosy app diff --offline`: one object from files, in Argo CD's client-side way.

use std::path::PathBuf;

use argosy_crds::application::ResourceIgnoreDifferences;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::compare::{Rules, three_way};
use argosy_engine::ignore::Ignore;
use argosy_engine::schema;
use serde_json::json;

use super::Args;
use crate::cli::{CommandResult, Outcome, argocd_cm, output};
use crate::diagnostic::Diagnostic;

pub(super) fn run(args: &Args) -> CommandResult {
    let overrides = argocd_cm::overrides(args.argocd_cm_path.as_deref())?;
    let ignore = Ignore::new(&own_rules(args)?, &overrides)
        .checked()
        .map_err(|error| argocd_cm::unusable_rule(&error))?;
    let read = |path: &Option<PathBuf>| path.as_deref().map(output::read_document).transpose();
    let (desired, live) = (read(&args.desired)?, read(&args.live)?);
    let verdict = three_way(
        desired.as_ref(),
        live.as_ref(),
        Rules {
            ignore: &ignore,
            overrides: &overrides,
            schema: schema::bundled(),
        },
    );
    if let Some(error) = &verdict.flaw {
        return Err(argocd_cm::unusable_rule(error));
    }
    let status = verdict.status.map_or("", SyncStatusCode::as_str);
    let answer = json!({
        "status": status,
        "appStatus": verdict.app_status.as_str(),
        "modified": verdict.modified,
        "paths": verdict.paths,
    });
    output::document(args.output, &answer, || {
        let mut lines = vec![format!("STATUS: {status}")];
        lines.extend(verdict.paths.iter().cloned());
        lines.join("\n")
    })?;
    Ok(Outcome::Success)
}

fn own_rules(args: &Args) -> Result<Vec<ResourceIgnoreDifferences>, Diagnostic> {
    let Some(path) = &args.ignore_differences else {
        return Ok(Vec::new());
    };
    serde_json::from_value(output::read_document(path)?).map_err(|error| {
        Diagnostic::user("FileMalformed", "cannot read the ignore rules")
            .at(path.display().to_string())
            .because(&error)
            .fix("write a list as in spec.ignoreDifferences")
    })
}
