//! The walk along the steps: which one is open, who begins, and who waits for whom.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::RolloutFailureAction;
use argosy_crds::codes::RolloutStatusCode as State;
use jiff::Timestamp;

use super::failure::{self, Verdict};
use super::member::Member;
use super::operation::WayBack;
use super::steps::{Step, Steps};
use super::waits::Waits;
use super::{operation, record};

/// How the message of a member that failed begins.
const FAILED: &str = "Application failed: ";

type Members<'a> = BTreeMap<&'a str, Member<'a>>;

/// What a walk along the steps found.
#[derive(Default)]
pub(super) struct Walk {
    /// The first step that is not behind the rollout; `None` when all are.
    pub(super) current: Option<usize>,
    /// The step that failed, and its members that did.
    pub(super) stopped: Option<Stopped>,
    /// The members that failed without failing their step, sorted.
    pub(super) tolerated: Vec<String>,
    /// When something may turn without an event.
    pub(super) look_again: Option<Timestamp>,
}

/// A step that failed.
pub(super) struct Stopped {
    pub(super) step: usize,
    /// Who failed, each with what it did.
    pub(super) failed: Vec<(String, String)>,
}

/// Whether a step may begin.
#[derive(Clone)]
pub(super) enum Gate {
    /// It may, since then; `None` is from the start.
    Open(Option<Timestamp>),
    /// It may not.
    Closed(Waits),
}

/// Walks along the steps and lets begin who may.
pub(super) fn walk(steps: &Steps, members: &mut Members<'_>, now: Timestamp) -> Walk {
    let mut walk = Walk::default();
    if unfinished(steps, members).next().is_none() {
        // What turns after the end of a rollout is none of its business.
        return walk;
    }
    let mut gate = Gate::Open(None);
    for step in &steps.list {
        let failed = failures(step, members, &gate, now, &mut walk);
        mark(step, members, &failed);
        let has_failed = step.failures.is_some_and(|rules| failed.len() > rules.max);
        if has_failed {
            fail(step, members, &failed, now, &mut walk);
        } else {
            walk.tolerated.extend(failed.keys().cloned());
        }
        let tolerated: BTreeSet<&str> = failed.keys().map(String::as_str).collect();
        let entry = match (&walk.stopped, &gate) {
            (Some(stopped), Gate::Open(_)) => Gate::Closed(Waits::Stopped { step: stopped.step }),
            _ => gate.clone(),
        };
        admit(step, members, &tolerated, &entry, now);
        gate = match entry {
            Gate::Open(since) => {
                // Nothing comes after the last step, so that nothing waits for it to soak.
                let soaks = step.number < steps.list.len();
                behind(step, members, &tolerated, (since, soaks, now), &mut walk)
            }
            closed @ Gate::Closed(_) => closed,
        };
        if let (Gate::Closed(_), None) = (&gate, walk.current) {
            walk.current = Some(step.number);
        }
    }
    walk.tolerated.sort();
    if unfinished(steps, members).all(|name| walk.tolerated.contains(name)) {
        walk.current = None;
    }
    walk
}

/// The members that have not been healthy at their target.
fn unfinished<'s>(steps: &'s Steps, members: &Members<'_>) -> impl Iterator<Item = &'s String> {
    let names = steps.list.iter().flat_map(|step| &step.members);
    names.filter(|name| {
        let member = members.get(name.as_str());
        member.is_some_and(|member| member.state() != State::Healthy)
    })
}

/// Who failed in a step, with what each did.
fn failures(
    step: &Step,
    members: &Members<'_>,
    gate: &Gate,
    now: Timestamp,
    walk: &mut Walk,
) -> BTreeMap<String, String> {
    let Some(rules) = step.failures else {
        return BTreeMap::new();
    };
    let mut failed = BTreeMap::new();
    for name in &step.members {
        let Some(member) = members.get(name.as_str()) else {
            continue;
        };
        match failure::verdict(member, rules, gate, now) {
            Verdict::Failed(why) => {
                failed.insert(name.clone(), why);
            }
            Verdict::Well { deadline: Some(at) } => look_at(walk, at),
            Verdict::Well { deadline: None } => {}
        }
    }
    failed
}

/// Says in the entries who failed, and of nobody else that it did.
fn mark(step: &Step, members: &mut Members<'_>, failed: &BTreeMap<String, String>) {
    for name in &step.members {
        let Some(member) = members.get_mut(name.as_str()) else {
            continue;
        };
        match failed.get(name) {
            Some(_) if member.entry.rolled_back => {}
            Some(why) => member.entry.message = format!("{FAILED}it {why}"),
            None if member.entry.message.starts_with(FAILED) => {
                record::plain_message(member.state()).clone_into(&mut member.entry.message);
            }
            None => {}
        }
    }
}

/// A step failed: the rollout stops, and where it is wanted the failed members go back.
fn fail(
    step: &Step,
    members: &mut Members<'_>,
    failed: &BTreeMap<String, String>,
    now: Timestamp,
    walk: &mut Walk,
) {
    let action = step.failures.map(|rules| rules.action).unwrap_or_default();
    for (name, why) in failed {
        let Some(member) = members.get_mut(name.as_str()) else {
            continue;
        };
        if member.waits == Some(Waits::Pause) {
            continue;
        }
        if !member.entry.rolled_back && action != RolloutFailureAction::Rollback {
            continue;
        }
        let begin = match operation::rollback(name, member) {
            WayBack::None => continue,
            WayBack::Gone => None,
            WayBack::Begin(begin) => Some(*begin),
        };
        if !member.entry.rolled_back {
            record::rolled_back(&mut member.entry, why, now);
        }
        member.begin = begin;
    }
    walk.stopped.get_or_insert_with(|| Stopped {
        step: step.number,
        failed: failed.clone().into_iter().collect(),
    });
}

/// Lets the members of an open step begin as far as there are places, and tells all others what
/// they wait for.
fn admit(
    step: &Step,
    members: &mut Members<'_>,
    failed: &BTreeSet<&str>,
    gate: &Gate,
    now: Timestamp,
) {
    let moving = |member: &Member<'_>, name: &str| member.is_in_motion() && !failed.contains(name);
    let mut in_motion = step
        .members
        .iter()
        .filter(|name| {
            members
                .get(name.as_str())
                .is_some_and(|member| moving(member, name))
        })
        .count();
    for name in &step.members {
        let Some(member) = members.get_mut(name.as_str()) else {
            continue;
        };
        if !member.is_waiting() {
            continue;
        }
        if failed.contains(name.as_str()) {
            member.waits = member.obstacle();
            continue;
        }
        if let Some(waits) = member.obstacle() {
            member.wait(waits);
            continue;
        }
        if let Gate::Closed(waits) = gate {
            member.wait(waits.clone());
            continue;
        }
        // One that still moves towards an older revision keeps its place.
        let others = in_motion - usize::from(member.is_in_motion());
        match step.max_update {
            Some(limit) if others >= limit => {
                let step = step.number;
                member.wait(Waits::Place { step, limit });
            }
            _ => {
                member.begin = operation::sync(name, member);
                in_motion = others + 1;
                record::begun(&mut member.entry, now);
            }
        }
    }
}

/// The gate behind a step that has been open since `opened`.
fn behind(
    step: &Step,
    members: &Members<'_>,
    failed: &BTreeSet<&str>,
    (opened, soaks, now): (Option<Timestamp>, bool, Timestamp),
    walk: &mut Walk,
) -> Gate {
    let mut since = opened;
    let mut blockers = Vec::new();
    for name in step
        .members
        .iter()
        .filter(|name| !failed.contains(name.as_str()))
    {
        let Some(member) = members.get(name.as_str()) else {
            continue;
        };
        match member.complete_since() {
            Some(at) => since = since.max(Some(at)),
            None => blockers.push((name.clone(), member.how())),
        }
    }
    if !blockers.is_empty() {
        let step = step.number;
        return Gate::Closed(Waits::Step {
            step,
            applications: blockers,
        });
    }
    let Some(complete) = since.filter(|_| soaks) else {
        return Gate::Open(since);
    };
    // A time beyond all times never comes.
    let until = complete.checked_add(step.soak).unwrap_or(Timestamp::MAX);
    if until <= now {
        return Gate::Open(Some(until));
    }
    look_at(walk, until);
    Gate::Closed(Waits::Soak {
        step: step.number,
        until,
    })
}

fn look_at(walk: &mut Walk, at: Timestamp) {
    walk.look_again = Some(walk.look_again.map_or(at, |known| known.min(at)));
}
