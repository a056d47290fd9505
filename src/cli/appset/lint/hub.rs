//! The rules with what a hub knows.

use super::{Args, Linted, findings, sets};
use crate::controller::application_set::{Expanded, Supposed, expanded};
use crate::diagnostic::Diagnostic;
use crate::hub::Hub;

pub(super) async fn lint(args: &Args) -> Result<Vec<Linted>, Diagnostic> {
    let sets = sets(args)?;
    let namespace = &args.hub.namespace;
    let clusters = args.offline.supposed_clusters(namespace)?;
    let supposed = Supposed {
        clusters: clusters.as_deref(),
        ..Supposed::default()
    };
    let hub = Hub::look(args.hub.client().await?, namespace).await?;
    let mut linted = Vec::new();
    for (file, set) in sets {
        let Expanded {
            facts,
            result,
            settings,
        } = expanded(&hub, &set, supposed).await;
        let findings = findings(&set, &facts, &result, &settings);
        linted.push(Linted::new(file, &set, findings));
    }
    Ok(linted)
}
