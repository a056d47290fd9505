//! What becomes of a rollout, told from its beginning to its end.

use argosy_crds::codes::{HealthStatusCode, appset_condition};
use serde_json::{Value, json};

use crate::world::{CarriedOut, World};

const STOPPED: &str = appset_condition::ROLLOUT_STOPPED;

/// A step of one environment, with more settings.
fn step(env: &str, more: &Value) -> Value {
    let mut step = more.clone();
    step["matchExpressions"] = json!([{"key": "env", "operator": "In", "values": [env]}]);
    step
}

/// A fleet of two in dev and one in prod at rest at commit 1, and a commit 4, which changes all
/// three, on its way.
fn fleet(dev: &Value) -> World {
    let steps = [step("dev", dev), step("prod", &json!({}))];
    let mut world = World::new(&json!({"steps": steps}), &["dev", "dev", "prod"]);
    assert!(world.come_to_rest() && world.is_complete());
    world.head = 4;
    (0..3).for_each(|at| world.refresh(at));
    world
}

/// Syncs everything that was asked for, as far as it goes, once.
fn sync(world: &mut World) {
    world.act(CarriedOut::All);
    for at in 0..world.live.len() {
        world.start(at);
        world.pass(1);
        world.finish(at);
        world.settle(at);
    }
    world.act(CarriedOut::All);
}

#[test]
fn who_waits_for_whom_is_told() {
    let mut world = fleet(&json!({"maxUpdate": 1}));
    world.act(CarriedOut::All);
    assert_eq!(world.told("dev-0").0, "Pending");
    assert_eq!(
        world.told("prod-2"),
        (
            "Waiting".to_owned(),
            "Waiting for step 1: dev-0 is Pending, dev-1 is Waiting".to_owned()
        )
    );
    assert_eq!(
        world.told("dev-1").1,
        "Waiting for a place in step 1, which updates 1 at once"
    );
    let progress = world.condition(appset_condition::ROLLOUT_PROGRESSING);
    assert_eq!(
        progress.as_deref(),
        Some("ApplicationSet is performing rollout of step 1")
    );
}

#[test]
fn a_late_status_delays_a_step_and_never_opens_one() {
    let steps = [step("dev", &json!({})), step("prod", &json!({}))];
    let mut world = World::new(&json!({"steps": steps}), &["dev", "prod"]);
    assert!(world.come_to_rest());
    world.head = 3;
    // Only production has heard of the commit; dev still says that all is well.
    world.refresh(1);
    assert_eq!(world.act(CarriedOut::All), []);
    assert_eq!(world.plan().unseen, ["dev-0"]);
    assert_eq!(
        world.told("prod-1").1,
        "Waiting for step 1: dev-0 is not compared with the newest revision yet"
    );
    world.pass(1);
    world.refresh(0);
    assert_eq!(world.act(CarriedOut::All), [(0, 3)]);
}

#[test]
fn without_rules_a_sick_application_holds_up_what_comes_after_it_for_ever() {
    let mut world = fleet(&json!({}));
    world.sick.insert(4);
    sync(&mut world);
    world.pass(1_000_000);
    assert!(world.act(CarriedOut::All).is_empty());
    assert_eq!(world.condition(STOPPED), None);
    let (state, message) = world.told("prod-2");
    assert_eq!(state, "Waiting");
    assert!(
        message.starts_with("Waiting for step 1: dev-0 is Degraded"),
        "{message}"
    );
}

#[test]
fn a_step_that_failed_stops_the_rollout_until_it_is_healthy_or_there_is_a_newer_revision() {
    for is_healed in [true, false] {
        let mut world = fleet(&json!({"onFailure": "stop"}));
        world.unsyncable.insert(4);
        sync(&mut world);
        let stopped = world.condition(STOPPED).expect("it stopped");
        assert!(
            stopped.contains("step 1 failed") && stopped.contains("dev-0 could not be synced"),
            "{stopped}"
        );
        assert_eq!(world.told("prod-2").1, "Waiting because step 1 failed");
        assert!(world.act(CarriedOut::All).is_empty());
        world.unsyncable.clear();
        if is_healed {
            for at in 0..2 {
                // Somebody syncs by hand.
                let mut by_hand = world.live[2].operation.clone().unwrap_or_default();
                by_hand.sync.get_or_insert_default().revision = "4".to_owned();
                world.live[at].operation = Some(by_hand);
                world.start(at);
                world.finish(at);
                world.settle(at);
            }
        } else {
            world.head = 7;
        }
        assert!(world.come_to_rest());
        assert!(world.is_complete(), "{:#?}", world.set.status);
        assert_eq!(world.condition(STOPPED), None);
    }
}

#[test]
fn as_many_may_fail_as_the_step_allows() {
    let mut world = fleet(&json!({"maxFailures": "50%", "maxUpdate": 1}));
    world.act(CarriedOut::All);
    world.sick.insert(4);
    for at in 0..1 {
        world.start(at);
        world.pass(1);
        world.finish(at);
        world.settle(at);
    }
    world.sick.clear();
    for _ in 0..8 {
        // The failed one keeps no place from the other.
        world.act(CarriedOut::All);
        for at in 1..3 {
            world.start(at);
            world.pass(1);
            world.finish(at);
            world.settle(at);
        }
    }
    assert_eq!(world.told("prod-2").0, "Healthy");
    assert!(world.is_complete());
    assert!(
        world
            .told("dev-0")
            .1
            .starts_with("Application failed: it is Degraded")
    );
}

#[test]
fn an_application_that_takes_too_long_fails_and_so_does_one_that_nobody_can_reach() {
    let mut world = fleet(&json!({"progressDeadline": "10m"}));
    world.act(CarriedOut::All);
    let deadline = world.plan().look_again.expect("a deadline");
    assert_eq!(deadline, world.now() + jiff::SignedDuration::from_mins(10));
    world.pass(599);
    world.act(CarriedOut::All);
    assert_eq!(world.condition(STOPPED), None);
    world.pass(1);
    world.act(CarriedOut::All);
    assert!(
        world
            .condition(STOPPED)
            .is_some_and(|text| text.contains("is not healthy after 10m"))
    );

    let steps = [
        step("dev", &json!({"progressDeadline": "1m", "maxFailures": 1})),
        step("prod", &json!({})),
    ];
    let mut world = World::new(&json!({"steps": steps}), &["dev", "dev", "prod"]);
    assert!(world.come_to_rest());
    world.head = 2;
    world.refresh(0);
    world.refresh(2);
    sync(&mut world);
    assert_eq!(world.told("prod-2").0, "Waiting");
    world.pass(60);
    sync(&mut world);
    assert_eq!(world.told("prod-2").0, "Healthy", "{:#?}", world.set.status);
}

#[test]
fn who_cannot_be_compared_does_not_say_what_the_newest_revision_is() {
    let steps = [
        step("dev", &json!({"progressDeadline": "1m", "maxFailures": 1})),
        step("prod", &json!({})),
    ];
    let mut world = World::new(&json!({"steps": steps}), &["dev", "dev", "prod"]);
    assert!(world.come_to_rest());
    world.head = 4;
    world.refresh(0);
    world.refresh(2);
    world.lose(1);
    world.act(CarriedOut::All);
    assert_eq!(world.told("dev-0").0, "Pending");
    world.pass(1);
    world.lose(1);
    world.act(CarriedOut::All);
    assert_eq!(world.told("dev-0").0, "Pending");
    sync(&mut world);
    world.pass(60);
    world.lose(1);
    world.act(CarriedOut::All);
    assert_eq!(world.told("prod-2").0, "Pending", "{:#?}", world.set.status);
}

#[test]
fn what_a_sync_window_holds_back_is_told_so_and_its_time_does_not_run() {
    let mut world = fleet(&json!({"progressDeadline": "10m", "onFailure": "rollback"}));
    world.act(CarriedOut::All);
    world.hold_back(0, true);
    world.hold_back(1, true);
    world.pass(3600);
    world.act(CarriedOut::All);
    assert_eq!(world.condition(STOPPED), None);
    let (state, message) = world.told("dev-0");
    assert_eq!(
        (state.as_str(), message.as_str()),
        ("Pending", "Waiting for a sync window to open")
    );
    let how = "dev-0 is held back by a sync window, dev-1 is held back by a sync window";
    assert_eq!(world.told("prod-2").1, format!("Waiting for step 1: {how}"));

    // From when it opens the time runs.
    world.hold_back(0, false);
    world.hold_back(1, false);
    world.act(CarriedOut::All);
    assert_eq!(world.told("dev-0").0, "Progressing");
    let deadline = world.plan().look_again.expect("a deadline");
    assert_eq!(deadline, world.now() + jiff::SignedDuration::from_mins(10));
    assert!(world.come_to_rest() && world.is_complete());
}

#[test]
fn a_step_soaks_before_the_next_begins_and_anew_when_it_was_not_well() {
    let mut world = fleet(&json!({"soak": "5m"}));
    sync(&mut world);
    let until = world.plan().look_again.expect("an end of the soak");
    assert!(
        world.told("prod-2").1.starts_with("Waiting until "),
        "{:?}",
        world.told("prod-2")
    );
    world.pass(200);
    world.turn(1, HealthStatusCode::Progressing);
    assert!(world.act(CarriedOut::All).is_empty());
    world.pass(10);
    world.turn(1, HealthStatusCode::Healthy);
    world.act(CarriedOut::All);
    let again = world.plan().look_again.expect("an end of the soak");
    assert!(again > until);
    world.pass(299);
    assert!(world.act(CarriedOut::All).is_empty());
    world.pass(1);
    assert_eq!(world.act(CarriedOut::All), [(2, 4)]);
}

#[test]
fn what_failed_goes_back_to_where_it_was_healthy_and_stays_there_until_something_newer() {
    let mut world = fleet(&json!({"onFailure": "rollback"}));
    assert_eq!((world.runs("dev-0"), world.runs("dev-1")), (1, 1));
    world.sick.insert(4);
    world.act(CarriedOut::All);
    for at in 0..2 {
        world.start(at);
        world.pass(1);
        world.finish(at);
        world.settle(at);
    }
    assert_eq!(world.runs("dev-0"), 4);
    let back = world.act(CarriedOut::All);
    assert_eq!(back, [(0, 1), (1, 1)], "{:#?}", world.set.status);
    for _ in 0..5 {
        for at in 0..2 {
            world.start(at);
            world.pass(1);
            world.finish(at);
            world.settle(at);
        }
        assert!(world.act(CarriedOut::All).is_empty());
    }
    assert_eq!(world.runs("dev-0"), 1);
    assert_eq!(world.told("prod-2").0, "Waiting");
    assert!(
        world
            .told("dev-0")
            .1
            .starts_with("Rolled back to 1 because it is Degraded")
    );
    assert!(world.condition(STOPPED).is_some());
    world.head = 7;
    assert!(world.come_to_rest());
    assert!(world.is_complete(), "{:#?}", world.set.status);
    assert_eq!(world.runs("dev-0"), 7);
}

#[test]
fn a_sync_that_hangs_is_ended_before_the_rollback() {
    let mut world = fleet(&json!({"onFailure": "rollback", "progressDeadline": "1m"}));
    world.act(CarriedOut::All);
    world.start(0);
    world.act(CarriedOut::All);
    world.pass(60);
    let plan = world.plan();
    assert!(
        plan.begin
            .iter()
            .any(|begin| begin.name == "dev-0" && begin.terminate),
        "{plan:#?}"
    );
    world.act(CarriedOut::All);
    world.finish(0);
    world.start(0);
    world.finish(0);
    world.act(CarriedOut::All);
    assert_eq!(world.runs("dev-0"), 1);
}

#[test]
fn applications_that_no_step_selects_are_synced_only_where_that_is_wanted() {
    for (unmatched, runs) in [
        (Value::Null, 0),
        (json!("refuse"), 0),
        (json!("lastStep"), 1),
    ] {
        let rolling = json!({"steps": [step("dev", &json!({}))], "unmatched": unmatched});
        let mut world = World::new(&rolling, &["other", "dev"]);
        assert!(world.come_to_rest());
        assert!(world.is_complete());
        assert_eq!(world.runs("other-0"), runs);
        if runs == 0 {
            assert!(
                world
                    .told("other-0")
                    .1
                    .starts_with("No step of the rollout selects")
            );
        }
    }
}

#[test]
fn drift_of_what_was_rolled_out_neither_begins_anything_nor_holds_up_a_step() {
    let mut world = fleet(&json!({}));
    assert!(world.come_to_rest());
    world.drift(0);
    assert!(world.act(CarriedOut::All).is_empty());
    assert_eq!(world.told("dev-0").0, "Healthy");
}

#[test]
fn another_spec_at_the_same_revision_is_rolled_out_too() {
    let mut world = fleet(&json!({}));
    assert!(world.come_to_rest());
    for app in &mut world.live {
        let source = app.spec.source.as_mut().expect("a source");
        source.path.push_str("/other");
    }
    assert!(world.act(CarriedOut::All).is_empty());
    for name in ["dev-0", "prod-2"] {
        assert_eq!(world.told(name).0, "Waiting");
    }
    assert!(world.come_to_rest());
    assert!(world.is_complete());
}

#[test]
fn who_is_paused_is_left_alone_and_waited_for() {
    let mut world = fleet(&json!({}));
    world.paused.insert("dev-0".to_owned());
    assert_eq!(world.act(CarriedOut::All), [(1, 4)]);
    let told = world.told("dev-0").1;
    assert_eq!(told, "Waiting for the end of the Application's pause");
    sync(&mut world);
    assert_eq!(world.told("prod-2").0, "Waiting");
    world.paused.clear();
    assert!(world.come_to_rest() && world.is_complete());
}
