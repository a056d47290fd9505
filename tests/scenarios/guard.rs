//! What would be lost waits for a person if it is much, and for nobody if it is little.

use argosy_crds::codes::appset_condition::{APPROVAL_NEEDED, ERROR_OCCURRED};
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::stories::World as _;
use argosy_test_support::stories::guard::{approve, hash};
use argosy_test_support::stories::sets::{condition, list, set, until_clean, until_condition};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::sets::{app_deletes, names, until_names};

#[tokio::test(flavor = "multi_thread")]
async fn losing_a_few_waits_for_nobody() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let tools = |apps: &[&str]| set("tools", true, &list(apps), "{{ .app }}", "web", &fleet);
    fleet.apply(tools(&["a", "b", "c"])).await;
    until_names(&fleet, &["a", "b", "c"]).await;
    fleet.apply(tools(&["a"])).await;
    until_names(&fleet, &["a"]).await;
}

/// A set with an Application for each directory in the folder.
fn directories(fleet: &Fleet, folder: &str) -> Value {
    let path = format!("{folder}/*");
    let git = json!({"repoURL": fleet.repo(), "revision": "main", "directories": [{"path": path}]});
    let generators = json!([{"git": git}]);
    let app = "{{ .path.basename }}";
    set("tools", true, &generators, app, "web", fleet)
}

async fn with_directories(fleet: &Fleet) {
    let text = config("settings", "1", "");
    fleet.commit(&[
        ("apps/a/a.yaml", &text),
        ("apps/b/a.yaml", &text),
        ("web/a.yaml", &text),
    ]);
    fleet.apply(directories(fleet, "apps")).await;
    until_names(fleet, &["a", "b"]).await;
    fleet.nothing_is_written().await;
}

fn remove_directories(fleet: &Fleet) {
    fleet.commit(&[("apps/a/a.yaml", ""), ("apps/b/a.yaml", "")]);
    fleet.push();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_stops_yielding_waits_however_little_is_lost() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    remove_directories(&fleet);
    let message = until_condition(&fleet, "tools", APPROVAL_NEEDED).await;
    assert_eq!(names(&fleet).await.len(), 2);
    assert!(
        message.starts_with(
            "spec.generators[0].git yields nothing any more; this change would delete 2 (a, b) of 2"
        ),
        "{message}"
    );
    approve(&fleet, "tools", &hash(&message)).await;
    until_names(&fleet, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_empties_a_generator_by_changing_it_means_it() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    fleet.apply(directories(&fleet, "nowhere")).await;
    until_names(&fleet, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_may_allow_everything() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    let patch = json!({"metadata": {"annotations": {"argosy.dev/guard-percent": "100"}}});
    fleet
        .sets()
        .patch("tools", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    remove_directories(&fleet);
    until_names(&fleet, &[]).await;
}

const ALL: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Waits until a condition of the set says this, and returns all that it says.
async fn until_told(fleet: &Fleet, type_: &str, wanted: &str) -> String {
    let mut told = String::new();
    let what = format!("{type_} says {wanted:?}");
    fleet
        .eventually(&what, async || {
            told = condition(fleet, "tools", type_).await.unwrap_or_default();
            told.contains(wanted)
        })
        .await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_with_an_approval_alone_although_most_of_it_comes_back() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let tools =
        |fleet: &Fleet, apps: &[&str]| set("tools", true, &list(apps), "{{ .app }}", "web", fleet);
    fleet.apply(tools(&fleet, &ALL)).await;
    until_names(&fleet, &ALL).await;
    until_clean(&fleet, "tools").await;

    fleet.apply(tools(&fleet, &ALL[..1])).await;
    until_told(&fleet, APPROVAL_NEEDED, "delete 7 (b, c, d").await;
    // Two of eight may go, but not these two, and neither an error nor a restart changes that.
    fleet.apply(tools(&fleet, &ALL[..6])).await;
    let rest = "what is left of a larger change waits, too; this change would delete 2 (g, h) of 8";
    let asked = until_told(&fleet, APPROVAL_NEEDED, rest).await;
    let mut broken = tools(&fleet, &ALL[..6]);
    broken["spec"]["generators"] = json!([{}]);
    fleet.apply(broken).await;
    until_told(&fleet, ERROR_OCCURRED, "spec.generators[0]").await;
    let still = condition(&fleet, "tools", APPROVAL_NEEDED).await;
    assert_eq!(still.as_ref(), Some(&asked));
    fleet.restart_hub();
    fleet.apply(tools(&fleet, &ALL[..6])).await;
    until_told(&fleet, ERROR_OCCURRED, "waits for approval").await;
    fleet.nothing_is_written().await;
    assert_eq!(until_told(&fleet, APPROVAL_NEEDED, rest).await, asked);
    assert_eq!((app_deletes(&fleet), names(&fleet).await.len()), (0, 8));

    // All are back: nothing waits, and what goes from here on is a loss of its own.
    fleet.apply(tools(&fleet, &ALL)).await;
    until_clean(&fleet, "tools").await;
    assert_eq!(condition(&fleet, "tools", APPROVAL_NEEDED).await, None);
    assert_eq!((app_deletes(&fleet), names(&fleet).await.len()), (0, 8));
    fleet.apply(tools(&fleet, &ALL[..6])).await;
    until_names(&fleet, &ALL[..6]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_more_than_allowed_waits_for_exactly_that_plan_s_approval() {
    let fleet = Fleet::start(&["dev"]).await;
    let file = |n: usize| (format!("web/{n}.yaml"), config(&format!("c{n}"), "1", ""));
    let files: Vec<_> = (0..5).map(file).collect();
    let all: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    fleet.commit(&all);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["metadata"]["annotations"] = json!({"argosy.dev/max-prune": "40%"});
    fleet.apply(app).await;
    fleet.until_well("web").await;

    fleet.commit(&[("web/0.yaml", ""), ("web/1.yaml", ""), ("web/2.yaml", "")]);
    fleet.push();
    let message = fleet.until_condition("web", "ApprovalNeeded").await;
    assert!(
        message.contains("would prune 3 of 5 resources (/ConfigMap/web/c0"),
        "{message}"
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c0")
            .await
            .is_some()
    );
    fleet.nothing_is_written().await;

    let hash = hash(&message);
    fleet
        .change(
            "web",
            json!({"metadata": {"annotations": {"argosy.dev/approved-plan": hash}}}),
        )
        .await;
    let app = fleet.until_well("web").await;
    assert!(
        !app.status
            .unwrap()
            .conditions
            .iter()
            .any(|one| one.type_ == "ApprovalNeeded")
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c0")
            .await
            .is_none()
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c4")
            .await
            .is_some()
    );
}
