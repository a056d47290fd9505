//! Git over https and ssh with real servers: who may read, who is trusted, and what is said where
//! that fails.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use argosy::blocking::Blocking;
use argosy::clock::Clock;
use argosy::http::Network;
use argosy::source::{
    Limits, Remotes, Repositories, Repository, Retry, SourceError, Sources, TrustedHosts,
};
use argosy_facts::Secret;
use argosy_render::{Tree as _, TreePath};
use argosy_test_support::WorkTree;
use argosy_test_support::manifest::{automated, config};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connect_proxy::ConnectProxy;
use crate::fleet::Fleet;
use crate::git_server::GitServer;
use crate::outside_server::Service;
use crate::ssh_server::SshServer;
use crate::tls::Authority;

/// `ada:hunter2`
const ADA: &str = "Basic YWRhOmh1bnRlcjI=";

/// A repository with one file, and what a reader keeps.
pub(crate) struct Place {
    pub(crate) tree: WorkTree,
    pub(crate) folder: TempDir,
    pub(crate) trusted: TrustedHosts,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = WorkTree::create(folder.path().join("repo"));
        tree.commit(&[("a.yaml", "a: 1\n")]);
        Self {
            tree,
            folder,
            trusted: TrustedHosts::default(),
        }
    }

    fn trust(&mut self, authority: &Authority) {
        let pem = authority.pem();
        self.trusted.tls.insert("127.0.0.1".to_owned(), pem);
    }

    /// The repository at `url`, registered with this besides.
    pub(crate) fn repository(&self, url: &str, more: &Value) -> Repository {
        let mut data = BTreeMap::from([("url".to_owned(), Secret::new(url))]);
        for (key, value) in more.as_object().unwrap() {
            data.insert(key.clone(), Secret::new(value.as_str().unwrap()));
        }
        let secrets = [("repo", "repository", &data)];
        let (all, errors) = Repositories::read(secrets, self.trusted.clone());
        assert_eq!(errors, []);
        all.find(url, "default")
    }

    /// Reads the file at the newest commit, as one who never did.
    async fn read(&self, url: &str, more: &Value) -> Result<Vec<u8>, SourceError> {
        let mirrors = tempfile::tempdir_in(self.folder.path()).unwrap();
        let sources = sources(mirrors.path());
        let repository = self.repository(url, more);
        let commit = sources.resolve(&repository, "main").await?.sha;
        let tree = sources.tree(&repository, &commit).await?;
        Ok(tree.read(&TreePath::parse("a.yaml").unwrap()).unwrap())
    }

    /// Why its refs are not read where that may take so many seconds.
    async fn gives_up(&self, repository: &Repository, seconds: u64) -> SourceError {
        let (network, clock) = (Network::system(), Clock::system());
        let mirrors = tempfile::tempdir_in(self.folder.path()).unwrap();
        let remotes = Remotes::mirrored(mirrors.path(), u64::MAX).unwrap();
        let limits = Limits {
            list_timeout: Duration::from_secs(seconds),
            ..Limits::default()
        };
        let sources = Sources::new(remotes, network, clock, Blocking::Pool, limits);
        sources.resolve(repository, "main").await.unwrap_err()
    }

    async fn is_read(&self, url: &str, more: &Value) {
        let content = self.read(url, more).await;
        assert_eq!(content.as_deref(), Ok(b"a: 1\n".as_slice()), "{more}");
    }

    /// Why it is not read, for a stable reason; it names the repository.
    pub(crate) async fn is_refused(&self, url: &str, more: &Value, reason: &str) -> String {
        let error = self.read(url, more).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(url), "{text}");
        assert_eq!(error.reason(), reason, "{text}");
        for secret in ["s3cret", "hunter2", "PRIVATE KEY"] {
            assert!(!text.contains(secret), "{text}");
        }
        text
    }
}

/// Reads real remotes, mirrored in a folder.
pub(crate) fn sources(mirrors: &Path) -> Sources {
    sources_within(mirrors, u64::MAX)
}

/// As [`sources`], with this quota.
pub(crate) fn sources_within(mirrors: &Path, quota: u64) -> Sources {
    let (network, clock) = (Network::system(), Clock::system());
    let remotes = Remotes::mirrored(mirrors, quota).unwrap();
    Sources::new(remotes, network, clock, Blocking::Pool, Limits::default())
}

/// CVE-2026-82247.
#[tokio::test(flavor = "multi_thread")]
async fn https_is_read_by_whom_the_server_knows_from_a_server_that_is_trusted() {
    let authority = Authority::new();
    let mut place = Place::new();
    let server = GitServer::serve_over(place.tree.path(), Some(authority.acceptor(None))).await;
    server.admits(ADA);
    let ada = json!({"username": "ada", "password": "hunter2"});
    let url = server.url();

    let why = place.is_refused(url, &ada, "ServerUntrusted").await;
    assert!(why.contains("argocd-tls-certs-cm"), "{why}");
    assert_eq!(server.asked(), 0, "nothing is said to a stranger");
    let careless = json!({"username": "ada", "password": "hunter2", "insecure": "true"});
    place.is_read(url, &careless).await;

    place.trust(&authority);
    place.is_read(url, &ada).await;
    let wrong = json!({"username": "ada", "password": "s3cret"});
    for stranger in [wrong, json!({}), json!({"bearerToken": "s3cret"})] {
        let why = place
            .is_refused(url, &stranger, "AuthenticationFailed")
            .await;
        assert!(why.contains("repo-creds Secret"), "{why}");
    }
    place.is_read(server.former_url(), &ada).await;

    server.admits("Bearer t0ken");
    let token = json!({"bearerToken": "t0ken"});
    place.is_read(url, &token).await;
    place.is_read(server.former_url(), &token).await;
}

/// CVE-2026-41506.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_redirects_to_another_passes_no_credential_on() {
    let authority = Authority::new();
    let mut place = Place::new();
    place.trust(&authority);
    let serve = || GitServer::serve_over(place.tree.path(), Some(authority.acceptor(None)));
    let (first, other) = (serve().await, serve().await);
    let ada = json!({"username": "ada", "password": "hunter2"});
    let token = json!({"bearerToken": "s3cret"});
    other.admits(ADA);
    place.is_read(other.url(), &ada).await;
    assert!(!other.shown().is_empty(), "what is shown is seen");

    let other = serve().await;
    other.admits(ADA);
    first.sends_to(&other);
    for credentials in [&ada, &token] {
        let refused = place.read(first.url(), credentials).await.unwrap_err();
        assert!(refused.to_string().contains(first.url()), "{refused}");
    }
    assert_eq!(other.shown(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_app_reads_with_a_token_of_its_installation() {
    let place = Place::new();
    let server = GitServer::serve(place.tree.path()).await;
    // `x-access-token:ghs_hunter2`
    server.admits("Basic eC1hY2Nlc3MtdG9rZW46Z2hzX2h1bnRlcjI=");
    let github = Service::default();
    let api = format!("http://{}", github.serve().await);
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let key = key.unwrap().serialize_pem();
    let app = json!({"githubAppID": "5", "githubAppPrivateKey": key,
                     "githubAppEnterpriseBaseUrl": api});
    let why = place
        .is_refused(server.url(), &app, "AuthenticationFailed")
        .await;
    assert!(why.contains("githubAppInstallationID"), "{why}");
    assert_eq!(server.asked(), 0);

    let installations = json!([{"id": 6, "account": {"login": "else"}},
                               {"id": 7, "account": {"login": "Repo"}}]);
    github.put("/api/v3/app/installations", installations);
    let tokens = "/api/v3/app/installations/7/access_tokens";
    github.put(
        tokens,
        json!({"token": "ghs_hunter2", "expires_at": "2100-01-01T00:00:00Z"}),
    );
    place.is_read(server.url(), &app).await;
    assert_eq!(github.asked(tokens), 1, "one token lists and fetches");

    let broken = json!({"githubAppID": "5", "githubAppPrivateKey": "s3cret"});
    let why = place
        .is_refused(server.url(), &broken, "InvalidCredentials")
        .await;
    assert!(why.contains("githubAppPrivateKey"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_certificate_is_shown_the_registered_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let mut place = Place::new();
    place.trust(&authority);
    let acceptor = authority.acceptor(Some(&clients));
    let server = GitServer::serve_over(place.tree.path(), Some(acceptor)).await;
    let shown = |issuer: &Authority| {
        let client = issuer.client();
        json!({"tlsClientCertData": client.certificate, "tlsClientCertKey": client.key})
    };
    place.is_read(server.url(), &shown(&clients)).await;
    for stranger in [shown(&authority), json!({})] {
        let error = place.read(server.url(), &stranger).await.unwrap_err();
        assert!(error.to_string().contains(server.url()), "{error}");
    }
    let broken = json!({"tlsClientCertData": "x", "tlsClientCertKey": "s3cret"});
    let why = place
        .is_refused(server.url(), &broken, "InvalidCredentials")
        .await;
    assert!(why.contains("client certificate"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_taken_but_for_the_hosts_that_are_reached_without_it() {
    let authority = Authority::new();
    let mut place = Place::new();
    place.trust(&authority);
    let server = GitServer::serve_over(place.tree.path(), Some(authority.acceptor(None))).await;
    let proxy = ConnectProxy::start().await;
    place
        .is_read(server.url(), &json!({"proxy": proxy.url("hunter2")}))
        .await;
    let tunnels = proxy.tunnels();
    assert!(!tunnels.is_empty());
    assert!(
        tunnels.iter().all(|to| server.url().contains(to)),
        "{tunnels:?}"
    );

    let around = json!({"proxy": proxy.url("hunter2"), "noProxy": "example.com,127.0.0.1"});
    place.is_read(server.url(), &around).await;
    assert_eq!(proxy.tunnels(), tunnels);

    let wrong = json!({"proxy": proxy.url("s3cret")});
    place
        .is_refused(server.url(), &wrong, "RepositoryUnreachable")
        .await;
    assert_eq!(proxy.tunnels(), tunnels);
}

/// CVE-2025-23390.
#[tokio::test(flavor = "multi_thread")]
async fn ssh_is_read_with_the_right_key_from_a_host_that_is_known() {
    let mut place = Place::new();
    let server = SshServer::start().await;
    let url = server.url(place.tree.path());
    let ada = json!({"sshPrivateKey": server.key()});

    for known in [String::new(), server.other_host()] {
        place.trusted.ssh = known.into();
        let why = place.is_refused(&url, &ada, "ServerUntrusted").await;
        assert!(why.contains("argocd-ssh-known-hosts-cm"), "{why}");
    }
    let careless = json!({"sshPrivateKey": server.key(), "insecure": "true"});
    place.is_read(&url, &careless).await;

    place.trusted.ssh = server.known_host().into();
    // Editors and YAML drop the last line break.
    place
        .is_read(&url, &json!({"sshPrivateKey": server.key().trim_end()}))
        .await;
    let wrong = json!({"sshPrivateKey": server.other_key()});
    for stranger in [wrong, json!({})] {
        let why = place
            .is_refused(&url, &stranger, "AuthenticationFailed")
            .await;
        assert!(why.contains("Permission denied"), "{why}");
    }
    let missing = server.url(&place.folder.path().join("missing"));
    let error = place.read(&missing, &ada).await.unwrap_err();
    assert_eq!(error.reason(), "RepositoryNotFound", "{error}");
    assert_ne!(error.retry(), Retry::Never);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ssh_server_that_says_nothing_or_complains_without_end_is_given_up() {
    let mut place = Place::new();
    let server = SshServer::start().await;
    place.trusted.ssh = server.known_host().into();
    let url = server.url(place.tree.path());
    let repository = place.repository(&url, &json!({"sshPrivateKey": server.key()}));
    server.runs("exec cat >/dev/null");
    let silent = place.gives_up(&repository, 1).await;
    assert_eq!(silent.reason(), "RepositoryTimeout", "{silent}");
    server.runs("exec yes no >&2");
    let noisy = place.gives_up(&repository, 600).await;
    assert_ne!(noisy.reason(), "RepositoryTimeout", "{noisy}");
    assert!(noisy.to_string().contains("no; no"), "{noisy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_daemon_is_read_and_one_that_says_nothing_is_given_up() {
    let place = Place::new();
    let daemon = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}/repo", daemon.local_addr().unwrap());
    let folder = place.folder.path().to_owned();
    std::thread::spawn(move || {
        for visitor in daemon.incoming() {
            let visitor = OwnedFd::from(visitor.unwrap());
            let base = format!("--base-path={}", folder.display());
            let served = Command::new("git")
                .args(["daemon", "--inetd", "--export-all", &base])
                .stdout(visitor.try_clone().unwrap())
                .stdin(visitor)
                .status();
            served.unwrap();
        }
    });
    place.is_read(&url, &json!({})).await;
    let why = place
        .is_refused(
            &url.replace("/repo", "/other"),
            &json!({}),
            "RepositoryUnreachable",
        )
        .await;
    assert!(why.contains("other"), "{why}");

    // The system takes visitors in, and nobody ever looks at them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}/repo", silent.local_addr().unwrap());
    let repository = place.repository(&url, &json!({}));
    let error = place.gives_up(&repository, 1).await;
    assert_eq!(error.reason(), "RepositoryTimeout", "{error}");
}

/// Greets each visitor and then tells of capabilities without end. Returns the address.
fn endless(greeting: &'static [u8]) -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    // The longest line that git has.
    let line = format!("fff0{:a<65516}", "agent=");
    std::thread::spawn(move || {
        for visitor in server.incoming() {
            let mut visitor = visitor.unwrap();
            // It says first what it wants.
            let _ = visitor.read(&mut [0; 4096]);
            let _ = visitor.write_all(greeting);
            while visitor.write_all(line.as_bytes()).is_ok() {}
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tells_of_itself_without_end_is_cut_off() {
    let place = Place::new();
    let daemon = format!("git://{}/repo", endless(b"000eversion 2\n"));
    let web = endless(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n\
        001e# service=git-upload-pack\n0000000eversion 2\n",
    );
    for url in [daemon, format!("http://{web}/repo")] {
        let why = place
            .is_refused(&url, &json!({}), "RepositoryUnreachable")
            .await;
        assert!(why.contains("more than 128 MB"), "{url}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_trusts_whom_its_config_maps_name_and_goes_on_when_they_do() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let authority = Authority::new();
    let https = GitServer::serve_over(fleet.repository(), Some(authority.acceptor(None))).await;
    https.admits(ADA);
    let ssh = SshServer::start().await;
    let ssh_url = ssh.url(fleet.repository());
    let ada = json!({"username": "ada", "password": "hunter2"});
    let key = json!({"sshPrivateKey": ssh.key()});
    let registered = [("https", https.url(), ada), ("ssh", ssh_url.as_str(), key)];
    for (name, url, mut data) in registered {
        data["url"] = json!(url);
        fleet
            .apply(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}},
                "stringData": data,
            }))
            .await;
        fleet
            .apply(automated(name, url, "web", &fleet.server("dev")))
            .await;
        let why = fleet.until_condition(name, "ComparisonError").await;
        assert!(why.contains(url) && why.contains("is not trusted"), "{why}");
    }
    let certificates = json!({"127.0.0.1": authority.pem()});
    fleet.configure("argocd-tls-certs-cm", certificates).await;
    let hosts = json!({"ssh_known_hosts": ssh.known_host()});
    fleet.configure("argocd-ssh-known-hosts-cm", hosts).await;
    for name in ["https", "ssh"] {
        fleet.until_well(name).await;
    }
}
