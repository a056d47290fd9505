//! `argosy install` and `argosy uninstall` on a real API server: what they make, what they leave
//! alone, and over what they do not install.

use std::path::Path;
use std::process::Command;

use argosy_test_support::ControlPlane;
use argosy_test_support::manifest::automated;
use argosy_test_support::wait::{eventually, live};
use kube::Client;
use serde_json::{Value, json};

use crate::deploy::{apply, documents};

/// What the program answered: the exit status, the answer and what it remarked.
fn argosy(kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argosy"));
    let output = command.args(args).env("KUBECONFIG", kubeconfig).output();
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The objects that an installation would bring.
pub(crate) fn manifests(namespace: &str, flags: &[&str]) -> Vec<Value> {
    let args = ["install", "--dry-run", "-o", "yaml", "-n", namespace];
    let (code, text, error) = argosy(Path::new("/absent"), &[&args, flags].concat());
    assert_eq!(code, 0, "{error}");
    documents(&text)
}

async fn find(client: &Client, api_version: &str, kind: &str, place: &str) -> Option<Value> {
    live(client.clone(), api_version, kind, place).await
}

async fn deployment(client: &Client, namespace: &str) -> Option<Value> {
    find(
        client,
        "apps/v1",
        "Deployment",
        &format!("{namespace}/argosy"),
    )
    .await
}

/// What lives of the workload and of the settings, whole.
async fn others(client: &Client) -> Vec<Option<Value>> {
    let mut all = Vec::new();
    for name in ["argocd-cm", "workload"] {
        all.push(find(client, "v1", "ConfigMap", &format!("ship/{name}")).await);
    }
    all.push(find(client, "argoproj.io/v1alpha1", "Application", "ship/web").await);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_repeats_itself_and_goes_without_what_it_deployed() {
    let plane = ControlPlane::shared(1).await;
    let (client, kubeconfig) = (plane.client(0), plane.servers()[0].kubeconfig());
    let ship = |args: &[&str]| argosy(kubeconfig, &[args, &["-n", "ship"]].concat());

    let (code, planned, error) = ship(&["install", "--dry-run"]);
    assert_eq!(code, 0, "{error}");
    assert!(
        planned.contains("Deployment argosy would be created"),
        "{planned}"
    );
    assert_eq!(deployment(&client, "ship").await, None);

    let (code, done, error) = ship(&["install"]);
    assert_eq!(code, 0, "{error}");
    for made in ["Namespace ship created", "ClusterRole ship-argosy created"] {
        assert!(done.contains(made), "{done}");
    }
    let made = deployment(&client, "ship").await.unwrap();
    let args = &made["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(args[1], "--namespace=ship");

    // A definition is served a moment after it was accepted.
    let mut app = automated(
        "web",
        "https://git.example.com/web",
        "web",
        "https://gone.example.com",
    );
    app["metadata"]["namespace"] = json!("ship");
    apply(&client, &app).await;
    for (name, data) in [("argocd-cm", "timeout.reconciliation"), ("workload", "a")] {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "ship", "annotations":
                {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:ship/workload"}},
            "data": {data: "300s"}});
        apply(&client, &object).await;
    }
    let before = others(&client).await;
    assert!(before.iter().all(Option::is_some));

    let (code, again, error) = ship(&["install"]);
    assert_eq!(code, 0, "{error}");
    let kept = [" unchanged", " stays as it is"];
    for line in again.lines() {
        assert!(kept.iter().any(|kept| line.ends_with(kept)), "{again}");
    }
    assert_eq!(deployment(&client, "ship").await, Some(made));
    assert_eq!(others(&client).await, before);

    let (code, changed, error) = ship(&[
        "install",
        "--image",
        "registry.example.com/argosy:2",
        "--dry-run",
    ]);
    assert_eq!(code, 0, "{error}");
    assert!(
        changed.contains("Deployment argosy would be changed"),
        "{changed}"
    );

    let (code, _, asked) = ship(&["uninstall"]);
    assert!(code == 20 && asked.contains("--yes"), "{code}: {asked}");
    assert!(deployment(&client, "ship").await.is_some());
    let (code, removed, told) = ship(&["uninstall", "--yes"]);
    assert_eq!(code, 0, "{told}");
    assert!(removed.contains("Deployment argosy removed"), "{removed}");
    assert!(told.contains("1 Applications"), "{told}");
    eventually("the hub is gone", async || {
        deployment(&client, "ship").await.is_none()
    })
    .await;
    for kind in ["Role", "RoleBinding"] {
        let rbac = find(&client, "rbac.authorization.k8s.io/v1", kind, "ship/argosy").await;
        assert_eq!(rbac, None);
    }
    assert_eq!(others(&client).await, before);
    let (code, nothing, _) = ship(&["uninstall", "--yes"]);
    assert!(
        code == 0 && nothing.contains("no hub is installed"),
        "{nothing}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_installed_over_an_argo_cd_that_runs_or_a_release_of_helm() {
    let plane = ControlPlane::shared(1).await;
    let (client, kubeconfig) = (plane.client(0), plane.servers()[0].kubeconfig());
    let install = |namespace: &str| argosy(kubeconfig, &["install", "--dry-run", "-n", namespace]);
    for namespace in ["taken", "charted"] {
        apply(
            &client,
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        )
        .await;
    }
    let labels = json!({"app.kubernetes.io/part-of": "argocd",
                        "app.kubernetes.io/component": "application-controller"});
    let mut controller = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "argocd-application-controller", "namespace": "taken", "labels": labels},
        "spec": {
            "replicas": 1, "serviceName": "argocd", "selector": {"matchLabels": {"app": "argocd"}},
            "template": {"metadata": {"labels": {"app": "argocd"}},
                         "spec": {"containers": [{"name": "main", "image": "argocd:3"}]}},
        },
    });
    apply(&client, &controller).await;
    let (code, _, refused) = install("taken");
    assert_eq!(code, 20, "{refused}");
    assert!(
        refused.contains("Argo CD runs in the namespace `taken`"),
        "{refused}"
    );
    let (code, _, beside) = install("charted");
    assert!(
        code == 0 && beside.contains("goes on in `taken`"),
        "{beside}"
    );

    controller["spec"]["replicas"] = json!(0);
    apply(&client, &controller).await;
    assert_eq!(install("taken").0, 0);

    let mut release = crate::deploy::chart(&[])
        .into_iter()
        .find(|object| object["kind"] == "Deployment")
        .unwrap();
    release["metadata"]["namespace"] = json!("charted");
    apply(&client, &release).await;
    for command in [&["install"][..], &["uninstall", "--yes"]] {
        let (code, _, refused) = argosy(kubeconfig, &[command, &["-n", "charted"]].concat());
        assert!(
            code == 20 && refused.contains("installed with Helm"),
            "{refused}"
        );
    }
}
