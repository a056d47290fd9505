//! The rules with what a hub knows.

use super::{Args, Linted, findings, sets};
use crate::controller::application_set::{Expanded, expanded};
use crate::diagnostic::Diagnostic;
use crate::hub::Hub;

pub(super) async fn lint(args: &Args) -> Result<Vec<Linted>, Diagnostic> {
    let sets = sets(args)?;
    let hub = Hub::look(args.hub.client().await?, &args.hub.namespace).await?;
    let mut linted = Vec::new();
    for (file, set) in sets {
        let Expanded {
            facts,
            result,
            settings,
        } = expanded(&hub, &set, None).await;
        let findings = findings(&set, &facts, &result, &settings);
        linted.push(Linted::new(file, &set, findings));
    }
    Ok(linted)
}
