//! Manifests that lie in git-lfs.

use argosy_test_support::manifest::{automated, config};
use serde_json::json;

use crate::fleet::Fleet;
use crate::git_server::GitServer;
use crate::ssh_server::SshServer;
use crate::tls::Authority;

#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_fetched_where_the_repository_is_registered_so() {
    let fleet = Fleet::start(&["dev"]).await;
    let authority = Authority::new();
    let server = GitServer::serve_over(fleet.repository(), Some(authority.acceptor(None))).await;
    // `ada:hunter2`
    server.admits("Basic YWRhOmh1bnRlcjI=");
    let certificates = json!({"127.0.0.1": authority.pem()});
    fleet.configure("argocd-tls-certs-cm", certificates).await;

    let spoiled = config("spoiled", "1", "");
    let (a, b, bad) = {
        let mut large = server.large();
        let texts = [config("a", "1", ""), config("b", "1", ""), spoiled.clone()];
        let [a, b, bad] = texts.map(|text| large.put(&text));
        large.spoil(&spoiled);
        (a, b, bad)
    };
    let zeros = format!("sha256:{}", "0".repeat(64));
    let unknown = a.lines().map(|line| match line.strip_prefix("oid ") {
        Some(_) => format!("oid {zeros}\n"),
        None => format!("{line}\n"),
    });
    let unknown: String = unknown.collect();
    fleet.commit(&[
        ("web/a.yaml", &a),
        ("web/b.yaml", &b),
        ("web/small.yaml", &config("small", "1", "")),
        ("spoiled/a.yaml", &bad),
        ("unknown/a.yaml", &unknown),
    ]);
    let register = async |lfs: &str| {
        fleet
            .apply(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "repo", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
                "stringData": {"url": server.url(), "username": "ada", "password": "hunter2",
                               "enableLfs": lfs},
            }))
            .await;
    };
    register("false").await;
    let to = fleet.server("dev");
    fleet
        .apply(automated("web", server.url(), "web", &to))
        .await;
    fleet.until_well("web").await;
    let has = async |name: &str| {
        let place = format!("web/{name}");
        let live = fleet.live("dev", "v1", "ConfigMap", &place).await;
        live.is_some()
    };
    assert!(has("small").await && !has("a").await);
    assert_eq!(server.large().downloads(), 0, "the texts stay as they are");

    register("true").await;
    fleet
        .eventually("large files are applied", async || {
            has("a").await && has("b").await
        })
        .await;
    assert_eq!(server.large().downloads(), 2, "each file is fetched once");
    for (name, why) in [("spoiled", "digest"), ("unknown", "Object does not exist")] {
        fleet.apply(automated(name, server.url(), name, &to)).await;
        let told = fleet.until_condition(name, "ComparisonError").await;
        assert!(told.contains(why) && told.contains(server.url()), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_over_ssh_has_its_large_files_where_its_server_says() {
    let fleet = Fleet::start(&["dev"]).await;
    let authority = Authority::new();
    let server = GitServer::serve_over(fleet.repository(), Some(authority.acceptor(None))).await;
    let certificates = json!({"127.0.0.1": authority.pem()});
    fleet.configure("argocd-tls-certs-cm", certificates).await;
    let ssh = SshServer::start().await;
    let url = ssh.url(fleet.repository());
    let hosts = json!({"ssh_known_hosts": ssh.known_host()});
    fleet.configure("argocd-ssh-known-hosts-cm", hosts).await;
    fleet
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "repo", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
            "stringData": {"url": url, "sshPrivateKey": ssh.key(), "enableLfs": "true"},
        }))
        .await;
    let names = ["first", "second", "third"];
    let texts = names.map(|name| server.large().put(&config(name, "1", "")));
    let paths = names.map(|name| format!("{name}/a.yaml"));
    let files = paths.iter().zip(&texts);
    let files: Vec<_> = files
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    fleet.commit(&files);
    let to = fleet.server("dev");
    let follow = async |name: &str, folder: &str| {
        fleet.apply(automated(name, &url, folder, &to)).await;
    };
    let fails = async |name: &str, folder: &str, why: &str| {
        follow(name, folder).await;
        let told = fleet.until_condition(name, "ComparisonError").await;
        assert!(told.contains(why) && told.contains(&url), "{told}");
        assert!(!told.contains("t0ken"), "{told}");
    };

    fails("unanswered", "first", "register its https URL").await;
    let grant = |token: &str| {
        json!({"href": format!("{}/info/lfs", server.url()), "expires_in": 3600,
               "header": {"Authorization": format!("Bearer {token}")}})
    };
    server.admits("Bearer t0ken-1");
    ssh.grants(&grant("t0ken-1"));
    for name in ["first", "second"] {
        follow(name, name).await;
        fleet.until_well(name).await;
    }
    let asked = format!(
        "git-lfs-authenticate {} download",
        fleet.repository().display()
    );
    assert_eq!(
        ssh.granted(),
        [asked.as_str()],
        "an answer is kept while it lasts"
    );

    server.admits("Bearer t0ken-2");
    fails("stale", "third", "authentication failed").await;
    ssh.grants(&grant("t0ken-2"));
    follow("third", "third").await;
    fleet.until_well("third").await;
    assert_eq!(
        ssh.granted().len(),
        2,
        "an answer that is refused is not kept"
    );
    assert_eq!(server.large().downloads(), 3);
}
