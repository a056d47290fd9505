//! Every generator that asks outside under every fault: nothing is deleted, the set says why, and it
//! recovers by itself.
//!
//! Each row is a fault, each column what the set of one generator has to say of it. The sets are so
//! small that the guard would let all of their Applications go.

use std::time::Duration;

use argosy_sim::{Fault as OfServer, Rule};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::outside::{define_placements, placement, secret, set, start};
use crate::outside_server::{Fault, Service};
use crate::sets::{app_deletes, condition, names, until_clean, until_names};

/// The sets, in the order of the columns.
const SETS: [&str; 4] = ["scm", "pulls", "plugin", "decided"];

/// What a set has to say: this in the text of an error, or nothing.
type Told = [Option<&'static str>; 4];

/// The provider and the plugin answer badly; the cluster decision has nothing to do with them.
const SERVICE: &[(Fault, &str)] = &[
    (Fault::Status(401), "401"),
    (Fault::Status(403), "403"),
    (Fault::Status(404), "404"),
    (Fault::Status(500), "status 500"),
    (Fault::Status(503), "status 503"),
    (Fault::Html, "web page"),
    (Fault::Cut, "no answer"),
    (Fault::Limited, "rate limit"),
    (Fault::Hangs, "not within 5 s"),
];

/// The hub's API server refuses something, fails or does not answer.
fn server() -> Vec<(&'static str, &'static str, OfServer, Told)> {
    let fail = |code, message: &str| OfServer::Fail {
        code,
        message: message.to_owned(),
    };
    let (get, list) = ("get", "list");
    let denied = || fail(403, "it is forbidden");
    let down = || fail(500, "the store is gone");
    let slow = || OfServer::Slow(Duration::from_mins(10));
    let html = || OfServer::Answer("<html>Sign in</html>".to_owned());
    let half = || OfServer::Answer("{\"kind\": \"PlacementList\", \"items\": [".to_owned());
    let secret = |why| [Some(why), Some(why), Some(why), None];
    let map = |why| [None, None, Some(why), Some(why)];
    let decided = |why| [None, None, None, Some(why)];
    vec![
        (get, "secrets", denied(), secret("it is forbidden")),
        (get, "secrets", down(), secret("the store is gone")),
        (
            get,
            "secrets",
            OfServer::Disconnect,
            secret("error fetching secret"),
        ),
        (get, "secrets", html(), secret("error fetching secret")),
        (get, "configmaps", denied(), map("it is forbidden")),
        (get, "configmaps", down(), map("the store is gone")),
        (get, "configmaps", html(), map("error fetching ConfigMap")),
        (list, "placements", denied(), decided("it is forbidden")),
        (list, "placements", down(), decided("the store is gone")),
        (
            list,
            "placements",
            OfServer::Disconnect,
            decided("failed to get dynamic resources"),
        ),
        (
            list,
            "placements",
            html(),
            decided("failed to get dynamic resources"),
        ),
        (
            list,
            "placements",
            half(),
            decided("failed to get dynamic resources"),
        ),
        (
            list,
            "placements",
            slow(),
            decided("did not answer within 5 s"),
        ),
    ]
}

/// A fleet with a set of each generator, which has its Applications.
struct World {
    fleet: Fleet,
    service: Service,
}

impl World {
    async fn start() -> Self {
        let (mut fleet, service, url) = start().await;
        fleet.add_cluster("prod").await;
        define_placements(&fleet).await;
        let world = Self { fleet, service };
        world.fill().await;
        let fleet = &world.fleet;
        fleet
            .apply(secret("token", &json!({"token": "t0p-s3cr3t"})))
            .await;
        let map = json!({"baseUrl": url, "token": "$token:token"});
        fleet.configure("plugin", map).await;
        for (name, (generator, app)) in SETS.into_iter().zip(generators(&url)) {
            fleet.apply(set(name, &generator, app, fleet)).await;
        }
        until_names(fleet, &NAMES).await;
        world.until_all_well().await;
        world
    }

    /// Puts everything there that generators read.
    async fn fill(&self) {
        self.service.repositories(&["a", "b"]);
        self.service.pulls("web", &[1, 2]);
        self.service.plugin(&["x", "y"]);
        self.fleet.apply(placement(&["dev", "prod"])).await;
    }

    /// Takes everything away, by the authority's own word.
    async fn empty(&self) {
        self.service.repositories(&[]);
        self.service.pulls("web", &[]);
        self.service.plugin(&[]);
        self.fleet.apply(placement(&[])).await;
    }

    /// Waits for what the sets have to say, and makes sure that nothing is lost meanwhile.
    async fn expect(&self, fault: &str, told: Told) {
        for (set, told) in SETS.into_iter().zip(told) {
            let Some(text) = told else { continue };
            self.until_told(fault, set, "ErrorOccurred", text).await;
        }
        for (set, told) in SETS.into_iter().zip(told) {
            if told.is_none() {
                let error = condition(&self.fleet, set, "ErrorOccurred").await;
                assert_eq!(error, None, "{fault}: {set} is not concerned");
            }
        }
        self.nothing_is_lost(fault).await;
    }

    async fn until_told(&self, fault: &str, set: &str, kind: &str, text: &str) {
        let what = format!("{fault}: {set} has {kind} with {text:?}");
        let says = || async {
            let message = condition(&self.fleet, set, kind).await;
            message.is_some_and(|message| {
                assert!(
                    !message.contains("4711") && !message.contains("t0p"),
                    "{message}"
                );
                message.contains(text)
            })
        };
        self.fleet.eventually(&what, says).await;
    }

    async fn nothing_is_lost(&self, fault: &str) {
        assert_eq!(app_deletes(&self.fleet), 0, "{fault}");
        assert_eq!(names(&self.fleet).await.len(), NAMES.len(), "{fault}");
    }

    async fn until_all_well(&self) {
        for set in SETS {
            until_clean(&self.fleet, set).await;
        }
    }

    /// Waits until everything is as it was, which nobody helps with.
    async fn recover(&self, fault: &str) {
        self.until_all_well().await;
        self.nothing_is_lost(fault).await;
    }

    fn break_server(&self, verb: &str, resource: &str, fault: OfServer) {
        self.fleet.hub_sim.faults().add(Rule {
            verb: Some(verb.to_owned()),
            resource: Some(resource.to_owned()),
            fault,
            times: None,
        });
    }
}

/// The Applications of all sets.
const NAMES: [&str; 8] = [
    "s-a", "s-b", "pr-1", "pr-2", "p-x", "p-y", "d-dev", "d-prod",
];

/// The generators of the sets, and the names that their templates give.
fn generators(url: &str) -> [(Value, &'static str); 4] {
    let token = json!({"secretName": "token", "key": "token"});
    let scm = json!({"github": {"organization": "shop", "api": url, "tokenRef": token}, "requeueAfterSeconds": 1});
    let pulls = json!({"github": {"owner": "shop", "repo": "web", "api": url, "tokenRef": token}, "requeueAfterSeconds": 1});
    let plugin = json!({"configMapRef": {"name": "plugin"}, "requeueAfterSeconds": 1});
    let decided = json!({"configMapRef": "placements", "requeueAfterSeconds": 1,
        "labelSelector": {"matchLabels": {"app": "web"}}});
    [
        (json!({"scmProvider": scm}), "s-{{.repository}}"),
        (json!({"pullRequest": pulls}), "pr-{{.number}}"),
        (json!({"plugin": plugin}), "p-{{.app}}"),
        (json!({"clusterDecisionResource": decided}), "d-{{.name}}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_a_provider_or_plugin_takes_an_application_away() {
    let world = World::start().await;
    for (fault, text) in SERVICE.iter().copied() {
        let name = format!("{fault:?}");
        world.service.break_with(Some(fault));
        let told = Some(text);
        world.expect(&name, [told, told, told, None]).await;
        world.service.break_with(None);
        world.recover(&name).await;
    }
    world.service.break_with(Some(Fault::SecondPage));
    let (page, half) = (Some("status 502"), Some("no answer"));
    world.expect("a half list", [page, page, half, None]).await;
    world.service.break_with(None);
    world.recover("a half list").await;

    world.service.repositories(&["b", "c"]);
    world.service.pulls("web", &[2]);
    world.service.plugin(&["x"]);
    world.fleet.apply(placement(&["dev"])).await;
    until_names(&world.fleet, &["s-b", "s-c", "pr-2", "p-x", "d-dev"]).await;
    let tokens = world.service.tokens();
    assert!(
        tokens.iter().all(|token| token == "Bearer t0p-s3cr3t"),
        "{tokens:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_server_does_not_give_takes_no_application_away() {
    let world = World::start().await;
    for (verb, resource, fault, told) in server() {
        let name = format!("{verb} {resource}: {fault:?}");
        world.break_server(verb, resource, fault);
        world.expect(&name, told).await;
        world.fleet.hub_sim.faults().clear();
        world.recover(&name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_suddenly_empty_wait_for_a_person_however_few_applications_there_are() {
    let mut world = World::start().await;
    for while_the_hub_is_down in [false, true] {
        let fault = format!("empty, while the hub is down: {while_the_hub_is_down}");
        if while_the_hub_is_down {
            world.fleet.kill_hub();
        }
        world.empty().await;
        if while_the_hub_is_down {
            world.fleet.restart_hub();
        }
        for set in SETS {
            let text = "yields nothing any more; this change would delete 2";
            world.until_told(&fault, set, "ApprovalNeeded", text).await;
        }
        world.nothing_is_lost(&fault).await;
        world.fill().await;
        world.recover(&fault).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_may_no_longer_list_says_so_and_deletes_nothing() {
    let mut world = World::start().await;
    let clusters = json!({"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}});
    let fleet = &world.fleet;
    fleet
        .apply(set("clusters", &clusters, "c-{{.name}}", fleet))
        .await;
    let with_clusters: Vec<_> = NAMES.into_iter().chain(["c-dev", "c-prod"]).collect();
    until_names(fleet, &with_clusters).await;

    // At run time: who reads clusters says so, and so does everybody where sets cannot be compared.
    for (resource, told, untold) in [
        (
            "secrets",
            vec!["clusters", "decided"],
            vec!["scm", "pulls", "plugin"],
        ),
        (
            "applications",
            vec!["clusters", "decided", "scm", "pulls", "plugin"],
            vec![],
        ),
    ] {
        for verb in ["list", "watch"] {
            world.break_server(
                verb,
                resource,
                OfServer::Fail {
                    code: 403,
                    message: "it is forbidden".to_owned(),
                },
            );
        }
        world.fleet.hub_sim.faults().cut_watches();
        for set in &told {
            let text = "can no longer be listed: it is forbidden";
            world.until_told(resource, set, "ErrorOccurred", text).await;
        }
        for set in untold {
            assert_eq!(
                condition(&world.fleet, set, "ErrorOccurred").await,
                None,
                "{resource}: {set}"
            );
        }
        world.fleet.hub_sim.faults().clear();
        for set in told {
            until_clean(&world.fleet, set).await;
        }
        assert_eq!(app_deletes(&world.fleet), 0, "{resource}");
    }

    // From the start: nothing is known, and nobody is told otherwise.
    world.fleet.kill_hub();
    world.break_server(
        "list",
        "secrets",
        OfServer::Fail {
            code: 403,
            message: "it is forbidden".to_owned(),
        },
    );
    world.fleet.restart_hub();
    let all = [Some("cannot be listed: "); 4];
    for (set, text) in SETS.into_iter().zip(all.into_iter().flatten()) {
        world
            .until_told("from the start", set, "ErrorOccurred", text)
            .await;
    }
    world.fleet.hub_sim.faults().clear();
    world.until_all_well().await;
    assert_eq!(app_deletes(&world.fleet), 0);
    assert_eq!(names(&world.fleet).await.len(), with_clusters.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_never_answers_holds_up_no_other_set() {
    let (fleet, service, url) = start().await;
    service.break_with(Some(Fault::Hangs));
    let token = secret("token", &json!({"token": "t0p-s3cr3t"}));
    fleet.apply(token).await;
    let map = json!({"baseUrl": url, "token": "$token:token", "requestTimeout": "86400"});
    fleet.configure("plugin", map).await;
    // More than there are workers.
    let plugin = json!({"plugin": {"configMapRef": {"name": "plugin"}}});
    for n in 0..6 {
        let name = format!("hangs-{n}");
        let set = set(&name, &plugin, "p-{{.app}}", &fleet);
        fleet.apply(set).await;
    }
    let asked = || async { service.asked("/api/v1/getparams.execute") == 6 };
    fleet.eventually("all of them ask at once", asked).await;
    let list = json!({"list": {"elements": [{"app": "a"}]}});
    fleet.apply(set("list", &list, "{{.app}}", &fleet)).await;
    until_names(&fleet, &["a"]).await;
}
