//! From an identity to a key that signs: by itself, from an agent, or from AWS' token service.
//!
//! A key that does not last is asked for anew with each poll, which is far rarer than its end.

use argosy_facts::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{AwsIdentity, AwsKeys, endpoint, signature};
use crate::api::{Api, Http, Session, base};
use crate::error::Result;

/// The name under which a role is assumed, which AWS' audit log shows.
const SESSION: &str = "argosy";

/// What an agent answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AgentKeys {
    access_key_id: String,
    secret_access_key: Secret,
    token: Option<Secret>,
}

/// What the token service answers where JSON is accepted.
#[derive(Deserialize)]
enum Response {
    #[serde(rename = "AssumeRoleResponse")]
    AssumeRole {
        #[serde(rename = "AssumeRoleResult")]
        result: Assumed,
    },
    #[serde(rename = "AssumeRoleWithWebIdentityResponse")]
    WithWebIdentity {
        #[serde(rename = "AssumeRoleWithWebIdentityResult")]
        result: Assumed,
    },
}

#[derive(Deserialize)]
struct Assumed {
    #[serde(rename = "Credentials")]
    credentials: AssumedKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedKeys {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Secret,
}

/// A key of the identity, or of the role that it assumes.
pub(crate) async fn keys<S: Http>(
    service: S,
    identity: &AwsIdentity,
    role: &str,
    region: &str,
    session: &Session,
) -> Result<AwsKeys> {
    let own = match identity {
        AwsIdentity::Keys(keys) => keys.clone(),
        AwsIdentity::Container { uri, token } => {
            agent(service.clone(), uri, token.as_ref(), session).await?
        }
        AwsIdentity::WebIdentity { role, token } => {
            let sts = Sts::new(service.clone(), region, token.expose(), session)?;
            let form = [
                ("RoleArn", role.as_str()),
                ("WebIdentityToken", token.expose()),
            ];
            sts.assume("AssumeRoleWithWebIdentity", &form, None).await?
        }
    };
    if role.is_empty() {
        return Ok(own);
    }
    let sts = Sts::new(service, region, &own.id, session)?;
    sts.assume("AssumeRole", &[("RoleArn", role)], Some(&own))
        .await
}

async fn agent<S: Http>(
    service: S,
    uri: &str,
    token: Option<&Secret>,
    session: &Session,
) -> Result<AwsKeys> {
    let url = base(uri)?;
    let mut api = Api::new(service, url.clone(), session);
    if let Some(token) = token {
        api = api.credential("authorization", token.expose())?;
    }
    let keys: AgentKeys = api.get(url).await?;
    Ok(AwsKeys {
        id: keys.access_key_id,
        secret: keys.secret_access_key,
        session: keys.token,
    })
}

/// AWS' token service in a region.
struct Sts<S> {
    api: Api<S>,
    region: String,
    now: Timestamp,
}

impl<S: Http> Sts<S> {
    fn new(service: S, region: &str, identity: &str, session: &Session) -> Result<Self> {
        Ok(Self {
            api: Api::new(service, endpoint("sts", region)?, session).known_by(identity),
            region: region.to_owned(),
            now: session.now,
        })
    }

    async fn assume(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
        signed_by: Option<&AwsKeys>,
    ) -> Result<AwsKeys> {
        let body = Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleSessionName", SESSION)
            .extend_pairs(parameters)
            .finish();
        let url = self.api.url([]);
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(keys) = signed_by {
            let scope = signature::Scope {
                region: &self.region,
                service: "sts",
                now: self.now,
            };
            signature::sign(&mut headers, &url, body.as_bytes(), keys, &scope)?;
        }
        let answer = self
            .api
            .send(Method::POST, &url, Bytes::from(body), headers)
            .await?;
        let (Response::AssumeRole { result } | Response::WithWebIdentity { result }) =
            answer.read()?;
        let keys = result.credentials;
        Ok(AwsKeys {
            id: keys.access_key_id,
            secret: keys.secret_access_key,
            session: Some(keys.session_token),
        })
    }
}
