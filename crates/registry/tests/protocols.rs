//! The two protocols, against services that answer as the specifications say, or as an attacker
//! would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};

use argosy_registry::{
    ChartVersion, Credentials, Digest, Error, Grant, HELM_CHART_LAYER, HelmRepository, Index,
    LargeFile, LfsServer, OciRepository,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::json;

type Answer = Response<Full<Bytes>>;

/// The headers of every request, by URL.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// A transport that answers with `respond`, and what it was asked.
fn transport(
    respond: impl Fn(&str, &HeaderMap) -> Answer + Clone + Send + 'static,
) -> (impl argosy_registry::Transport + Clone, Seen) {
    let seen = Seen::default();
    let record = Arc::clone(&seen);
    let service = tower::service_fn(move |request: Request<Bytes>| {
        let (url, headers) = (request.uri().to_string(), request.headers().clone());
        record.lock().unwrap().push((url.clone(), headers.clone()));
        std::future::ready(Ok::<_, std::io::Error>(respond(&url, &headers)))
    });
    (service, seen)
}

fn ok(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()))
}

fn status(status: StatusCode) -> Answer {
    let mut answer = ok("");
    *answer.status_mut() = status;
    answer
}

fn challenge(value: &str) -> Answer {
    let mut answer = status(StatusCode::UNAUTHORIZED);
    answer
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, value.parse().unwrap());
    answer
}

fn ada() -> Credentials {
    Credentials::Basic {
        username: "ada".to_owned(),
        password: "hunter2".to_owned().into(),
    }
}

/// `ada:hunter2`
const ADA: &str = "Basic YWRhOmh1bnRlcjI=";

/// The last `Authorization` that a URL was shown.
fn shown(seen: &Seen, url: &str) -> Option<String> {
    let seen = seen
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut asked = seen.iter().rev();
    let (_, headers) = asked.find(|(asked, _)| asked.starts_with(url))?;
    let value = headers.get(header::AUTHORIZATION)?;
    value.to_str().ok().map(str::to_owned)
}

fn version(url: &str, digest: Option<Digest>) -> ChartVersion {
    ChartVersion {
        version: "1.0.0".to_owned(),
        url: url.to_owned(),
        digest,
    }
}

#[tokio::test]
async fn an_index_is_asked_for_once_and_then_by_its_tag() {
    let (service, _) = transport(|url, headers| match url {
        "https://charts.example.com/stable/index.yaml"
            if headers.get(header::IF_NONE_MATCH).is_some() =>
        {
            status(StatusCode::NOT_MODIFIED)
        }
        "https://charts.example.com/stable/index.yaml" => {
            let mut answer =
                ok("apiVersion: v1\nentries: {web: [{version: 1.0.0, urls: [web.tgz]}]}\n");
            answer
                .headers_mut()
                .insert(header::ETAG, "\"a\"".parse().unwrap());
            answer
        }
        _ => status(StatusCode::NOT_FOUND),
    });
    let url = "https://charts.example.com/stable";
    let mut repository = HelmRepository::new(service, url, Credentials::None, false).unwrap();
    let first = repository.index(None).await.unwrap().unwrap();
    assert!(Index::parse(&first.text).unwrap().versions("web").is_some());
    assert_eq!(repository.index(first.etag.as_deref()).await.unwrap(), None);
}

/// CVE-2021-32690.
#[tokio::test]
async fn credentials_go_to_the_repositorys_own_host_unless_they_may_be_passed_on() {
    for (passes, elsewhere) in [(false, None), (true, Some(ADA))] {
        let (service, seen) = transport(|_, _| ok("chart"));
        let url = "https://charts.example.com/stable/";
        let mut repository = HelmRepository::new(service, url, ada(), passes).unwrap();
        repository
            .archive(&version("web-1.0.0.tgz", None))
            .await
            .unwrap();
        assert_eq!(
            shown(&seen, "https://charts.example.com/stable/web-1.0.0.tgz").as_deref(),
            Some(ADA)
        );
        for other in [
            "https://cdn.example.com/web.tgz",
            "http://charts.example.com/web.tgz",
        ] {
            repository.archive(&version(other, None)).await.unwrap();
            assert_eq!(shown(&seen, other).as_deref(), elsewhere, "{other}");
        }
    }
}

/// CVE-2024-29893.
#[tokio::test]
async fn a_chart_must_have_the_digest_of_the_index_and_an_answer_a_sane_size() {
    let (service, _) = transport(|_, _| ok("other"));
    let mut repository =
        HelmRepository::new(service, "https://e.x", Credentials::None, false).unwrap();
    let promised = version("web.tgz", Some(Digest::of(b"chart")));
    let error = repository.archive(&promised).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");

    let (service, _) = transport(|_, _| ok(vec![0; 101 * 1024 * 1024]));
    let mut repository =
        HelmRepository::new(service, "https://e.x", Credentials::None, false).unwrap();
    let error = repository
        .archive(&version("web.tgz", None))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "https://e.x/web.tgz is larger than the allowed 100 MB"
    );

    let (service, _) = transport(|_, _| ok(vec![b' '; 129 * 1024 * 1024]));
    let mut repository =
        HelmRepository::new(service, "https://e.x", Credentials::None, false).unwrap();
    let error = repository.index(None).await.unwrap_err().to_string();
    assert!(
        error.contains("is larger than the allowed 128 MB"),
        "{error}"
    );
}

/// GHSA-6w87-g839-9wv7.
#[tokio::test]
async fn what_is_refused_or_missing_says_so_and_shows_no_secret() {
    for (answer, text) in [
        (StatusCode::UNAUTHORIZED, "authentication failed"),
        (StatusCode::FORBIDDEN, "authentication failed"),
        (StatusCode::NOT_FOUND, "not found"),
        (StatusCode::BAD_GATEWAY, "answered 502"),
    ] {
        let (service, _) = transport(move |_, _| status(answer));
        let mut repository = HelmRepository::new(service, "https://e.x", ada(), false).unwrap();
        let signed = version("https://e.x/web.tgz?signature=s3cret", None);
        let error = repository.archive(&signed).await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(
            !error.contains("hunter2") && !error.contains("s3cret"),
            "{error}"
        );
    }
    let refused =
        |url: &str| HelmRepository::new(transport(|_, _| ok("")).0, url, ada(), false).is_err();
    assert!(refused("file:///etc") && refused("charts.example.com"));
}

/// A registry with one chart behind a token.
fn registry(realm: &'static str) -> (impl argosy_registry::Transport + Clone, Seen, Digest) {
    let chart = b"chart".as_slice();
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": Digest::of(b"{}").to_string(), "size": 2},
        "layers": [
            {"mediaType": HELM_CHART_LAYER, "digest": Digest::of(chart).to_string(), "size": chart.len()},
            {"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": Digest::of(b"p").to_string(), "size": 1},
        ],
    })
    .to_string();
    let digest = Digest::of(manifest.as_bytes());
    let by_digest = format!("manifests/{digest}");
    let (service, seen) = transport(move |url, headers| {
        if url.starts_with(realm) {
            return ok(r#"{"token": "t0ken"}"#);
        }
        let authorization = headers.get(header::AUTHORIZATION);
        if authorization.is_none_or(|value| value != "Bearer t0ken") {
            return challenge(&format!("Bearer realm=\"{realm}\",service=\"reg\""));
        }
        if url.ends_with("tags/list?n=1000") {
            let mut answer = ok(r#"{"name": "o/web", "tags": ["1.0.0", "1.1.0"]}"#);
            let next = "</v2/o/web/tags/list?n=1000&last=1.1.0>; rel=\"next\"";
            answer
                .headers_mut()
                .insert(header::LINK, next.parse().unwrap());
            return answer;
        }
        if url.ends_with("last=1.1.0") {
            return ok(r#"{"name": "o/web", "tags": ["2.0.0"]}"#);
        }
        if url.ends_with("manifests/1.0.0") || url.ends_with(&by_digest) {
            return ok(manifest.clone());
        }
        if url.contains("/blobs/") {
            return ok(chart);
        }
        status(StatusCode::NOT_FOUND)
    });
    (service, seen, digest)
}

#[tokio::test]
async fn a_chart_is_pulled_from_a_registry_with_a_token_for_its_repository() {
    let realm = "https://auth.example.com/token";
    let (service, seen, digest) = registry(realm);
    let mut repository =
        OciRepository::new(service, "oci://reg.example.com/o/web", false, ada()).unwrap();
    assert_eq!(
        repository.tags().await.unwrap(),
        ["1.0.0", "1.1.0", "2.0.0"]
    );
    let (found, manifest) = repository.manifest("1.0.0").await.unwrap();
    assert_eq!(found, digest);
    assert!(manifest.is_chart());
    assert_eq!(
        repository.manifest(&digest.to_string()).await.unwrap().0,
        digest
    );
    assert_eq!(
        repository.blob(manifest.content().unwrap()).await.unwrap(),
        "chart"
    );
    assert_eq!(shown(&seen, realm).as_deref(), Some(ADA));
    let asked = seen.lock().unwrap();
    let tokens: Vec<_> = asked
        .iter()
        .filter(|(url, _)| url.starts_with(realm))
        .collect();
    assert_eq!(tokens.len(), 1, "one token serves all requests");
    assert!(
        tokens[0]
            .0
            .ends_with("?service=reg&scope=repository%3Ao%2Fweb%3Apull")
    );
}

/// CVE-2026-48978.
#[tokio::test]
async fn a_token_service_of_strangers_gets_no_credentials() {
    let realm = "https://evil.example.org/token";
    let (service, seen, _) = registry(realm);
    let mut repository =
        OciRepository::new(service, "reg.example.com/o/web", false, ada()).unwrap();
    repository.tags().await.unwrap();
    assert_eq!(shown(&seen, realm), None);
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|(_, headers)| {
        headers
            .get(header::AUTHORIZATION)
            .is_none_or(|value| value != ADA)
    }));
}

#[tokio::test]
async fn basic_authentication_is_shown_when_it_is_asked_for() {
    let (service, seen) = transport(|_, headers| {
        if headers.contains_key(header::AUTHORIZATION) {
            ok(r#"{"tags": null}"#)
        } else {
            challenge("Basic realm=\"Registry\"")
        }
    });
    let mut repository =
        OciRepository::new(service.clone(), "127.0.0.1:5000/web", true, ada()).unwrap();
    assert_eq!(repository.tags().await.unwrap(), Vec::<String>::new());
    assert_eq!(
        shown(&seen, "http://127.0.0.1:5000/v2/web/").as_deref(),
        Some(ADA)
    );
    let mut anonymous =
        OciRepository::new(service, "127.0.0.1:5000/web", true, Credentials::None).unwrap();
    let error = anonymous.tags().await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn what_a_registry_may_not_do_is_an_error() {
    let repository = |respond: fn(&str, &HeaderMap) -> Answer| {
        OciRepository::new(
            transport(respond).0,
            "reg.example.com/web",
            false,
            Credentials::None,
        )
        .unwrap()
    };
    let mut other = repository(|_, _| ok(r#"{"layers": []}"#));
    let promised = Digest::of(b"something else").to_string();
    let error = other.manifest(&promised).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    let mut index = repository(|_, _| ok(r#"{"manifests": []}"#));
    let error = index.manifest("1.0.0").await.unwrap_err().to_string();
    assert!(error.contains("index of several images"), "{error}");
    let mut away = repository(|_, _| {
        let mut answer = ok(r#"{"tags": []}"#);
        let next = "<https://evil.example.org/>; rel=\"next\"".parse().unwrap();
        answer.headers_mut().insert(header::LINK, next);
        answer
    });
    let error = away.tags().await.unwrap_err().to_string();
    assert!(error.contains("not at this registry"), "{error}");
    for reference in ["../../x", "a b", "", "md5:00"] {
        assert!(
            matches!(away.manifest(reference).await, Err(Error::Url { .. })),
            "{reference}"
        );
    }
    for address in [
        "reg.example.com/../x",
        "reg.example.com/A",
        "a:b@reg.example.com/x",
        "/x",
    ] {
        let made = OciRepository::new(
            transport(|_, _| ok("")).0,
            address,
            false,
            Credentials::None,
        );
        assert!(made.is_err(), "{address}");
    }
}

#[tokio::test]
async fn only_one_layer_has_content_and_it_must_be_of_a_known_kind() {
    let manifest = |layers: serde_json::Value| {
        let text =
            json!({"config": {"mediaType": "application/vnd.oci.empty.v1+json"}, "layers": layers})
                .to_string();
        let (service, _) = transport(move |_, _| ok(text.clone()));
        async move {
            let mut repository =
                OciRepository::new(service, "reg.example.com/x", false, Credentials::None).unwrap();
            repository.manifest("latest").await.unwrap().1
        }
    };
    let layer =
        |kind: &str| json!({"mediaType": kind, "digest": Digest::of(b"").to_string(), "size": 0});
    let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    let one = manifest(json!([layer(tar), layer("application/vnd.in-toto+json")])).await;
    assert_eq!(one.content().unwrap().media_type, tar);
    assert!(!one.is_chart());
    let two = manifest(json!([layer(tar), layer(tar)])).await;
    assert_eq!(
        two.content().unwrap_err(),
        "expected only a single oci content layer, got 2"
    );
    let none = manifest(json!([layer("text/plain")])).await;
    assert!(none.content().unwrap_err().contains("it has: text/plain"));
    let many = manifest(json!(vec![layer(tar); 11])).await;
    assert_eq!(
        many.content().unwrap_err(),
        "expected no more than 10 oci layers, got 11"
    );
}

/// Who the large files of a repository over ssh are shown to: the host that was named, and no other.
#[tokio::test]
async fn what_a_git_server_grants_is_shown_to_the_host_that_it_names_alone() {
    let content = b"large".as_slice();
    let digest = Digest::of(content);
    let file = |name: &str| {
        let href = format!("{name}/{}", digest.hex());
        json!({"oid": digest.hex(), "actions": {"download": {"href": href}}})
    };
    for (at, is_shown) in [
        ("https://lfs.example.com/objects", true),
        ("https://cdn.example.com", false),
        ("https://lfs.example.com:8443", false),
    ] {
        let batch = json!({"objects": [file(at)]}).to_string();
        let (service, seen) = transport(move |url, _| match url {
            "https://lfs.example.com/app/objects/batch" => ok(batch.clone()),
            _ => ok(content),
        });
        let answer = json!({"href": "https://lfs.example.com/app",
                            "header": {"Authorization": "Bearer t0ken", "X-Token": "k3y"}});
        let answer = answer.to_string().into();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let grant = Grant::read(&answer, "git@example.com:app", "", now).unwrap();
        let wanted = LargeFile {
            digest: digest.clone(),
            size: 5,
        };
        let fetched = LfsServer::granted(service, &grant).fetch(&[wanted]).await;
        assert_eq!(fetched.unwrap(), [content]);
        let seen = seen.lock().unwrap();
        let shown: Vec<_> = seen
            .iter()
            .map(|(_, headers)| {
                headers.contains_key("authorization") && headers.contains_key("x-token")
            })
            .collect();
        assert_eq!(shown, [true, is_shown], "{at}");
        if !is_shown {
            assert!(!format!("{:?}", seen[1].1).contains("x-token"), "{at}");
        }
    }
}
