//! What a hub was told, taken to another hub.

use argosy_test_support::manifest::{config, manual};
use serde_json::json;

use crate::fleet::Fleet;
use crate::program::argosy;

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_comes_back_on_another_hub_and_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (key, backup) = (file("key"), file("backup.yaml"));
    std::fs::write(&key, KEY).unwrap();

    let old = Fleet::start(&["dev"]).await;
    old.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    old.apply(manual("web", &old.repo(), "web", &old.server("dev")))
        .await;
    old.apply(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"]}}))
        .await;
    let hub = old.hub_kubeconfig().await;
    let export = ["admin", "export", "-o", &backup];
    let without = argosy(hub.path(), &export).await;
    assert!(
        without.error.contains("Secrets are left out"),
        "{without:?}"
    );
    let done = argosy(hub.path(), &[&export[..], &["--key", &key]].concat()).await;
    assert_eq!(done.code, 0, "{done:?}");
    let text = std::fs::read_to_string(&backup).unwrap();
    assert!(text.contains("sealedData") && !text.contains("token-of-dev"));

    let new = Fleet::start(&[]).await;
    let hub = new.hub_kubeconfig().await;
    let import = ["admin", "import", &backup];
    let locked = argosy(hub.path(), &import).await;
    assert!(
        locked.code != 0 && locked.error.contains("is sealed"),
        "{locked:?}"
    );
    let import = [&import[..], &["--key", &key, "--paused"]].concat();
    let planned = argosy(hub.path(), &[&import[..], &["--dry-run"]].concat()).await;
    assert!(
        planned
            .text
            .contains("Application argocd/web would be created"),
        "{planned:?}"
    );
    let elsewhere = [&import[..], &["--dry-run", "--namespace", "hub"]].concat();
    let planned = argosy(hub.path(), &elsewhere).await;
    assert!(
        planned
            .text
            .contains("Application hub/web would be created"),
        "{planned:?}"
    );
    let done = argosy(hub.path(), &import).await;
    assert!(
        done.text.contains("Application argocd/web created"),
        "{done:?}"
    );
    assert!(
        done.text.contains("AppProject argocd/shop created"),
        "{done:?}"
    );
    let told = |app: &argosy_crds::Application| {
        let conditions = app.status.iter().flat_map(|status| &status.conditions);
        conditions.clone().any(|one| one.type_ == "Paused")
    };
    let app = new.until("web", "paused and compared", told).await;
    assert_eq!(app.spec.destination.server, old.server("dev"));

    let again = argosy(hub.path(), &import).await;
    let web = again.text.lines().filter(|line| line.ends_with(" changed"));
    assert_eq!(web.collect::<Vec<_>>(), Vec::<&str>::new(), "{again:?}");
}
