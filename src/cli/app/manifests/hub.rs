//! `argosy app manifests NAME`: what the hub would apply, or what lives.
//!
//! The command reads what the hub reads, charts and their dependencies included, with the hub's own
//! code, and writes nothing.

use serde_json::json;

use super::{Args, Side, as_yaml};
use crate::cli::app::diff::look_at;
use crate::cli::{CommandResult, Outcome, output};
use crate::controller::application::{Against, manifests};
use crate::diagnostic::Diagnostic;

pub(super) async fn run(args: &Args, name: &str) -> CommandResult {
    let (hub, wanted) = look_at(&args.hub, name).await?;
    let against = Against {
        revision: args.revision.clone(),
        local: args.local.clone(),
        server_side: false,
    };
    let found = manifests(&hub, &wanted, &against).await.map_err(|why| {
        Diagnostic::remote(
            "ManifestGenerationFailed",
            format!("there are no manifests of `{name}`"),
        )
        .because(&std::io::Error::other(why))
    })?;
    for warning in &found.warnings {
        output::note(format!("warning: {warning}"));
    }
    let manifests = match args.source {
        Side::Git => found.desired,
        Side::Live => found.live,
    };
    let answer = json!({
        "sourceType": found.source_type,
        "revisions": found.revisions,
        "manifests": &manifests,
    });
    output::document(args.output, &answer, || as_yaml(&manifests))?;
    Ok(Outcome::Success)
}
