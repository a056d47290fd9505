//! Who a GitHub App is: a signed token of its own, exchanged for one of its installation.

use argosy_facts::Secret;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, Http, Session};
use crate::error::{Error, Problem, Result, spec};
use crate::github;
use crate::paging::{by_link, with};

/// How long before now a token is dated, against clocks that go apart, as GitHub advises.
const BACKDATED: i64 = 60;

/// How long a token of the app's own lasts; GitHub allows ten minutes.
const LASTS: i64 = 9 * 60;

/// A GitHub App as its Secret describes it.
#[derive(Clone, Debug)]
pub struct GitHubApp {
    /// `githubAppID`
    pub id: i64,
    /// `githubAppInstallationID`; found by the organisation if there is none.
    pub installation: Option<i64>,
    /// `githubAppPrivateKey`, PEM.
    pub key: Secret,
    /// `githubAppEnterpriseBaseUrl`; counts where the generator names no API.
    pub base: String,
}

#[derive(Deserialize)]
struct Installation {
    id: i64,
    account: Account,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct Token {
    token: Secret,
    expires_at: Timestamp,
}

/// GitHub's API as the app's installation at `organization`.
pub(crate) async fn api<S: Http>(
    service: S,
    address: &str,
    app: &GitHubApp,
    organization: &str,
    session: &Session,
) -> Result<Api<S>> {
    let address = if address.is_empty() {
        &app.base
    } else {
        address
    };
    let at = || known(service.clone(), address, app, organization, session);
    let token = token_at(at, app, organization, session).await?;
    bearer(at()?, &token)
}

/// A token of the app's installation at `organization`, with which git reads what the app may
/// read. It lasts some minutes at least; one that lasts is given again.
///
/// # Errors
/// Fails when GitHub does not answer, or does not know the app, its key or its installation.
pub async fn installation_token<S: Http>(
    service: S,
    app: &GitHubApp,
    organization: &str,
    session: &Session,
) -> Result<Secret> {
    let at = || known(service.clone(), &app.base, app, organization, session);
    token_at(at, app, organization, session).await
}

async fn token_at<S: Http>(
    at: impl Fn() -> Result<Api<S>>,
    app: &GitHubApp,
    organization: &str,
    session: &Session,
) -> Result<Secret> {
    let identity = at()?.identity();
    if let Some(token) = session.memory.token(identity, session.now) {
        return Ok(token);
    }
    let own = bearer(at()?, &sign(app, session.now)?)?;
    let made = exchange(&own, app, organization)
        .await
        .map_err(unknown_app)?;
    let token = made.token.clone();
    session.memory.keep_token(identity, token, made.expires_at);
    Ok(made.token)
}

/// The API for an app: signed and exchanged tokens are others each time; what is remembered is the
/// app's.
fn known<S: Http>(
    service: S,
    address: &str,
    app: &GitHubApp,
    organization: &str,
    session: &Session,
) -> Result<Api<S>> {
    let api = github::anonymous(service, address, session)?;
    let name = format!("{} {:?} {organization} {address}", app.id, app.installation);
    Ok(api.known_by(app.key.expose()).known_by(&name))
}

fn bearer<S: Http>(api: Api<S>, token: &Secret) -> Result<Api<S>> {
    api.fleeting("authorization", &format!("Bearer {}", token.expose()))
}

/// An app that GitHub does not know must not pass for a repository that it does not know.
fn unknown_app(error: Error) -> Error {
    if !error.is_not_found() {
        return error;
    }
    Error {
        problem: Problem::Refused(
            "GitHub knows no such app or installation; check githubAppID and githubAppInstallationID"
                .to_owned(),
        ),
        ..error
    }
}

async fn exchange<S: Http>(own: &Api<S>, app: &GitHubApp, organization: &str) -> Result<Token> {
    let id = match app.installation {
        Some(id) => id,
        None => installation(own, organization).await?,
    };
    let id = id.to_string();
    let url = own.url(["app", "installations", &id, "access_tokens"]);
    own.post(url, &serde_json::Map::new()).await
}

/// The app's installation at an organisation, whose name is compared without regard to case.
async fn installation<S: Http>(own: &Api<S>, organization: &str) -> Result<i64> {
    let url = own.url(["app", "installations"]);
    let all: Vec<Installation> = own.list(with(&url, "per_page", "100"), by_link).await?;
    let found = all
        .iter()
        .find(|one| one.account.login.eq_ignore_ascii_case(organization));
    found.map(|one| one.id).ok_or_else(|| Error {
        request: format!("GET {url}"),
        problem: Problem::Spec(format!(
            "the GitHub App is not installed at {organization}; install it there, or set githubAppInstallationID"
        )),
    })
}

/// The app's own token: a JSON Web Token (RFC 7519) with RS256.
fn sign(app: &GitHubApp, now: Timestamp) -> Result<Secret> {
    let refuse = || {
        spec(
            "the GitHub App",
            "githubAppPrivateKey is no RSA key in PEM form",
        )
    };
    let pem = PrivateKeyDer::from_pem_slice(app.key.expose().as_bytes()).map_err(|_| refuse())?;
    let key = match &pem {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(refuse()),
    };
    let key = key.map_err(|_| refuse())?;
    let claims = json!({
        "iat": now.as_second() - BACKDATED, "exp": now.as_second() + LASTS,
        "iss": app.id.to_string(),
    });
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .map_err(|_| refuse())?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Ok(Secret::new(format!("{message}.{signature}")))
}
