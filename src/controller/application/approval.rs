//! Prunes that wait for a person.

use argosy_crds::{Application, names};
use argosy_engine::project::PermittedPlan;
use argosy_engine::sync::{Excess, PruneLimit, SyncOptions, excess};

use super::attempt::Attempt;
use super::observe::Observation;

/// What of a plan is more than may be pruned without approval: by the word of the application, of
/// the operation's options, or of the hub.
pub(super) fn needed(
    application: &Application,
    observation: &Observation,
    attempt: &Attempt,
    plan: &PermittedPlan,
) -> Option<Excess> {
    let sync = attempt.operation.sync.as_ref()?;
    if sync.dry_run {
        return None;
    }
    let options = SyncOptions::parse(sync.sync_options.iter().map(String::as_str));
    let own = application.annotation(names::annotation::MAX_PRUNE);
    let limit = own
        .and_then(PruneLimit::parse)
        .or(options.max_prune)
        .or(observation.settings.max_prune)?;
    excess(
        plan,
        limit,
        application.annotation(names::annotation::APPROVED_PLAN),
    )
}
