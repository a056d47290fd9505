//! What a running hub logs, changed from outside.

use serde_json::json;

use crate::fleet::Fleet;
use crate::program::{Running, argosy};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_filter_of_a_running_hub_is_changed_and_a_wrong_one_refused() {
    let mut fleet = Fleet::start(&[]).await;
    fleet.kill_hub();
    let way = fleet.hub_kubeconfig().await;
    let data = tempfile::tempdir().unwrap();
    let data = data.path().display().to_string();
    let hub = ["hub", "--data", &data, "--listen", "127.0.0.1:0"];
    let hub = Running::start(way.path(), &hub);
    let until = async |what: &str, times: usize| {
        let said = async || hub.says(what) >= times;
        fleet.eventually(what, said).await;
    };
    until("the hub serves on", 1).await;
    assert_eq!(hub.says("DEBUG"), 0);
    let level = async |more: &[&str]| {
        let command = [&["admin", "log-level"][..], more].concat();
        argosy(way.path(), &command).await
    };
    let unset = level(&[]).await;
    assert_eq!(unset.text, "the hub logs as it was started\n", "{unset:?}");
    let done = level(&["debug"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(level(&[]).await.text, "debug\n");
    until("the log filter was changed", 1).await;
    until("DEBUG", 1).await;

    let slip = level(&["debgu"]).await;
    assert_eq!(slip.code, 20, "{slip:?}");
    assert!(slip.error.contains("did you mean `debug`?"), "{slip:?}");
    let wrong = json!({"controller.log.level": "argosy=loud"});
    fleet.configure("argocd-cmd-params-cm", wrong).await;
    until("the log filter stays as it was", 1).await;
    until("`argosy=loud` is no log filter", 1).await;
    // What stays is the filter before: it goes on to tell more than the hub does by itself.
    let before = hub.says("DEBUG");
    fleet.configure("argocd-cm", json!({"url": "x"})).await;
    until("DEBUG", before + 1).await;

    let reset = level(&["--reset"]).await;
    assert_eq!(reset.code, 0, "{reset:?}");
    until("the log filter was changed", 2).await;
}
