//! Stories of ApplicationSets that a hub has to live through wherever it runs: the tests on the
//! simulator and those on a real kube-apiserver tell the same ones.
//!
//! A story knows a [`World`] and nothing else of where it is told. It has sets, applications,
//! folders and namespaces of its own, so that many can be told to one hub, one after another.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a story that cannot go on has failed"
)]

mod generators;
pub mod guard;
mod owner;
mod policy;
pub mod rollout;
mod rollouts;
pub mod sets;

use std::time::Duration;

use argosy_crds::{Application, ApplicationSet};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;

pub use generators::every_generator_creates_updates_and_deletes_in_both_template_modes;
pub use guard::losing_most_applications_waits_for_exactly_that_plan_s_approval;
pub use owner::{
    an_application_that_somebody_changes_or_deletes_is_made_again,
    two_sets_with_one_name_leave_it_to_the_first,
};
pub use policy::a_policy_keeps_a_set_from_updating_or_deleting;
pub use rollouts::{
    a_set_can_go_in_the_reverse_order_of_its_steps, a_step_updates_no_more_at_once_than_it_may,
    dev_comes_before_staging_and_staging_before_production,
    drift_in_a_waiting_cluster_is_healed_to_what_it_runs,
};

use crate::WorkTree;
use crate::wait;

/// A hub with a cluster named `dev`, a repository that it reads, and a way to look at all of it.
///
/// The Secret of the cluster `dev` has the label `env: dev`.
pub trait World {
    /// How often conditions are looked at; on a real API server each look costs.
    const LOOK: Duration = wait::LOOK;

    /// A client of the hub's own cluster.
    fn hub_client(&self) -> Client;
    /// The hub's namespace.
    fn namespace(&self) -> &str;
    /// The repository.
    fn tree(&self) -> &WorkTree;
    /// Tells the hub of a push, without saying which files changed.
    fn push(&self);
    /// The address of the workload cluster of an environment: `dev`, `staging` or `prod`. Two of
    /// them may be one cluster.
    fn server(&self, environment: &str) -> String;
    /// A client of that cluster.
    fn client_of(&self, environment: &str) -> Client;
    /// Waits until the hub is done and makes sure that it writes nothing any more, although it
    /// looks at everything again.
    fn nothing_is_written(&self) -> impl Future<Output = ()>;

    /// The applications in the hub's namespace.
    fn applications(&self) -> Api<Application> {
        Api::namespaced(self.hub_client(), self.namespace())
    }

    /// The sets in the hub's namespace.
    fn sets(&self) -> Api<ApplicationSet> {
        Api::namespaced(self.hub_client(), self.namespace())
    }

    /// Applies an object to the hub's namespace.
    fn apply(&self, object: Value) -> impl Future<Output = ()> {
        async move {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let resource = wait::resource(&text(&object["apiVersion"]), &text(&object["kind"]));
            let api: Api<DynamicObject> =
                Api::namespaced_with(self.hub_client(), self.namespace(), &resource);
            let params = PatchParams::apply("test").force();
            let name = text(&object["metadata"]["name"]);
            api.patch(&name, &params, &Patch::Apply(object))
                .await
                .unwrap();
        }
    }

    /// Changes an application by a merge patch.
    fn change(&self, name: &str, patch: Value) -> impl Future<Output = ()> {
        async move {
            self.applications()
                .patch(name, &PatchParams::default(), &Patch::Merge(patch))
                .await
                .unwrap();
        }
    }

    /// Waits until a condition holds; a failure tells of all applications.
    fn eventually(
        &self,
        what: &str,
        condition: impl AsyncFnMut() -> bool,
    ) -> impl Future<Output = ()> {
        async move {
            wait::eventually_among(&self.applications(), Self::LOOK, what, condition).await;
        }
    }
}
