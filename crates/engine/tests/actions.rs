//! Actions: which an object offers, and what they come to.

use std::collections::BTreeMap;

use argosy_engine::actions::{Error, Operation, Parameters, list, merge_patch, run};
use argosy_engine::overrides::Overrides;
use jiff::Timestamp;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-05-04T03:02:01Z".parse().expect("a time")
}

fn settings(actions: &str) -> Overrides {
    let key = "resource.customizations.actions.example.com_Widget";
    Overrides::from_config_map(&BTreeMap::from([(key.to_owned(), actions.to_owned())]))
        .expect("settings")
}

fn widget() -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "finalizers": []},
           "spec": {"size": 3, "parts": [{"n": 1}], "none": []}})
}

fn names(object: &Value, overrides: &Overrides) -> Vec<(String, bool)> {
    let found = list(object, overrides, now()).expect("actions");
    found
        .into_iter()
        .map(|one| (one.name, one.disabled))
        .collect()
}

fn patch(
    object: &Value,
    action: &str,
    parameters: &[(&str, &str)],
    overrides: &Overrides,
) -> Value {
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let impacts = run(object, action, &parameters.collect(), overrides, now()).expect("it runs");
    let [impact] = &impacts[..] else {
        panic!("{impacts:?}")
    };
    assert_eq!(impact.operation, Operation::Patch);
    merge_patch(object, &impact.resource).unwrap_or_default()
}

#[test]
fn a_deployment_is_restarted_paused_resumed_and_scaled() {
    let overrides = Overrides::default();
    let mut web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
                         "spec": {"replicas": 1, "template": {"metadata": {}}}});
    let offered = |web: &Value| names(web, &overrides);
    let all = |paused: bool| {
        vec![
            ("pause".to_owned(), paused),
            ("restart".to_owned(), false),
            ("resume".to_owned(), !paused),
            ("scale".to_owned(), false),
        ]
    };
    assert_eq!(offered(&web), all(false));
    let stamp = json!({"kubectl.kubernetes.io/restartedAt": "2026-05-04T03:02:01Z"});
    assert_eq!(
        patch(&web, "restart", &[], &overrides),
        json!({"spec": {"template": {"metadata": {"annotations": stamp}}}})
    );
    assert_eq!(
        patch(&web, "scale", &[("replicas", "4")], &overrides),
        json!({"spec": {"replicas": 4}})
    );
    assert_eq!(
        patch(&web, "pause", &[], &overrides),
        json!({"spec": {"paused": true}})
    );
    web["spec"]["paused"] = json!(true);
    assert_eq!(offered(&web), all(true));
    assert_eq!(
        patch(&web, "resume", &[], &overrides),
        json!({"spec": {"paused": false}})
    );

    let refused = |action: &str, parameters: &[(&str, &str)]| {
        let parameters: Parameters = parameters
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        run(&web, action, &parameters, &overrides, now()).expect_err(action)
    };
    assert_eq!(refused("pause", &[]), Error::Disabled("pause".to_owned()));
    assert!(refused("scale", &[]).to_string().contains("`replicas`"));
    assert!(
        refused("scale", &[("replicas", "-1")])
            .to_string()
            .contains("no number")
    );
    assert!(
        refused("explode", &[])
            .to_string()
            .contains("pause, restart, resume, scale")
    );
}

#[test]
fn a_schedule_makes_a_job_of_its_own_now() {
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "tidy", "namespace": "ops", "uid": "u1"},
        "spec": {"jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {}}}}}});
    let made = run(
        &cron,
        "create-job",
        &Parameters::new(),
        &Overrides::default(),
        now(),
    )
    .expect("a job");
    assert_eq!(made[0].operation, Operation::Create);
    let job = &made[0].resource;
    assert_eq!(job["metadata"]["name"], "tidy-1777863721");
    assert_eq!(job["metadata"]["namespace"], "ops");
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "u1");
    assert_eq!(job["spec"], json!({"template": {"spec": {}}}));
}

#[test]
fn a_rollout_is_promoted_only_while_one_is_under_way() {
    let overrides = Overrides::default();
    let rollout = |status: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "r"},
               "spec": {}, "status": status})
    };
    let done = rollout(json!({"stableRS": "a", "currentPodHash": "a"}));
    let under_way = rollout(
        json!({"stableRS": "a", "currentPodHash": "b", "pauseConditions": [{"reason": "x"}]}),
    );
    let enabled = |object: &Value| -> Vec<_> {
        let all = names(object, &overrides).into_iter();
        all.filter(|(_, disabled)| !disabled)
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(enabled(&done), ["pause", "restart", "scale"]);
    assert_eq!(
        enabled(&under_way),
        [
            "abort",
            "pause",
            "promote-full",
            "restart",
            "resume",
            "scale"
        ]
    );
    assert_eq!(
        patch(&under_way, "resume", &[], &overrides),
        json!({"spec": {"paused": false}, "status": {"pauseConditions": null}})
    );
}

#[test]
fn a_users_action_patches_the_object_and_keeps_the_shape_of_the_rest() {
    let overrides = settings(
        "discovery.lua: |\n  actions = {}\n  actions['grow'] = {['disabled'] = obj.spec.size > 5, \
         ['displayName'] = 'Grow', ['params'] = {{name = 'by', default = '1'}}}\n  actions['noop'] = {}\n  \
         return actions\ndefinitions:\n- name: grow\n  action.lua: |\n    \
         obj.spec.size = obj.spec.size + tonumber(actionParams['by'])\n    obj.spec.parts = {}\n    return obj\n",
    );
    let found = list(&widget(), &overrides, now()).expect("actions");
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].display_name.as_str(), found[0].disabled),
        ("Grow", false)
    );
    assert_eq!(found[0].params[0].default, "1");
    assert_eq!(
        patch(&widget(), "grow", &[("by", "4")], &overrides),
        json!({"spec": {"size": 7, "parts": []}})
    );
}

#[test]
fn a_users_action_may_create_and_patch_others() {
    let overrides = settings(
        "definitions:\n- name: copy\n  action.lua: |\n    local made = {apiVersion = 'v1', kind = 'ConfigMap', \
         metadata = {name = obj.metadata.name .. '-copy'}, data = {at = os.date('!%Y', 0)}}\n    \
         obj.spec.size = 9\n    return {{operation = 'create', resource = made}, \
         {operation = 'patch', resource = obj}}\n",
    );
    let impacts = run(&widget(), "copy", &Parameters::new(), &overrides, now()).expect("two");
    assert_eq!(impacts.len(), 2);
    assert_eq!(impacts[0].operation, Operation::Create);
    assert_eq!(impacts[0].resource["metadata"]["name"], "w-copy");
    assert_eq!(impacts[0].resource["data"]["at"], "1970");
    assert_eq!(impacts[1].resource["spec"]["size"], 9);
    assert_eq!(impacts[1].resource["metadata"]["finalizers"], json!([]));
}

#[test]
fn a_script_that_loops_fails_or_returns_nonsense_is_an_error_of_its_own() {
    for script in [
        "while true do end",
        "error('no')",
        "return 3",
        "return {{operation = 'drop'}}",
        "return {a = 1}",
    ] {
        let overrides = settings(&format!(
            "definitions:\n- name: bad\n  action.lua: \"{script}\"\n"
        ));
        let answer = run(&widget(), "bad", &Parameters::new(), &overrides, now());
        assert!(answer.is_err(), "{script}: {answer:?}");
    }
    let unreadable = list(&widget(), &settings("definitions: 3"), now());
    assert!(
        matches!(unreadable, Err(Error::Unreadable(_))),
        "{unreadable:?}"
    );
}

#[test]
fn settings_replace_what_is_bundled_unless_they_merge() {
    let key = "resource.customizations.actions.apps_Deployment";
    let with = |merge: bool| {
        let text =
            format!("mergeBuiltinActions: {merge}\ndiscovery.lua: |\n  return {{mine = {{}}}}\n");
        let map = BTreeMap::from([(key.to_owned(), text)]);
        Overrides::from_config_map(&map).expect("settings")
    };
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}});
    let of = |overrides: &Overrides| -> Vec<_> {
        names(&web, overrides)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(of(&with(false)), ["mine"]);
    assert_eq!(
        of(&with(true)),
        ["mine", "pause", "restart", "resume", "scale"]
    );
}
