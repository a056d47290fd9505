//! The stories of sets that are told on the simulator, too; here to one hub, one after another.

use std::time::Duration;

use argosy_test_support::WorkTree;
use argosy_test_support::stories::{self, World};
use kube::Client;
use serde_json::json;

use crate::controllers;
use crate::fleet::Fleet;

/// The workload cluster of an environment; two of them share one.
fn cluster_of(environment: &str) -> usize {
    if environment == "dev" { 1 } else { 2 }
}

impl World for Fleet {
    const LOOK: Duration = Duration::from_millis(150);

    fn hub_client(&self) -> Client {
        self.client.clone()
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn tree(&self) -> &WorkTree {
        &self.tree
    }

    fn push(&self) {
        Self::push(self);
    }

    fn server(&self, environment: &str) -> String {
        Self::server(self, cluster_of(environment)).url().to_owned()
    }

    fn client_of(&self, environment: &str) -> Client {
        self.plane.client(cluster_of(environment))
    }

    async fn nothing_is_written(&self) {
        Self::nothing_is_written(self).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_sets_are_the_same_on_a_real_api_server() {
    let fleet = Fleet::start("hub-stories").await;
    for (name, at) in [("dev", 1), ("prod", 2)] {
        controllers::play_those_of(fleet.plane.client(at), &[("apps/v1", "Deployment")]);
        fleet
            .register_with_token(name, at, json!({"env": name}))
            .await;
    }
    stories::every_generator_creates_updates_and_deletes_in_both_template_modes(&fleet).await;
    stories::a_policy_keeps_a_set_from_updating_or_deleting(&fleet).await;
    stories::an_application_that_somebody_changes_or_deletes_is_made_again(&fleet).await;
    stories::losing_most_applications_waits_for_exactly_that_plan_s_approval(&fleet).await;
    stories::dev_comes_before_staging_and_staging_before_production(&fleet).await;
    stories::drift_in_a_waiting_cluster_is_healed_to_what_it_runs(&fleet).await;
    stories::a_set_can_go_in_the_reverse_order_of_its_steps(&fleet).await;
}
