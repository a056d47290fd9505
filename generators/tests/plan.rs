//! What is written for a set, and what is not.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::ApplicationsSyncPolicy;
use argosy_crds::{Application, ApplicationSet};
use argosy_facts::Complete;
use argosy_generators::plan::{AppSetPlan, Inputs, PreservedKeys, plan};
use argosy_generators::rollout::is_rolling;
use argosy_generators::validate::validate;
use serde_json::{Value, json};

fn app(value: Value) -> Application {
    serde_json::from_value(value).expect("an Application")
}

fn set(spec: &Value) -> ApplicationSet {
    let metadata = json!({"name": "fleet", "namespace": "argocd", "uid": "u1"});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a set")
}

fn generated(name: &str, path: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example.com/r.git", "path": path},
            "destination": {"name": "in-cluster", "namespace": "x"},
        },
    })
}

fn run(
    set: &ApplicationSet,
    made: &[Value],
    live: &[Application],
    policy: ApplicationsSyncPolicy,
) -> AppSetPlan {
    let made: Vec<_> = made.iter().cloned().map(app).collect();
    let projects = BTreeSet::from(["default".to_owned()]);
    let invalid = validate("fleet", &made, &projects, &[]);
    plan(&Inputs {
        set,
        generated: &Complete::vouch(made),
        invalid: &invalid,
        live,
        policy,
        preserved: &PreservedKeys::default(),
        clusters: &[],
        rolling: is_rolling(set),
        jq: &|_, _| Ok(Vec::new()),
    })
}

/// What lives after everything that was planned has been written.
fn created(set: &ApplicationSet, made: &[Value]) -> Vec<Application> {
    let mut live = run(set, made, &[], ApplicationsSyncPolicy::Sync).create;
    for (number, app) in live.iter_mut().enumerate() {
        app.metadata.uid = Some(format!("a{number}"));
        app.metadata.resource_version = Some("7".to_owned());
    }
    live
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let set = set(&json!({}));
    let made = [generated("a", "p"), generated("b", "p")];
    let mut live = created(&set, &made);
    live[0].spec.sync_policy = Some(argosy_crds::application::SyncPolicy::default());
    live[0].metadata.labels = Some(BTreeMap::new());
    let plan = run(&set, &made, &live, ApplicationsSyncPolicy::Sync);
    assert_eq!(plan.unchanged, ["a", "b"]);
    assert!(plan.create.is_empty() && plan.update.is_empty() && plan.delete.is_empty());
}

#[test]
fn a_rollout_takes_away_the_will_to_sync_and_gives_it_back() {
    let mut made = generated("a", "p");
    made["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
    let made = [made];
    let steps = set(&json!({"strategy": {"type": "RollingSync", "rollingSync": {"steps": [{}]}}}));
    let live = created(&steps, &made);
    let policy = |app: &Application| json!(app.spec.sync_policy)["automated"].clone();
    assert_eq!(
        policy(&live[0]),
        json!({"selfHeal": true, "enabled": false})
    );
    assert_eq!(live[0].annotation("argosy.dev/self-heal"), Some("current"));
    let again = run(&steps, &made, &live, ApplicationsSyncPolicy::Sync);
    assert_eq!(again.unchanged, ["a"]);
    let at_once = run(&set(&json!({})), &made, &live, ApplicationsSyncPolicy::Sync);
    assert_eq!(policy(&at_once.update[0]), json!({"selfHeal": true}));
    assert_eq!(at_once.update[0].annotation("argosy.dev/self-heal"), None);
}

#[test]
fn drift_is_reverted_but_what_is_preserved_stays() {
    let set = set(&json!({"preservedFields": {"labels": ["team"]}}));
    let live = &mut created(&set, &[generated("a", "p")])[0];
    live.metadata.labels = Some(
        [
            ("team".to_owned(), "x".to_owned()),
            ("z".to_owned(), "1".to_owned()),
        ]
        .into(),
    );
    live.metadata.annotations =
        Some([("argocd.argoproj.io/refresh".to_owned(), "hard".to_owned())].into());
    live.metadata.finalizers = Some(vec![
        "post-delete-finalizer.argocd.argoproj.io/cleanup".to_owned(),
    ]);
    live.status = Some(argosy_crds::ApplicationStatus::default());
    let plan = run(
        &set,
        &[generated("a", "q")],
        std::slice::from_ref(live),
        ApplicationsSyncPolicy::Sync,
    );
    let [written] = plan.update.as_slice() else {
        panic!("one update expected")
    };
    assert_eq!(
        written.spec.source.as_ref().map(|s| s.path.as_str()),
        Some("q")
    );
    assert_eq!(
        json!(written.metadata),
        json!({
            "name": "a", "namespace": "argocd", "uid": "a0", "resourceVersion": "7",
            "labels": {"team": "x"},
            "annotations": {"argocd.argoproj.io/refresh": "hard"},
            "finalizers": [
                "resources-finalizer.argocd.argoproj.io",
                "post-delete-finalizer.argocd.argoproj.io/cleanup",
            ],
            "ownerReferences": live.metadata.owner_references,
        })
    );
    assert_eq!(written.status, live.status);
}

#[test]
fn ignored_differences_cause_no_write_and_survive_one() {
    let set = set(&json!({"ignoreApplicationDifferences": [
        {"jsonPointers": ["/spec/source/targetRevision"]}, {"name": "other", "jsonPointers": ["/spec"]},
    ]}));
    let live = &mut created(&set, &[generated("a", "p")])[0];
    live.spec.source.as_mut().expect("a source").target_revision = "hotfix".to_owned();
    let live = std::slice::from_ref(live);
    let plan = run(
        &set,
        &[generated("a", "p")],
        live,
        ApplicationsSyncPolicy::Sync,
    );
    assert_eq!(plan.unchanged, ["a"]);
    let made = [generated("a", "q")];
    let plan = run(&set, &made, live, ApplicationsSyncPolicy::Sync);
    let source = plan.update[0].spec.source.as_ref().expect("a source");
    assert_eq!(
        (source.path.as_str(), source.target_revision.as_str()),
        ("q", "hotfix")
    );
}

#[test]
fn only_own_applications_are_deleted_and_only_if_allowed() {
    let set = set(&json!({}));
    let mut live = created(&set, &[generated("a", "p"), generated("b", "p")]);
    live[1].spec.destination.name = "gone".to_owned();
    live.push(app(generated("unowned", "p")));
    let gone = |policy| run(&set, &[], &live, policy).delete;
    let deletions: Vec<_> = gone(ApplicationsSyncPolicy::Sync)
        .into_iter()
        .map(|deletion| (deletion.name, deletion.strip_finalizer))
        .collect();
    assert_eq!(deletions, [("a".to_owned(), false), ("b".to_owned(), true)]);
    assert!(gone(ApplicationsSyncPolicy::CreateUpdate).is_empty());
    assert!(gone(ApplicationsSyncPolicy::CreateOnly).is_empty());
}

#[test]
fn an_application_of_another_set_is_refused_and_an_unowned_one_adopted() {
    let ours = set(&json!({}));
    let mut theirs = ours.clone();
    theirs.metadata.name = Some("other".to_owned());
    theirs.metadata.uid = Some("u2".to_owned());
    let mut live = created(&theirs, &[generated("a", "p")]);
    live.push(app(generated("b", "p")));
    let made = [generated("a", "p"), generated("b", "p")];
    let plan = run(&ours, &made, &live, ApplicationsSyncPolicy::Sync);
    assert!(plan.refused.contains_key("a"));
    assert_eq!(plan.update.len(), 1);
}

#[test]
fn invalid_applications_are_neither_written_nor_deleted() {
    let set = set(&json!({}));
    let live = created(&set, &[generated("a", "p")]);
    let made = [
        generated("a", "q"),
        generated("a", "r"),
        generated("b", "p"),
    ];
    let plan = run(&set, &made, &live, ApplicationsSyncPolicy::Sync);
    assert_eq!(
        (plan.create.len(), plan.update.len(), plan.delete.len()),
        (1, 0, 0)
    );
}

#[test]
fn a_pause_survives_the_set() {
    let set = set(&json!({}));
    let made = [generated("a", "p")];
    let mut live = created(&set, &made);
    let pause = [
        ("argosy.dev/paused-until", "2026-03-04T06:00:00Z"),
        ("argosy.dev/pause-reason", "a fix by hand"),
        ("argosy.dev/paused-by", "ada"),
    ];
    let pause = pause.map(|(key, value)| (key.to_owned(), value.to_owned()));
    live[0].metadata.annotations = Some(pause.clone().into());
    let nothing_else = run(&set, &made, &live, ApplicationsSyncPolicy::Sync);
    assert!(nothing_else.update.is_empty());
    let changed = run(
        &set,
        &[generated("a", "q")],
        &live,
        ApplicationsSyncPolicy::Sync,
    );
    assert_eq!(changed.update[0].metadata.annotations, Some(pause.into()));
}
