//! A set that is rolled out in three steps, and what is told of it.

use argosy_crds::Application;
use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::appset_condition;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::{Value, json};

use super::{World, sets};
use crate::manifest::deployment;

/// The environments in the order of their steps.
pub const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// A set that runs a Deployment in every environment, step by step.
///
/// The Deployment, its folder and the set have one name, to which the applications and the target
/// namespaces add their environment.
#[derive(Debug)]
pub struct Rollout<'a, W> {
    world: &'a W,
    name: &'a str,
}

impl<'a, W: World> Rollout<'a, W> {
    /// A rollout of this name.
    pub fn new(world: &'a W, name: &'a str) -> Self {
        Self { world, name }
    }

    /// A rollout whose image `web:1` runs everywhere; `more` is merged into each step.
    pub async fn started(world: &'a W, name: &'a str, more: &Value) -> Self {
        let rollout = Self::new(world, name);
        rollout.start(rollout.set(more)).await;
        rollout
    }

    /// Applies the set and waits until `web:1` runs everywhere.
    pub async fn start(&self, set: Value) {
        let first = self.release("web:1");
        self.world.apply(set).await;
        self.until_complete(&first).await;
    }

    /// Applies the set with `more` in each step from now on.
    pub async fn give_steps(&self, more: &Value) {
        self.world.apply(self.set(more)).await;
    }

    /// The set, with `more` in each step.
    pub fn set(&self, more: &Value) -> Value {
        let Self { world, name } = self;
        let element = |env| json!({"env": env, "server": world.server(env)});
        let step = |env| {
            let mut step = more.clone();
            step["matchExpressions"] = json!([{"key": "env", "operator": "In", "values": [env]}]);
            step
        };
        let app = format!("{name}-{{{{ .env }}}}");
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "metadata": {"name": name},
            "spec": {
                "goTemplate": true,
                "generators": [{"list": {"elements": ENVIRONMENTS.map(element)}}],
                "strategy": {
                    "type": "RollingSync",
                    "rollingSync": {"steps": ENVIRONMENTS.map(step)},
                },
                "template": {
                    "metadata": {"name": app, "labels": {"env": "{{ .env }}"}},
                    "spec": {
                        "project": "default",
                        "source": {
                            "repoURL": world.tree().url(), "path": name, "targetRevision": "main",
                        },
                        "destination": {"server": "{{ .server }}", "namespace": app},
                        "syncPolicy": {
                            "automated": {"prune": true, "selfHeal": true},
                            "syncOptions": ["CreateNamespace=true"],
                        },
                    },
                },
            },
        })
    }

    /// Commits the Deployment with this image and tells the hub; returns the commit.
    pub fn release(&self, image: &str) -> String {
        let file = format!("{}/deployment.yaml", self.name);
        let tree = self.world.tree();
        let commit = tree.commit(&[(&file, &deployment(self.name, image))]);
        self.world.push();
        commit
    }

    /// The name of the application of an environment.
    pub fn app(&self, env: &str) -> String {
        format!("{}-{env}", self.name)
    }

    /// The application of an environment.
    pub async fn application(&self, env: &str) -> Application {
        let applications = self.world.applications();
        applications.get(&self.app(env)).await.unwrap()
    }

    /// The Deployments of an environment.
    pub fn deployments(&self, env: &str) -> Api<Deployment> {
        Api::namespaced(self.world.client_of(env), &self.app(env))
    }

    /// The image that runs in an environment, or nothing.
    pub async fn image(&self, env: &str) -> String {
        let live = self.deployments(env).get_opt(self.name).await.unwrap();
        let live = serde_json::to_value(live).unwrap();
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    }

    /// The images that run, in the order of the steps.
    pub async fn images(&self) -> [String; 3] {
        let [dev, staging, prod] = ENVIRONMENTS;
        [
            self.image(dev).await,
            self.image(staging).await,
            self.image(prod).await,
        ]
    }

    /// Where an environment is in the rollout.
    pub async fn told(&self, env: &str) -> ApplicationSetApplicationStatus {
        let set = self.world.sets().get(self.name).await.unwrap();
        let entries = set.status.unwrap_or_default().application_status;
        let name = self.app(env);
        let found = entries.into_iter().find(|entry| entry.application == name);
        found.unwrap_or_default()
    }

    /// The message of a condition of the set, if it holds.
    pub async fn condition(&self, type_: &str) -> Option<String> {
        sets::condition(self.world, self.name, type_).await
    }

    /// Waits until the rollout is complete at a commit.
    pub async fn until_complete(&self, commit: &str) {
        self.until_complete_at(&[commit]).await;
    }

    /// Waits until the rollout is complete at the commits of its sources.
    pub async fn until_complete_at(&self, commits: &[&str]) {
        let is_complete = async || {
            let set = self.world.sets().get(self.name).await.unwrap();
            let status = set.status.unwrap_or_default();
            let mut reasons = status.conditions.iter().map(|one| &one.reason);
            let mut entries = status.application_status.iter();
            reasons.any(|one| one == appset_condition::APPLICATION_SET_ROLLOUT_COMPLETE)
                && entries.len() == ENVIRONMENTS.len()
                && entries.all(|one| one.status == "Healthy" && one.target_revisions == commits)
        };
        let what = format!("the rollout is complete at {commits:?}");
        self.world.eventually(&what, is_complete).await;
    }

    /// Waits until an environment is told to wait, or why it does something.
    pub async fn until_message(&self, env: &str, text: &str) {
        let what = format!("{}: {text}", self.app(env));
        let is_told = async || self.told(env).await.message.contains(text);
        self.world.eventually(&what, is_told).await;
    }

    /// Waits until an image runs in an environment.
    pub async fn until_image(&self, env: &str, wanted: &str) {
        let what = format!("{wanted} runs in {}", self.app(env));
        let runs = async || self.image(env).await == wanted;
        self.world.eventually(&what, runs).await;
    }
}
