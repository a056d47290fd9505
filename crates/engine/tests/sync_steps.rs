//! Stepping through a sync: what starts when, what is waited for, and how it ends.

use std::sync::Arc;

use argosy_engine::object::ResourceKey;
use argosy_engine::sync::{
    DestinationNamespace, Outcome, Phase, PlanError, PlanInput, Progress, PruneLimit, Step,
    SyncOptions, SyncPlan, TaskId, TaskState, TaskStates, UnknownKinds, Waiting, WaveDelay,
    WellKnownKinds, check, excess, next, results,
};
use argosy_facts::Observed;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const LATER: Timestamp = Timestamp::MAX;

fn object(kind: &str, name: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"apiVersion": "v1", "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations}})
}

fn hook(name: &str, phase: &str) -> Value {
    object("Pod", name, &[("argocd.argoproj.io/hook", phase)])
}

fn wave(name: &str, wave: &str) -> Value {
    object("ConfigMap", name, &[("argocd.argoproj.io/sync-wave", wave)])
}

fn try_plan(desired: &[Value], live: &Observed<Vec<Arc<Value>>>) -> Result<SyncPlan, PlanError> {
    SyncPlan::new(&PlanInput {
        desired: desired.iter().cloned().map(Arc::new).collect(),
        live,
        owns: &|_| true,
        modified: None,
        namespace: "shop",
        kinds: &WellKnownKinds::default(),
        unknown_kinds: UnknownKinds::Refuse,
        destination: DestinationNamespace::default(),
        options: SyncOptions::default(),
        prune: true,
        skip_hooks: false,
        selected: Vec::new(),
        revision: "0123456789",
        started_at: NOW,
    })
}

fn plan(desired: &[Value], live: &[Value]) -> SyncPlan {
    let live = Observed::complete(live.iter().cloned().map(Arc::new).collect());
    let plan = try_plan(desired, &live).expect("a plan");
    assert_eq!(check(&plan), [], "{}", plan.to_tree());
    plan
}

/// A sync under way, with an executor that does as it is told.
struct Run {
    plan: SyncPlan,
    states: TaskStates,
}

impl Run {
    fn new(plan: SyncPlan) -> Self {
        let states = TaskStates::new(&plan);
        Self { plan, states }
    }

    fn step(&self) -> Step {
        next(&self.plan, &self.states, WaveDelay::default(), LATER)
    }

    /// Applies all that may start; the names of it.
    fn apply(&mut self) -> Vec<String> {
        let Step::Run { start, .. } = self.step() else {
            return Vec::new();
        };
        for id in &start {
            if self.plan.task(*id).is_prune() {
                self.states.pruned(*id, false, NOW);
            } else {
                self.states.applied(*id, "configured", NOW);
            }
        }
        start
            .iter()
            .map(|id| self.plan.task(*id).key.name.clone())
            .collect()
    }

    fn id(&self, name: &str) -> TaskId {
        let found = self.plan.iter().find(|(_, task)| task.key.name == name);
        found.expect("a task of that name").0
    }

    fn observe(&mut self, name: &str, progress: Progress) {
        self.states.observed(&self.plan, self.id(name), progress);
    }

    fn message(&self) -> String {
        match self.step() {
            Step::Run { message, .. } | Step::Finished { message, .. } => message,
        }
    }
}

#[test]
fn a_plain_sync_ends_when_applied() {
    let mut run = Run::new(plan(&[object("Pod", "web", &[])], &[]));
    assert_eq!(run.apply(), ["web"]);
    assert!(matches!(
        run.step(),
        Step::Finished {
            outcome: Outcome::Succeeded,
            ..
        }
    ));
    assert_eq!(run.message(), "successfully synced (all tasks run)");
}

#[test]
fn the_next_wave_waits_for_health_and_for_the_delay() {
    let mut run = Run::new(plan(&[wave("b", "1"), wave("a", "0")], &[]));
    assert_eq!(run.apply(), ["a"]);
    assert_eq!(run.message(), "waiting for healthy state of /ConfigMap/a");
    run.observe("a", Progress::NoHealth);
    let early = next(&run.plan, &run.states, WaveDelay::default(), NOW);
    assert!(matches!(
        early,
        Step::Run {
            waiting: Waiting::WaveDelay { .. },
            ..
        }
    ));
    assert_eq!(run.apply(), ["b"]);
    assert!(matches!(run.step(), Step::Finished { .. }));
}

#[test]
fn a_failed_hook_runs_the_failure_hooks_and_fails() {
    let desired = [
        hook("pre", "PreSync"),
        wave("a", "0"),
        hook("alert", "SyncFail"),
    ];
    let mut run = Run::new(plan(&desired, &[]));
    assert_eq!(run.apply(), ["pre"]);
    assert_eq!(run.message(), "waiting for completion of hook /Pod/pre");
    run.observe("pre", Progress::Degraded("exit 1".into()));
    assert_eq!(run.apply(), ["alert"]);
    run.observe("alert", Progress::Healthy(String::new()));
    let Step::Finished {
        outcome,
        message,
        release,
        ..
    } = run.step()
    else {
        panic!("not finished");
    };
    assert_eq!(outcome, Outcome::Failed);
    assert_eq!(
        message,
        "one or more synchronization tasks completed unsuccessfully, reason: exit 1"
    );
    assert_eq!(release.len(), 2);
    assert_eq!(*run.states.get(run.id("a")), TaskState::Pending);
}

#[test]
fn a_refused_object_fails_the_sync_after_its_group() {
    let mut run = Run::new(plan(
        &[object("Secret", "s", &[]), object("ConfigMap", "c", &[])],
        &[],
    ));
    let secret = run.id("s");
    run.states.rejected(secret, "denied");
    assert_eq!(run.apply(), ["c"], "other kinds are tried all the same");
    assert_eq!(
        run.message(),
        "one or more objects failed to apply, reason: denied"
    );
}

#[test]
fn an_old_hook_goes_before_the_new_one_comes() {
    let mut run = Run::new(plan(
        &[hook("pre", "PreSync"), wave("a", "0")],
        &[hook("pre", "PreSync")],
    ));
    let Step::Run { start, .. } = run.step() else {
        panic!("finished");
    };
    assert_eq!(start.len(), 1);
    run.states.pruned(start[0], true, NOW);
    assert_eq!(run.message(), "waiting for deletion of /Pod/pre");
    run.states.pruned(start[0], false, NOW);
    assert_eq!(run.apply(), ["pre"]);
}

#[test]
fn a_prune_that_asks_for_it_waits_for_a_person() {
    let old = object(
        "ConfigMap",
        "old",
        &[("argocd.argoproj.io/sync-options", "Prune=confirm")],
    );
    let mut run = Run::new(plan(&[wave("a", "0")], &[old]));
    assert_eq!(run.apply(), Vec::<String>::new());
    assert_eq!(
        run.message(),
        "Waiting for pruning confirmation of v1/ConfigMap/old"
    );
    run.states.confirm();
    assert_eq!(run.apply(), ["old"]);
    assert_eq!(run.apply(), ["a"]);
}

#[test]
fn nothing_is_pruned_on_hearsay() {
    let live = Observed::partial(vec![Arc::new(wave("old", "0"))], "page 2 failed");
    let plan = try_plan(&[wave("a", "0")], &live).expect("a plan");
    assert_eq!(plan.tasks().len(), 1);
    assert!(plan.notes()[0].contains("page 2 failed"));
}

#[test]
fn dependencies_order_within_a_wave_and_cycles_are_named() {
    let depends = |name: &str, on: &str| {
        object(
            "ConfigMap",
            name,
            &[("config.kubernetes.io/depends-on", on)],
        )
    };
    let on_b = depends("a", "/namespaces/shop/ConfigMap/b");
    let mut run = Run::new(plan(&[on_b.clone(), wave("b", "0")], &[]));
    assert_eq!(run.apply(), ["b"]);
    assert_eq!(run.apply(), Vec::<String>::new(), "b is not healthy yet");
    run.observe("b", Progress::NoHealth);
    assert_eq!(run.apply(), ["a"]);

    let nothing = Observed::complete(Vec::new());
    let on_a = depends("b", "/namespaces/shop/ConfigMap/a");
    let Err(PlanError::Cycle(cycle)) = try_plan(&[on_b.clone(), on_a], &nothing) else {
        panic!("no cycle");
    };
    assert_eq!(cycle.len(), 3);
    let against_waves = try_plan(&[on_b, wave("b", "5")], &nothing);
    assert!(matches!(against_waves, Err(PlanError::Cycle(_))));
}

#[test]
fn a_sync_goes_on_from_its_recorded_results() {
    let mut run = Run::new(plan(&[wave("a", "0"), wave("b", "1")], &[]));
    run.apply();
    run.observe("a", Progress::NoHealth);
    let recorded = results(&run.plan, &run.states);
    assert_eq!(recorded.len(), 1);
    run.states = TaskStates::resume(&run.plan, &recorded);
    assert_eq!(run.apply(), ["b"]);
}

fn any_object() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["ConfigMap", "Secret", "Pod", "Namespace", "Widget"]);
    let hook = prop::sample::select(vec!["", "PreSync", "Sync", "PostSync", "SyncFail"]);
    (kind, "[a-f]", -2_i64..3, hook).prop_map(|(kind, name, wave, hook)| {
        let wave = wave.to_string();
        let mut annotations = vec![("argocd.argoproj.io/sync-wave", wave.as_str())];
        if !hook.is_empty() {
            annotations.push(("argocd.argoproj.io/hook", hook));
        }
        object(kind, &name, &annotations)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is planned passes the linter and runs to its end, each task once, groups in order.
    #[test]
    fn every_plan_runs_to_its_end(
        desired in prop::collection::vec(any_object(), 0..12),
        live in prop::collection::vec(any_object(), 0..8),
    ) {
        let mut run = Run::new(plan(&unique(desired), &unique(live)));
        let mut last = None;
        for _ in 0..200 {
            let Step::Run { start, .. } = run.step() else { break };
            for id in &start {
                let task = run.plan.task(*id);
                let place = (task.phase, task.wave);
                prop_assert!(last.is_none_or(|last| last <= place));
                prop_assert_eq!(run.states.get(*id), &TaskState::Pending);
                last = Some(place);
            }
            run.apply_ids(&start);
        }
        let finished = matches!(run.step(), Step::Finished { outcome: Outcome::Succeeded, .. });
        prop_assert!(finished, "{:?}\n{}", run.step(), run.plan.to_tree());
    }

    /// Whatever is refused, fails or takes its time, a sync ends, says how, and runs its failure
    /// hooks exactly when something failed.
    #[test]
    fn whatever_goes_wrong_a_sync_ends(
        desired in prop::collection::vec(any_object(), 0..12),
        live in prop::collection::vec(any_object(), 0..8),
        luck in prop::collection::vec(any_luck(), 1..40),
    ) {
        let mut run = Run::new(plan(&unique(desired), &unique(live)));
        let mut luck = luck.into_iter().cycle();
        let mut next_luck = || luck.next().expect("luck");
        let mut end = None;
        for _ in 0..500 {
            match run.step() {
                Step::Finished { outcome, .. } => {
                    end = Some(outcome);
                    break;
                }
                Step::Run { start, .. } if !start.is_empty() => {
                    for id in start {
                        run.begin(id, next_luck());
                    }
                }
                Step::Run { waiting: Waiting::Health(ids) | Waiting::Deletion(ids), .. } => {
                    for id in ids {
                        run.go_on(id, next_luck());
                    }
                }
                stuck @ Step::Run { .. } => prop_assert!(false, "{stuck:?}"),
            }
        }
        let of_failures = |phase: Phase| phase == Phase::SyncFail;
        let failed = run.plan.iter().any(|(id, task)| {
            !of_failures(task.phase) && run.states.get(id).is_failure()
        });
        let expected = if failed { Outcome::Failed } else { Outcome::Succeeded };
        prop_assert_eq!(end, Some(expected), "{}", run.plan.to_tree());
        let hooks = || run.plan.iter().filter(|(_, task)| of_failures(task.phase));
        // The hook of an earlier sync that does not go leaves no place for this one's.
        let is_blocked = hooks().any(|(id, _)| run.states.get(id).is_failure());
        for (id, task) in hooks() {
            let is_untouched = *run.states.get(id) == TaskState::Pending;
            prop_assert!(!is_untouched || !failed || is_blocked || !task.is_hook(), "{task}");
            prop_assert!(is_untouched || failed, "{task}");
        }
    }
}

/// Each object once.
fn unique(objects: Vec<Value>) -> Vec<Value> {
    let keyed = objects.into_iter().map(|object| {
        (
            argosy_engine::object::ObjectExt::resource_key(&object),
            object,
        )
    });
    let unique: std::collections::BTreeMap<ResourceKey, Value> = keyed.collect();
    unique.into_values().collect()
}

/// How it goes with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    Well,
    Slow,
    Refused,
    Bad,
}

fn any_luck() -> impl Strategy<Value = Luck> {
    prop::sample::select(vec![
        Luck::Well,
        Luck::Well,
        Luck::Slow,
        Luck::Refused,
        Luck::Bad,
    ])
}

impl Run {
    /// Takes on a task.
    fn begin(&mut self, id: TaskId, luck: Luck) {
        let is_deletion = self.plan.task(id).desired.is_none();
        match luck {
            Luck::Refused => self.states.rejected(id, "refused"),
            _ if is_deletion => self.states.pruned(id, luck == Luck::Slow, NOW),
            Luck::Slow => self.states.applied(id, "configured", NOW),
            Luck::Well | Luck::Bad => {
                self.states.applied(id, "configured", NOW);
                self.go_on(id, luck);
            }
        }
    }

    /// What was waited for comes about, well or badly.
    fn go_on(&mut self, id: TaskId, luck: Luck) {
        let is_deletion = self.plan.task(id).desired.is_none();
        let progress = match luck {
            _ if is_deletion => Progress::Missing,
            Luck::Bad => Progress::Degraded("broken".to_owned()),
            Luck::Refused => Progress::Missing,
            Luck::Well | Luck::Slow => Progress::Healthy(String::new()),
        };
        self.states.observed(&self.plan, id, progress);
    }

    /// Does what is told and sees everything healthy at once.
    fn apply_ids(&mut self, ids: &[TaskId]) {
        for id in ids {
            let task = self.plan.task(*id);
            if task.desired.is_none() {
                self.states.pruned(*id, false, NOW);
            } else {
                self.states.applied(*id, "configured", NOW);
                self.states
                    .observed(&self.plan, *id, Progress::Healthy(String::new()));
            }
        }
    }
}

#[test]
fn pruning_too_much_waits_for_the_approval_of_exactly_that() {
    let live: Vec<_> = (0..10).map(|n| wave(&format!("c{n}"), "0")).collect();
    let limited = |keep: usize, limit: &str, approved: Option<&str>| {
        let plan = plan(&live[..keep], &live);
        excess(&plan, PruneLimit::parse(limit).expect("a limit"), approved)
    };
    assert_eq!(limited(8, "20%", None), None);
    assert_eq!(limited(8, "2", None), None);
    assert_eq!(limited(0, "100%", None), None);
    let too_much = limited(7, "20%", None).expect("three of ten");
    assert_eq!((too_much.pruned.len(), too_much.live), (3, 10));
    assert!(too_much.to_string().contains("3 of 10 resources"));
    assert_eq!(limited(7, "20%", Some(&too_much.hash)), None);
    assert!(
        limited(6, "20%", Some(&too_much.hash)).is_some(),
        "another plan"
    );
    assert_eq!(PruneLimit::parse("many"), None);
}
