//! What becomes of the applications of a set when it goes.

use argosy_test_support::manifest::config;
use kube::api::DeleteParams;
use serde_json::json;

use super::{set, sets, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_goes_takes_its_applications_along_or_leaves_them() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    fleet
        .apply(set("one", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    sets(&fleet)
        .delete("one", &DeleteParams::background())
        .await
        .unwrap();
    until_names(&fleet, &[]).await;
}
