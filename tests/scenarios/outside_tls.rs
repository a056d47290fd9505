//! Providers over TLS: whom a generator trusts is what it says, and nobody else.

use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::outside::{set, start};
use crate::outside_server::Service;
use crate::sets::{app_deletes, until_clean, until_error, until_names};
use crate::tls::{self, Authority};

/// Serves over TLS; the address, and the certificate that a client has to trust.
async fn serve(service: &Service) -> (String, String) {
    let authority = Authority::new();
    let (address, _) = tls::serve(service.router(), Some(authority.acceptor(None))).await;
    (format!("https://{address}/"), authority.pem())
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
