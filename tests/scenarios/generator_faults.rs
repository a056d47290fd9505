//! Every generator under every fault: nothing is deleted, the set says why, and it recovers by itself.
//!
//! Each row of the tables is a fault, each column what the set of one generator has to say of it.

use argosy_crds::ApplicationSet;
use argosy_sim::{Fault, Rule};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::git_server::{Answers, GitServer};
use crate::sets::{app_deletes, condition, names, until_clean};
use argosy_test_support::manifest::config;

/// How many Applications each set has: enough that losing all of them needs approval.
const SIZE: usize = 6;

/// What a set has to say.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// Nothing: it is not concerned.
    Nothing,
    /// An error with this in its text.
    Error(&'static str),
    /// That losing its Applications needs approval.
    Approval,
}
use Told::{Approval, Error, Nothing};

/// The sets, in the order of the columns.
const SETS: [&str; 6] = [
    "list",
    "clusters",
    "directories",
    "files",
    "matrix",
    "merge",
];

/// The git server answers badly. The list and the clusters have nothing to do with it.
const GIT: &[(Answers, &str)] = &[
    (Answers::Status(503), "503"),
    (Answers::Status(404), "not found"),
    (Answers::Status(403), "403"),
    (Answers::Html, "repo"),
    (Answers::Half, "repo"),
    (Answers::Not, "repo"),
];

/// The hub's API server does not list cluster Secrets to a hub that starts.
fn secrets() -> [(Fault, &'static str); 6] {
    let fail = |code, message: &str| Fault::Fail {
        code,
        message: message.to_owned(),
    };
    let unlisted = "secrets of the hub's cluster cannot be listed";
    let half = "{\"kind\": \"SecretList\", \"apiVersion\": \"v1\", \"items\": [";
    [
        (Fault::Answer("<html>Sign in</html>".to_owned()), unlisted),
        (Fault::Answer(half.to_owned()), unlisted),
        (fail(403, "secrets is forbidden"), "secrets is forbidden"),
        (fail(500, "the store is gone"), "the store is gone"),
        (fail(504, "timeout"), "timeout"),
        (Fault::Disconnect, unlisted),
    ]
}

/// What generators read is not what it was.
#[derive(Clone, Copy, Debug)]
enum Content {
    /// A file among those that are read is cut off.
    MalformedFile,
    /// Everything that generators read is gone, by the authority's own word.
    Empty,
}

const CONTENT: &[(Content, [Told; 6])] = &[
    (
        Content::MalformedFile,
        [
            Nothing,
            Nothing,
            Nothing,
            Error("unable to process file 'files/0.json'"),
            Nothing,
            Error("unable to process file 'files/0.json'"),
        ],
    ),
    (Content::Empty, [Approval; 6]),
];

/// A fleet with one set of each generator, which has its Applications.
struct World {
    fleet: Fleet,
    git: GitServer,
}

impl World {
    async fn start() -> Self {
        let fleet = Fleet::start(&["dev"]).await;
        let path = fleet.repo();
        let git = GitServer::serve(path.trim_start_matches("file://").as_ref()).await;
        let world = Self { fleet, git };
        // Nobody tells the hub when a fault is over: it has to look.
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "data": {"timeout.reconciliation": "2s"},
        });
        world.fleet.apply(map).await;
        world.fill().await;
        for (name, set) in SETS.into_iter().zip(world.sets(SIZE)) {
            world.fleet.apply(set).await;
            until_clean(&world.fleet, name).await;
        }
        let mut world = world;
        // The interval of polling is read when a hub starts.
        world.fleet.restart_hub();
        world.until_all_well().await;
        assert_eq!(names(&world.fleet).await.len(), SETS.len() * SIZE);
        world
    }

    /// Puts everything there that generators read.
    async fn fill(&self) {
        let files: Vec<(String, String)> = (0..SIZE)
            .flat_map(|n| {
                [
                    (format!("dirs/{n}/a.yaml"), config("a", "1", "")),
                    (format!("files/{n}.json"), format!("{{\"app\": \"{n}\"}}")),
                ]
            })
            .collect();
        self.commit(&files);
        for n in 0..SIZE {
            let data = json!({"name": format!("c{n}"), "server": format!("https://127.0.0.1:1/{n}"), "config": "{}"});
            let labels = json!({"argocd.argoproj.io/secret-type": "cluster", "env": "edge"});
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "stringData": data,
                                "metadata": {"name": format!("cluster-c{n}"), "labels": labels}});
            self.fleet.apply(secret).await;
        }
    }

    fn commit(&self, files: &[(String, String)]) {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        self.fleet.commit(&files);
    }

    /// One set of each generator, the list with this many elements.
    fn sets(&self, elements: usize) -> [Value; 6] {
        let elements: Vec<_> = (0..elements)
            .map(|n| json!({"app": n.to_string()}))
            .collect();
        let list = json!({"list": {"elements": elements}});
        let env = |env: &str| json!({"clusters": {"selector": {"matchLabels": {"env": env}}}});
        let git = |key: &str, path: &str| {
            let mut git =
                json!({"repoURL": self.git.url(), "revision": "main", "requeueAfterSeconds": 2});
            git[key] = json!([{"path": path}]);
            json!({"git": git})
        };
        let (directories, files) = (git("directories", "dirs/*"), git("files", "files/*.json"));
        let matrix = json!({"matrix": {"generators": [env("dev"), directories]}});
        let overrides = json!({"list": {"elements": [{"app": "0", "more": "x"}]}});
        let merge = json!({"merge": {"mergeKeys": ["app"], "generators": [files, overrides]}});
        [
            self.set("list", &list, "{{.app}}"),
            self.set("clusters", &env("edge"), "{{.name}}"),
            self.set("directories", &directories, "{{.path.basename}}"),
            self.set("files", &files, "{{.app}}"),
            self.set("matrix", &matrix, "{{.path.basename}}"),
            self.set("merge", &merge, "{{.app}}"),
        ]
    }

    fn set(&self, name: &str, generator: &Value, leaf: &str) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
            "spec": {
                "goTemplate": true, "goTemplateOptions": ["missingkey=error"], "generators": [generator],
                "template": {
                    "metadata": {"name": format!("{name}-{leaf}")},
                    "spec": {
                        "project": "default",
                        "source": {"repoURL": self.fleet.repo(), "path": "dirs/0", "targetRevision": "main"},
                        "destination": {"name": "dev", "namespace": "web"},
                    },
                },
            },
        })
    }

    async fn until_all_well(&self) {
        for set in SETS {
            until_clean(&self.fleet, set).await;
        }
    }

    async fn until_told(&self, set: &str, told: Told) {
        let (kind, text) = match told {
            Nothing => return,
            Error(text) => ("ErrorOccurred", text),
            Approval => ("ApprovalNeeded", "waits"),
        };
        let what = format!("{set} tells of {told:?}");
        let says = || async {
            let message = condition(&self.fleet, set, kind).await;
            message.is_some_and(|message| message.contains(text))
        };
        self.fleet.eventually(&what, says).await;
    }

    /// Waits for what the sets have to say, and makes sure that nothing is lost meanwhile.
    async fn expect(&self, fault: &str, told: [Told; 6]) {
        for (set, told) in SETS.into_iter().zip(told) {
            self.until_told(set, told).await;
        }
        for (set, told) in SETS.into_iter().zip(told) {
            if let Nothing = told {
                let error = condition(&self.fleet, set, "ErrorOccurred").await;
                assert_eq!(error, None, "{fault}: {set} is not concerned");
            }
        }
        self.nothing_is_lost(fault).await;
    }

    async fn nothing_is_lost(&self, fault: &str) {
        assert_eq!(app_deletes(&self.fleet), 0, "{fault}");
        assert_eq!(names(&self.fleet).await.len(), SETS.len() * SIZE, "{fault}");
    }

    /// Waits until everything is as it was, which nobody helps with.
    async fn recover(&self, fault: &str) {
        self.until_all_well().await;
        self.nothing_is_lost(fault).await;
    }

    async fn empty(&self) {
        let gone: Vec<(String, String)> = (0..SIZE)
            .flat_map(|n| [format!("dirs/{n}/a.yaml"), format!("files/{n}.json")])
            .map(|path| (path, String::new()))
            .chain([("README".to_owned(), "empty".to_owned())])
            .collect();
        self.commit(&gone);
        let secrets: Api<Secret> = Api::namespaced(self.fleet.client.clone(), "argocd");
        for n in 0..SIZE {
            let name = format!("cluster-c{n}");
            secrets
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
        }
        self.elements(0).await;
    }

    async fn elements(&self, count: usize) {
        let sets: Api<ApplicationSet> = Api::namespaced(self.fleet.client.clone(), "argocd");
        let spec = &self.sets(count)[0]["spec"]["generators"];
        let patch = Patch::Merge(json!({"spec": {"generators": spec}}));
        sets.patch("list", &PatchParams::default(), &patch)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_server_that_answers_badly_deletes_nothing() {
    let world = World::start().await;
    for (answers, text) in GIT.iter().copied() {
        let fault = format!("{answers:?}");
        world.git.answers(answers);
        let told = Error(text);
        world
            .expect(&fault, [Nothing, Nothing, told, told, told, told])
            .await;
        world.git.answers(Answers::Well);
        world.recover(&fault).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_secrets_that_cannot_be_listed_delete_nothing() {
    let mut world = World::start().await;
    for (fault, text) in secrets() {
        let name = format!("{fault:?}");
        world.fleet.kill_hub();
        world.fleet.hub_sim.faults().add(Rule {
            verb: Some("list".to_owned()),
            resource: Some("secrets".to_owned()),
            fault,
            times: None,
        });
        world.fleet.restart_hub();
        // A hub that does not know its clusters judges nothing at all.
        world.expect(&name, [Error(text); 6]).await;
        world.fleet.hub_sim.faults().clear();
        world.recover(&name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_malformed_or_suddenly_gone_deletes_nothing() {
    let mut world = World::start().await;
    for (content, told) in CONTENT.iter().copied() {
        let fault = format!("{content:?}");
        match content {
            Content::MalformedFile => {
                world.commit(&[("files/0.json".to_owned(), "{\"app\": ".to_owned())]);
            }
            Content::Empty => {
                // All of it between two looks: clusters that leave one by one are believed. They
                // may come back as they like.
                world.fleet.kill_hub();
                world.empty().await;
                world.fleet.restart_hub();
            }
        }
        world.expect(&fault, told).await;
        world.fill().await;
        world.elements(SIZE).await;
        world.recover(&fault).await;
    }
}
