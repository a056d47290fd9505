//! The stages of a deletion, as finalizers name them: hooks before, the resources, hooks after.

use argosy_crds::Application;
use serde_json::Value;

use crate::health::{Health, HealthStatus};
use crate::object::{DeleteHookType, DeletePolicy, delete_policies, names};
use crate::sync::Propagation;

/// A stage of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Hooks run.
    Hooks(DeleteHookType),
    /// Hooks that ran are deleted, as their policies say.
    Cleanup(DeleteHookType),
    /// The resources are deleted.
    Resources(Propagation),
}

impl Stage {
    /// The stage that a deletion is at; `None` when nothing is left for it to do.
    pub fn of(application: &Application) -> Option<Self> {
        use DeleteHookType::{PostDelete, PreDelete};
        let all = [
            Self::Hooks(PreDelete),
            Self::Cleanup(PreDelete),
            Self::Resources(Propagation::Background),
            Self::Resources(Propagation::Foreground),
            Self::Hooks(PostDelete),
            Self::Cleanup(PostDelete),
        ];
        all.into_iter().find(|stage| {
            let mut finalizers = stage.finalizers().iter();
            finalizers.any(|finalizer| application.has_finalizer(finalizer))
        })
    }

    /// The finalizers that go when the stage is done.
    pub fn finalizers(self) -> &'static [&'static str] {
        match self {
            Self::Hooks(DeleteHookType::PreDelete) => &[names::PRE_DELETE_FINALIZER],
            Self::Cleanup(DeleteHookType::PreDelete) => &[names::PRE_DELETE_CLEANUP_FINALIZER],
            Self::Hooks(DeleteHookType::PostDelete) => &[names::POST_DELETE_FINALIZER],
            Self::Cleanup(DeleteHookType::PostDelete) => &[names::POST_DELETE_CLEANUP_FINALIZER],
            Self::Resources(Propagation::Background) => &[names::BACKGROUND_FINALIZER],
            Self::Resources(Propagation::Foreground | Propagation::Orphan) => {
                &[names::RESOURCES_FINALIZER, names::FOREGROUND_FINALIZER]
            }
        }
    }

    /// The finalizers of an application with and without hooks of its deletion; `None` if it has
    /// just those. What is not needed any more goes only if it may.
    pub fn with_hooks(
        current: &[String],
        pre: bool,
        post: bool,
        may_go: bool,
    ) -> Option<Vec<String>> {
        let mut finalizers = current.to_vec();
        for (kind, wanted) in [
            (DeleteHookType::PreDelete, pre),
            (DeleteHookType::PostDelete, post),
        ] {
            let stages = [Self::Hooks(kind), Self::Cleanup(kind)];
            for finalizer in stages.iter().flat_map(|stage| stage.finalizers()) {
                let is_set = finalizers.iter().any(|one| one == finalizer);
                if wanted && !is_set {
                    finalizers.push((*finalizer).to_owned());
                } else if !wanted && is_set && may_go {
                    finalizers.retain(|one| one != finalizer);
                }
            }
        }
        (finalizers != current).then_some(finalizers)
    }

    /// The finalizers of every stage.
    pub fn all_finalizers() -> [&'static str; 7] {
        [
            names::PRE_DELETE_FINALIZER,
            names::PRE_DELETE_CLEANUP_FINALIZER,
            names::BACKGROUND_FINALIZER,
            names::RESOURCES_FINALIZER,
            names::FOREGROUND_FINALIZER,
            names::POST_DELETE_FINALIZER,
            names::POST_DELETE_CLEANUP_FINALIZER,
        ]
    }
}

/// A hook of a deletion, and what is known of it.
#[derive(Clone, Debug)]
pub struct DeleteHook<'a> {
    /// As it is created.
    pub object: &'a Value,
    /// Its health, `None` if its kind has none; outer `None` if it is not there.
    pub live: Option<Option<Health>>,
}

/// What to do about the hooks of a deletion; positions are those in the list given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookStep {
    /// Create these.
    Create(Vec<usize>),
    /// They run.
    Wait,
    /// These failed: they are deleted, and tried again later.
    Failed(Vec<usize>),
    /// All of them have ended well.
    Done,
}

/// Decides the next step of the hooks of a deletion. All of them run side by side, as in Argo CD,
/// which knows no waves among them.
pub fn next_hooks(hooks: &[DeleteHook<'_>]) -> HookStep {
    let select = |holds: &dyn Fn(&DeleteHook<'_>) -> bool| -> Vec<usize> {
        let positions = hooks.iter().enumerate();
        positions
            .filter(|(_, hook)| holds(hook))
            .map(|(position, _)| position)
            .collect()
    };
    let missing = select(&|hook| hook.live.is_none());
    if !missing.is_empty() {
        return HookStep::Create(missing);
    }
    let failed = select(&|hook| status(hook) == Some(HealthStatus::Degraded));
    if !failed.is_empty() {
        return HookStep::Failed(failed);
    }
    if hooks
        .iter()
        .all(|hook| status(hook).is_none_or(|status| status == HealthStatus::Healthy))
    {
        HookStep::Done
    } else {
        HookStep::Wait
    }
}

/// The hooks that are deleted after they ran, by their policies; those without one stay.
pub fn cleanup(hooks: &[DeleteHook<'_>]) -> Vec<usize> {
    let goes = |hook: &DeleteHook<'_>| {
        let policies = delete_policies(hook.object);
        match status(hook) {
            Some(HealthStatus::Degraded) => policies.contains(&DeletePolicy::HookFailed),
            _ => policies.contains(&DeletePolicy::HookSucceeded),
        }
    };
    let positions = hooks.iter().enumerate();
    positions
        .filter(|(_, hook)| hook.live.is_some() && goes(hook))
        .map(|(position, _)| position)
        .collect()
}

fn status(hook: &DeleteHook<'_>) -> Option<HealthStatus> {
    let health = hook.live.as_ref()?.as_ref()?;
    Some(health.status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn application(finalizers: &[&str]) -> Application {
        let mut application = Application::default();
        let finalizers = finalizers.iter().map(|one| (*one).to_owned()).collect();
        application.metadata.finalizers = Some(finalizers);
        application
    }

    #[test]
    fn stages_follow_each_other_as_their_finalizers_go() {
        let mut all: Vec<_> = Stage::all_finalizers().to_vec();
        let mut seen = Vec::new();
        while let Some(stage) = Stage::of(&application(&all)) {
            seen.push(stage);
            all.retain(|finalizer| !stage.finalizers().contains(finalizer));
        }
        assert!(all.is_empty(), "{all:?} is of no stage");
        let hooks = |kind| [Stage::Hooks(kind), Stage::Cleanup(kind)];
        assert_eq!(seen[..2], hooks(DeleteHookType::PreDelete));
        assert_eq!(seen[4..], hooks(DeleteHookType::PostDelete));
        assert_eq!(Stage::of(&application(&["foreign"])), None);
    }

    #[test]
    fn finalizers_come_with_hooks_and_go_when_they_may() {
        let none = Vec::new();
        let both = Stage::with_hooks(&none, true, true, true).unwrap();
        assert_eq!(both.len(), 4);
        assert_eq!(Stage::with_hooks(&both, true, true, true), None);
        assert_eq!(Stage::with_hooks(&both, false, true, false), None);
        let left = Stage::with_hooks(&both, false, true, true).unwrap();
        assert_eq!(left, both[2..]);
    }

    #[test]
    fn hooks_run_to_their_end_and_a_failed_one_runs_again() {
        let object = json!({"kind": "Job", "metadata": {"annotations": {
            names::HOOK_DELETE_POLICY: "HookSucceeded"}}});
        let hook = |status: Option<HealthStatus>| DeleteHook {
            object: &object,
            live: status.map(|status| Some(Health::new(status, ""))),
        };
        let (well, ill) = (
            hook(Some(HealthStatus::Healthy)),
            hook(Some(HealthStatus::Degraded)),
        );
        let busy = hook(Some(HealthStatus::Progressing));
        assert_eq!(
            next_hooks(&[well.clone(), hook(None)]),
            HookStep::Create(vec![1])
        );
        assert_eq!(next_hooks(&[well.clone(), busy]), HookStep::Wait);
        assert_eq!(next_hooks(&[well.clone(), ill]), HookStep::Failed(vec![1]));
        assert_eq!(next_hooks(std::slice::from_ref(&well)), HookStep::Done);
        assert_eq!(next_hooks(&[]), HookStep::Done);
        assert_eq!(cleanup(&[well]), [0]);
    }
}
