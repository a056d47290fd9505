//! What holds whatever happens in whatever order.

use argosy_crds::codes::HealthStatusCode;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{CarriedOut, World};

const ENVIRONMENTS: [&str; 3] = ["dev", "stage", "prod"];

#[derive(Clone, Debug)]
enum Event {
    Plan(CarriedOut),
    Refresh(usize),
    Start(usize),
    Finish(usize),
    Settle(usize),
    Turn(usize, HealthStatusCode),
    Drift(usize),
    Commit,
    Pass(i64),
}

fn event(apps: usize) -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop_oneof![
            4 => Just(CarriedOut::All),
            1 => Just(CarriedOut::OnlyOperations),
            1 => Just(CarriedOut::OnlyStatus),
        ].prop_map(Event::Plan),
        6 => (0..apps).prop_map(Event::Refresh),
        5 => (0..apps).prop_map(Event::Start),
        5 => (0..apps).prop_map(Event::Finish),
        5 => (0..apps).prop_map(Event::Settle),
        1 => (0..apps, prop_oneof![Just(HealthStatusCode::Degraded), Just(HealthStatusCode::Progressing)])
            .prop_map(|(at, health)| Event::Turn(at, health)),
        1 => (0..apps).prop_map(Event::Drift),
        1 => Just(Event::Commit),
        3 => (1..20_i64).prop_map(Event::Pass),
    ]
}

/// A world of one to three Applications an environment, and what happens in it. `limits` is the
/// `maxUpdate` of each step.
fn world() -> impl Strategy<Value = (World, [usize; 3], Vec<Event>)> {
    let sizes = prop::array::uniform3(1..4_usize);
    let limits = prop::array::uniform3(1..4_usize);
    (sizes, limits, 0..2_i64).prop_flat_map(|(sizes, limits, soak)| {
        let environments: Vec<&str> = ENVIRONMENTS
            .into_iter()
            .zip(sizes)
            .flat_map(|(env, size)| vec![env; size])
            .collect();
        let steps: Vec<_> = ENVIRONMENTS
            .into_iter()
            .zip(limits)
            .map(|(env, limit)| {
                json!({"maxUpdate": limit, "soak": format!("{}s", soak * 7), "matchExpressions":
                    [{"key": "env", "operator": "In", "values": [env]}]})
            })
            .collect();
        let count = environments.len();
        prop::collection::vec(event(count), 0..120).prop_map(move |events| {
            let world = World::new(&json!({"steps": steps}), &environments);
            (world, limits, events)
        })
    })
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}",
            self.live
                .iter()
                .map(|app| &app.metadata.name)
                .collect::<Vec<_>>()
        )
    }
}

fn step_of(world: &World, at: usize) -> usize {
    let name = world.live[at].metadata.name.clone().unwrap_or_default();
    ENVIRONMENTS
        .iter()
        .position(|env| name.starts_with(env))
        .expect("a known environment")
}

fn happen(world: &mut World, event: &Event) -> Vec<(usize, u32)> {
    match *event {
        Event::Plan(carried_out) => return world.act(carried_out),
        Event::Refresh(at) => world.refresh(at),
        Event::Start(at) => world.start(at),
        Event::Finish(at) => world.finish(at),
        Event::Settle(at) => world.settle(at),
        Event::Turn(at, health) => world.turn(at, health),
        Event::Drift(at) => world.drift(at),
        Event::Commit => world.head += 1,
        Event::Pass(seconds) => world.pass(seconds),
    }
    Vec::new()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nobody_begins_before_all_earlier_steps_run_that_revision_and_work(
        (mut world, _, events) in world()
    ) {
        for event in &events {
            for (at, revision) in happen(&mut world, event) {
                for earlier in (0..world.live.len()).filter(|&one| step_of(&world, one) < step_of(&world, at)) {
                    prop_assert!(
                        world.is_well_at(earlier, revision),
                        "{:?} begins at {revision} before {:?}",
                        world.live[at].metadata.name, world.live[earlier],
                    );
                }
            }
        }
    }

    #[test]
    fn no_step_has_more_in_motion_than_it_may((mut world, limits, events) in world()) {
        for event in &events {
            happen(&mut world, event);
            for (step, limit) in limits.into_iter().enumerate() {
                let moving = (0..world.live.len())
                    .filter(|&at| step_of(&world, at) == step && world.is_in_motion(at))
                    .count();
                prop_assert!(moving <= limit, "{moving} of step {step} are in motion");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn without_failures_every_schedule_ends_and_then_nothing_is_begun_or_written(
        (mut world, _, events) in world()
    ) {
        for event in &events {
            happen(&mut world, event);
        }
        prop_assert!(world.come_to_rest(), "{:#?}", world.set.status);
        prop_assert!(world.is_complete(), "{:#?}", world.set.status);
        let head = world.head;
        prop_assert!((0..world.live.len()).all(|at| world.is_well_at(at, head)));
        let before = world.set.status.clone();
        world.pass(1000);
        prop_assert!(world.act(CarriedOut::All).is_empty());
        prop_assert_eq!(before, world.set.status);
    }

    #[test]
    fn the_order_of_facts_does_not_matter_and_a_plan_carried_out_is_not_made_again(
        (mut world, _, events) in world()
    ) {
        for event in &events {
            prop_assert_eq!(world.plan(), world.plan_reversed());
            happen(&mut world, event);
        }
        world.act(CarriedOut::All);
        let before = world.set.status.clone();
        let begun = world.act(CarriedOut::All);
        prop_assert!(begun.is_empty(), "{begun:?}");
        prop_assert_eq!(before, world.set.status);
    }
}
