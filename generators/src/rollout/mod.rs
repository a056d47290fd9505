//! Progressive syncs: which Applications of a set may sync now, and who waits for whom.
//!
//! [`plan`] judges by what the Applications' statuses say, and takes nothing for granted that a
//! status does not say yet: a step is complete when each of its Applications names the target in
//! its own status, was compared after its own sync ended, and is healthy. So a status that is late
//! delays a step and never opens one. Nothing here talks to git or a cluster, and nothing here
//! deletes.
//!
//! It lives beside the other plans of a set and not in the engine, because it needs the set's types
//! and no graph: steps are a line.

mod conditions;
mod deletion;
mod failure;
mod gate;
mod hold;
mod member;
mod operation;
mod reading;
mod record;
mod steps;
mod target;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application::Operation;
use argosy_crds::application_set::{
    ApplicationSetApplicationStatus, ApplicationSetRolloutStrategy,
};
use argosy_crds::{Application, ApplicationSet};
use jiff::Timestamp;

pub use conditions::{Condition, NO_STEPS};
pub use deletion::{Deletion, deletes_in_reverse, deletion};
pub(crate) use hold::hold;
pub use waits::Waits;

use member::Member;
use steps::Steps;

/// Who is named as having begun the syncs of a rollout, as in Argo CD.
pub const INITIATOR: &str = "applicationset-controller";

/// What a plan is made from.
pub struct Inputs<'a> {
    /// The set, with the status that the last plan left.
    pub set: &'a ApplicationSet,
    /// What it generates.
    pub generated: &'a [Application],
    /// The Applications of the set's namespace; those of others are left out of account.
    pub live: &'a [Application],
    /// The Applications that could not be written as they are generated.
    pub unwritten: &'a BTreeSet<String>,
    /// The Applications that a person asked automation to leave alone for now.
    pub paused: &'a BTreeSet<String>,
    /// Time.
    pub now: Timestamp,
}

/// What a rollout does now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RolloutPlan {
    /// Where each Application is, sorted by name: `status.applicationStatus`.
    pub status: Vec<ApplicationSetApplicationStatus>,
    /// What each Application that may not begin waits for.
    pub waits: BTreeMap<String, Waits>,
    /// The operations to ask for, sorted by name.
    pub begin: Vec<Begin>,
    /// What the set's status says of the rollout.
    pub conditions: Vec<Condition>,
    /// The Applications whose statuses do not name their target yet.
    pub unseen: Vec<String>,
    /// When to plan again although nothing changed: the end of a soak, or a deadline.
    pub look_again: Option<Timestamp>,
}

/// An operation to ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Begin {
    /// The Application.
    pub name: String,
    /// The version of it that was seen, so that nothing newer is overwritten.
    pub resource_version: Option<String>,
    /// What it is to do, with the revision named.
    pub operation: Operation,
    /// A sync of the rollout is running and has to end first.
    pub terminate: bool,
}

/// Whether the set's strategy is `RollingSync`.
pub fn is_rolling(set: &ApplicationSet) -> bool {
    let strategy = set.spec.strategy.as_ref();
    strategy.is_some_and(|strategy| strategy.type_ == "RollingSync")
}

/// The steps of the set's rollout, if its strategy is `RollingSync` and has any.
pub fn strategy(set: &ApplicationSet) -> Option<&ApplicationSetRolloutStrategy> {
    let strategy = set.spec.strategy.as_ref()?;
    let rolling = strategy.rolling_sync.as_ref()?;
    (is_rolling(set) && !rolling.steps.is_empty()).then_some(rolling)
}

/// Plans the rollout of a set; one without steps has none.
///
/// The plan depends on nothing but the inputs, and not on their order. Carried out and planned
/// again with nothing else changed, it is the same and begins nothing.
pub fn plan(inputs: &Inputs<'_>) -> RolloutPlan {
    let Some(strategy) = strategy(inputs.set) else {
        return RolloutPlan::default();
    };
    let steps = Steps::new(strategy, inputs.generated);
    let mut members = member::members(inputs, &steps);
    let walk = gate::walk(&steps, &mut members, inputs.now);
    let conditions = conditions::conditions(&steps, &walk);
    let mut plan = RolloutPlan {
        conditions,
        look_again: walk.look_again,
        ..RolloutPlan::default()
    };
    for (name, member) in members {
        let Member {
            entry,
            waits,
            begin,
            target,
            reading,
            generated: _,
        } = member;
        if let (Some(target), Some(reading)) = (&target, &reading)
            && !reading.is_at(target)
        {
            plan.unseen.push(name.to_owned());
        }
        plan.status.push(entry);
        plan.waits
            .extend(waits.map(|waits| (name.to_owned(), waits)));
        plan.begin.extend(begin);
    }
    plan
}
