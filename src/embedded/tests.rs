use std::os::unix::fs::PermissionsExt as _;

use argosy_crds::AppProject;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use super::*;

fn any_port() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn reason<T>(result: Result<T, Diagnostic>) -> &'static str {
    result.err().map_or("none", |error| error.reason())
}

#[tokio::test]
async fn the_kubeconfig_reaches_a_hub_that_is_ready_for_use() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    let options = Options {
        address: any_port(),
        persist: false,
    };
    let hub = Embedded::start(&data, &options).await.unwrap();
    let file = hub.write_kubeconfig(&data, &[]).unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let (kubeconfig, options) = (Kubeconfig::read_from(file), KubeConfigOptions::default());
    let config = kube::Config::from_custom_kubeconfig(kubeconfig.unwrap(), &options)
        .await
        .unwrap();
    assert_eq!(config.default_namespace, NAMESPACE);
    let client = Client::try_from(config).unwrap();
    let projects: Api<AppProject> = Api::namespaced(client, NAMESPACE);
    let project = projects.get("default").await.unwrap();
    assert_eq!(project.spec.source_repos, ["*"]);
}

#[tokio::test]
async fn a_restart_keeps_what_the_user_changed() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        address: any_port(),
        persist: true,
    };
    {
        let data = DataDir::open(folder.path()).unwrap();
        let hub = Embedded::start(&data, &options).await.unwrap();
        let maps: Api<ConfigMap> = Api::namespaced(hub.client.clone(), NAMESPACE);
        let change = Patch::Merge(json!({"data": {"timeout.reconciliation": "60s"}}));
        maps.patch("argocd-cm", &PatchParams::default(), &change)
            .await
            .unwrap();
    }
    let data = DataDir::open(folder.path()).unwrap();
    let hub = again(&data, &options).await;
    let maps: Api<ConfigMap> = Api::namespaced(hub.client.clone(), NAMESPACE);
    let kept = maps.get("argocd-cm").await.unwrap();
    assert_eq!(kept.data.unwrap()["timeout.reconciliation"], "60s");
}

/// The first cluster's state file is free once the last of its tasks has ended.
async fn again(data: &DataDir, options: &Options) -> Embedded {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match Embedded::start(data, options).await {
            Ok(hub) => return hub,
            Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

#[tokio::test]
async fn a_used_port_or_directory_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    assert_eq!(reason(DataDir::open(folder.path())), "DataDirInUse");
    assert_eq!(
        reason(DataDir::open("/dev/null/argosy".as_ref())),
        "DataDirUnusable"
    );

    let taken = std::net::TcpListener::bind(any_port()).unwrap();
    let options = Options {
        address: taken.local_addr().unwrap(),
        persist: false,
    };
    assert_eq!(
        reason(Embedded::start(&data, &options).await),
        "PortUnusable"
    );
}
