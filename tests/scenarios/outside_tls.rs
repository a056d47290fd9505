//! Providers over TLS: whom a generator trusts is what it says, and nobody else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::fleet::Fleet;
use crate::outside::{set, start};
use crate::outside_server::Service;
use crate::sets::{app_deletes, until_clean, until_error, until_names};

/// Connections over TLS; those that do not come about are nobody's.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Serves over TLS; the address, and the certificate that a client has to trust.
async fn serve(service: &Service) -> (String, String) {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let CertifiedKey { cert, signing_key } = made;
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let app = service.router();
    tokio::spawn(async move { axum::serve(Tls { listener, acceptor }, app).await });
    (format!("https://{address}/"), cert.pem())
}

async fn apply(fleet: &Fleet, url: &str, trust: &Value) {
    let mut gitlab = json!({"project": "shop/web", "api": url});
    for (key, value) in trust.as_object().unwrap() {
        gitlab[key] = value.clone();
    }
    let generator = json!({"pullRequest": {"gitlab": gitlab, "requeueAfterSeconds": 1}});
    fleet
        .apply(set("pulls", &generator, "pr-{{.number}}", fleet))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_trusted_by_its_authority_or_by_the_set_s_own_word() {
    let (fleet, service, _) = start().await;
    let request = json!({"iid": 7, "title": "t", "source_branch": "x", "target_branch": "main",
                         "sha": "s", "labels": [], "author": {"username": "ada"}});
    let list = "/api/v4/projects/shop%2Fweb/merge_requests";
    service.put(list, json!([request]));
    let (url, authority) = serve(&service).await;

    apply(&fleet, &url, &json!({})).await;
    let why = until_error(&fleet, "pulls").await;
    assert!(why.contains("certificate"), "{why}");
    assert_eq!(service.asked(list), 0, "nothing is said to a stranger");

    fleet.configure("trusted", json!({"ca": authority})).await;
    let of_map = json!({"configMapName": "trusted", "key": "ca"});
    for trust in [json!({"insecure": true}), json!({"caRef": of_map})] {
        apply(&fleet, &url, &trust).await;
        until_names(&fleet, &["pr-7"]).await;
        until_clean(&fleet, "pulls").await;
        apply(&fleet, &url, &json!({})).await;
        until_error(&fleet, "pulls").await;
    }

    // The authorities of all providers, in a file of the hub.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let key = "applicationsetcontroller.scm.root.ca.path";
    fleet
        .configure("argocd-cmd-params-cm", json!({key: file}))
        .await;
    until_clean(&fleet, "pulls").await;
    assert_eq!(app_deletes(&fleet), 0);
}
