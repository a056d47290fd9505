//! The stories of sets that are told on a real kube-apiserver, too, each to a hub of its own.

use argosy_test_support::stories;

use crate::fleet::Fleet;

macro_rules! told {
    ($($story:ident to $clusters:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            stories::$story(&Fleet::start(&$clusters).await).await;
        }
    )*};
}

told! {
    every_generator_creates_updates_and_deletes_in_both_template_modes to ["dev"];
    a_policy_keeps_a_set_from_updating_or_deleting to ["dev"];
    an_application_that_somebody_changes_or_deletes_is_made_again to ["dev"];
    two_sets_with_one_name_leave_it_to_the_first to ["dev"];
    losing_most_applications_waits_for_exactly_that_plan_s_approval to ["dev"];
    dev_comes_before_staging_and_staging_before_production to ["dev", "staging", "prod"];
    drift_in_a_waiting_cluster_is_healed_to_what_it_runs to ["dev", "staging", "prod"];
    a_step_updates_no_more_at_once_than_it_may to ["dev", "staging", "prod"];
    a_set_can_go_in_the_reverse_order_of_its_steps to ["dev", "staging", "prod"];
}
