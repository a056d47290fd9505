//! AWS: its identities, its signatures, and its JSON protocol.

mod code_commit;
mod identity;
mod signature;

use argosy_facts::Secret;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use code_commit::CodeCommit;
pub(crate) use identity::keys;

use crate::api::{Api, Http, Session, base};
use crate::error::{Problem, Result, spec};

/// Who the hub is at AWS, and where.
#[derive(Clone, Debug)]
pub struct AwsCredentials {
    /// How it shows who it is.
    pub identity: AwsIdentity,
    /// The region if the generator names none; `AWS_REGION`.
    pub region: Option<String>,
}

/// The ways in which a workload shows AWS who it is.
#[derive(Clone, Debug)]
pub enum AwsIdentity {
    /// A key: `AWS_ACCESS_KEY_ID` and its siblings.
    Keys(AwsKeys),
    /// A service account's token for a role: `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity {
        /// The role.
        role: String,
        /// The token.
        token: Secret,
    },
    /// An agent beside the workload: `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    Container {
        /// Where the agent listens.
        uri: String,
        /// What it wants to be shown, if anything.
        token: Option<Secret>,
    },
}

/// A key that signs requests.
#[derive(Clone, Debug)]
pub struct AwsKeys {
    /// The key's name.
    pub id: String,
    /// The key.
    pub secret: Secret,
    /// What belongs to a key that does not last.
    pub session: Option<Secret>,
}

/// A service of AWS in a region.
pub(crate) struct Aws<S> {
    api: Api<S>,
    keys: AwsKeys,
    region: String,
    name: &'static str,
    /// What the names of its operations begin with.
    target: &'static str,
}

/// An error of the JSON protocol.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

/// The host of a service in a region.
fn endpoint(service: &str, region: &str) -> Result<Url> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(is_name) {
        return Err(spec("region", format!("`{region}` is no region of AWS")));
    }
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    base(&format!("https://{service}.{region}.{domain}/"))
}

impl<S: Http> Aws<S> {
    fn new(
        service: S,
        (name, target): (&'static str, &'static str),
        region: &str,
        keys: &AwsKeys,
        session: &Session,
    ) -> Result<Self> {
        let api = Api::new(service, endpoint(name, region)?, session).known_by(&keys.id);
        Ok(Self {
            api,
            keys: keys.clone(),
            region: region.to_owned(),
            name,
            target,
        })
    }

    /// Runs an operation. One of the `absent` refusals is the answer that there is no such thing.
    async fn run<T: DeserializeOwned>(
        &self,
        operation: &str,
        input: &(impl Serialize + Sync),
        absent: &[&str],
    ) -> Result<Option<T>> {
        let url = self.api.url([]);
        let body = serde_json::to_vec(input).map_err(|error| spec(operation, error.to_string()))?;
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-amz-json-1.1");
        headers.insert(CONTENT_TYPE, kind);
        let target = format!("{}.{operation}", self.target);
        let target =
            HeaderValue::from_str(&target).map_err(|error| spec(operation, error.to_string()))?;
        headers.insert("x-amz-target", target);
        let scope = signature::Scope {
            region: &self.region,
            service: self.name,
            now: self.api.session().now,
        };
        signature::sign(&mut headers, &url, &body, &self.keys, &scope)?;
        let answer = self
            .api
            .send(Method::POST, &url, Bytes::from(body), headers)
            .await?;
        if answer.status == StatusCode::OK {
            return answer.read().map(Some);
        }
        let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
            return answer.read().map(Some);
        };
        let kind = refusal.kind.rsplit('#').next().unwrap_or_default();
        if absent.contains(&kind) {
            return Ok(None);
        }
        Err(answer.error(Problem::Refused(format!("{operation}: {kind}"))))
    }
}
