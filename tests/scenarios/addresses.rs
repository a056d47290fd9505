//! Where no source leads: what a URL, a name or a redirect names is not connected to.
//!
//! The place that is refused here is a server that counts who comes, on a loopback address of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argosy::blocking::Blocking;
use argosy::http::Network;
use argosy::source::{Charts, Limits, Repository};
use argosy_engine::addresses::Addresses;
use argosy_test_support::manifest::automated;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Redirect;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::git_server::GitServer;
use crate::git_transports::Place;
use crate::outside::{set, start};
use crate::sets::until_error;

/// Where servers are that may be asked, and where one is that may not.
const HERE: &str = "127.0.0.2:0";
const THERE: &str = "127.0.0.3:0";

/// Why nobody goes there.
const REFUSED: &str = "argosy.sources.refused-addresses lists; if it is meant, add it to \
                       argosy.sources.allowed-addresses in argocd-cm";

async fn serve(at: &str, router: Router) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Sends everybody to the same path of `to`.
async fn redirecting(to: &str) -> SocketAddr {
    let to = to.to_owned();
    serve(
        HERE,
        Router::new()
            .fallback(move |uri: Uri| async move { Redirect::temporary(&format!("{to}{uri}")) }),
    )
    .await
}

/// A server that must not be asked, and how many asked it.
pub(crate) async fn trap(at: &str) -> (SocketAddr, Arc<AtomicU64>) {
    let asked = Arc::<AtomicU64>::default();
    let count = Arc::clone(&asked);
    let answer = move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        StatusCode::NOT_FOUND
    };
    (serve(at, Router::new().fallback(answer)).await, asked)
}

/// A place whose readers go nowhere of this network.
fn place(refused: &str) -> Place {
    // A second test in the process finds it installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut place = Place::new();
    place.trusted.addresses = Addresses::of_sources("", refused);
    place
}

fn charts(place: &Place) -> Charts {
    let disk = argosy::disk::Disk::below(place.folder.path());
    Charts::new(&disk, Network::system(), Blocking::Pool, Limits::default()).unwrap()
}

/// Why a repository of charts cannot be read.
async fn refusal(place: &Place, repository: &Repository) -> String {
    charts(place)
        .test(repository)
        .await
        .unwrap_err()
        .to_string()
}

/// CVE-2026-44936, CVE-2026-32828.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_metadata_service_is_not_followed() {
    let place = place("");
    let why = "169.254.169.254 is an address of a cloud's metadata service; if it is meant, add it \
               to argosy.sources.allowed-addresses in argocd-cm";
    for to in [
        "http://169.254.169.254",
        "https://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://0xa9fea9fe",
    ] {
        let url = format!("http://{}/app.git", redirecting(to).await);
        let told = place
            .is_refused(&url, &json!({}), "RepositoryUnreachable")
            .await;
        assert!(told.contains(why), "{to}: {told}");
        for more in [
            json!({"type": "helm", "name": "charts"}),
            json!({"type": "oci", "insecureOCIForceHttp": "true"}),
        ] {
            let mut url = url.clone();
            if more["type"] == "oci" {
                url = url.replace("http://", "oci://").replace(".git", "");
            }
            let told = refusal(&place, &place.repository(&url, &more)).await;
            assert!(told.contains(why), "{to} {more}: {told}");
        }
    }
    // CVE-2026-48978.
    let wants = [(
        "www-authenticate",
        "Bearer realm=\"http://169.254.169.254/token\"",
    )];
    let answer = move || async move { (StatusCode::UNAUTHORIZED, wants) };
    let registry = serve(HERE, Router::new().fallback(answer)).await;
    let of_registry = json!({"type": "oci", "insecureOCIForceHttp": "true"});
    let repository = place.repository(&format!("oci://{registry}/app"), &of_registry);
    let told = refusal(&place, &repository).await;
    assert!(told.contains(why), "{told}");
}

/// CVE-2026-44936, CVE-2026-32828.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_connects_to_what_is_refused_by_address_name_or_redirect() {
    let (there, asked) = trap(THERE).await;
    let of_address = place("127.0.0.3, 203.0.113.0/24");
    let (local, local_asked) = trap("127.0.0.1:0").await;
    let of_name = place("127.0.0.1, ::1");
    let port = local.port();
    for (place, at) in [
        (&of_address, format!("http://{there}")),
        (
            &of_address,
            format!("http://{}", redirecting(&format!("http://{there}")).await),
        ),
        (&of_name, format!("http://localhost:{port}")),
        (
            &of_name,
            format!(
                "http://{}",
                redirecting(&format!("http://localhost:{port}")).await
            ),
        ),
    ] {
        let url = format!("{at}/app.git");
        let told = place
            .is_refused(&url, &json!({}), "RepositoryUnreachable")
            .await;
        assert!(told.contains(REFUSED), "{at}: {told}");
        let helm = place.repository(&url, &json!({"type": "helm", "name": "charts"}));
        let told = refusal(place, &helm).await;
        assert!(told.contains(REFUSED), "{at}: {told}");
    }
    for url in [
        format!("ssh://git@{there}/app.git"),
        format!("git://{there}/app.git"),
        "git@127.0.0.3:app.git".to_owned(),
    ] {
        let told = of_address
            .is_refused(&url, &json!({}), "RepositoryUnreachable")
            .await;
        assert!(told.contains(REFUSED), "{url}: {told}");
    }
    let proxied = json!({"proxy": format!("http://{there}")});
    let told = of_address
        .is_refused("http://203.0.113.9/app.git", &proxied, "InvalidCredentials")
        .await;
    assert!(told.contains("the proxy: 127.0.0.3 is in"), "{told}");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(local_asked.load(Ordering::Relaxed), 0);
}

/// GHSA-vh4v-2xq2-g5cg, CVE-2026-50151: a registry sends who asks on to a stranger at another port of
/// its host, who asks for credentials, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_registrys_credentials_do_not_go_along_with_its_redirects() {
    let shown = Arc::<AtomicU64>::default();
    let strangers = Arc::<AtomicU64>::default();
    let (seen, came) = (Arc::clone(&shown), Arc::clone(&strangers));
    let stranger = move |headers: HeaderMap| async move {
        came.fetch_add(1, Ordering::Relaxed);
        seen.fetch_add(
            u64::from(headers.contains_key("authorization")),
            Ordering::Relaxed,
        );
        let wants = [("www-authenticate", "Basic realm=\"Registry\"")];
        (StatusCode::UNAUTHORIZED, wants)
    };
    let stranger = serve(HERE, Router::new().fallback(stranger)).await;
    let registry = redirecting(&format!("http://{stranger}")).await;
    let place = place("");
    let ada = json!({"type": "oci", "insecureOCIForceHttp": "true", "username": "ada", "password": "hunter2"});
    let told = refusal(
        &place,
        &place.repository(&format!("oci://{registry}/app"), &ada),
    )
    .await;
    assert!(told.contains("authentication failed"), "{told}");
    assert_eq!(
        strangers.load(Ordering::Relaxed),
        2,
        "before and after it asked"
    );
    assert_eq!(shown.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_goes_where_its_settings_say_and_on_as_soon_as_they_do() {
    let (fleet, service, url) = start().await;
    service.pulls("web", &[1]);
    let server = GitServer::serve(fleet.repository()).await;
    let settings = |allowed: &str| json!({"argosy.sources.refused-addresses": "127.0.0.0/8", "argosy.sources.allowed-addresses": allowed});
    fleet.configure("argocd-cm", settings("")).await;
    fleet
        .apply(automated("web", server.url(), "web", &fleet.server("dev")))
        .await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(why.contains(REFUSED), "{why}");
    fleet
        .apply(set("pulls", &pulls(&url), "p-{{.number}}", &fleet))
        .await;
    let why = until_error(&fleet, "pulls").await;
    assert!(why.contains(REFUSED), "{why}");

    fleet.configure("argocd-cm", settings("127.0.0.1")).await;
    fleet.until_well("web").await;
}

fn pulls(api: &str) -> Value {
    json!({"pullRequest": {"github": {"owner": "shop", "repo": "web", "api": api}, "requeueAfterSeconds": 1}})
}
