//! What a generator says about reaching its provider: where, trusting whom, with which credentials.

use argosy_crds::application_set::generators::{
    BasicAuthBitbucketServer, BearerToken, ConfigMapKeyRef, PullRequestGenerator,
    ScmProviderGenerator, SecretRef,
};
use argosy_facts::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::{Api, Http};
use crate::aws::AwsCredentials;
use crate::error::Result;
use crate::github_app::GitHubApp;

/// How a generator reaches its provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Access<'a> {
    /// The provider's name, for metrics and messages.
    pub provider: &'static str,
    /// The API's address as the generator names it; empty for the provider's own.
    pub api: &'a str,
    /// Whether any certificate is accepted.
    pub insecure: bool,
    /// Where a certificate authority is kept.
    pub authority: Option<&'a ConfigMapKeyRef>,
    /// Where the credentials are kept.
    pub credentials: Reference<'a>,
}

/// Where credentials are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference<'a> {
    /// Nowhere: anonymously.
    None,
    /// A token.
    Token(&'a SecretRef),
    /// A user and where the password is.
    Basic(&'a str, &'a SecretRef),
    /// The name of the Secret of a GitHub App, in the hub's namespace.
    GitHubApp(&'a str),
    /// The hub's own identity at AWS.
    Aws,
}

/// Credentials, read.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Anonymously.
    None,
    /// A token.
    Token(Secret),
    /// User and password.
    Basic(String, Secret),
    /// A GitHub App.
    GitHubApp(Box<GitHubApp>),
    /// An identity at AWS.
    Aws(Box<AwsCredentials>),
}

impl Credentials {
    /// The token, if it is one.
    pub(crate) fn token(&self) -> Option<&Secret> {
        match self {
            Self::Token(token) => Some(token),
            Self::None | Self::Basic(..) | Self::GitHubApp(_) | Self::Aws(_) => None,
        }
    }

    /// Authorizes requests with a bearer token or with user and password.
    pub(crate) fn put_on<S: Http>(&self, api: Api<S>) -> Result<Api<S>> {
        match self {
            Self::Token(token) => {
                api.credential("authorization", &format!("Bearer {}", token.expose()))
            }
            Self::Basic(user, password) => {
                let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                api.credential("authorization", &format!("Basic {pair}"))
            }
            Self::None | Self::GitHubApp(_) | Self::Aws(_) => Ok(api),
        }
    }
}

impl<'a> Access<'a> {
    fn new(provider: &'static str, api: &'a str, credentials: Reference<'a>) -> Self {
        Self {
            provider,
            api,
            insecure: false,
            authority: None,
            credentials,
        }
    }

    fn trusting(self, insecure: bool, authority: Option<&'a ConfigMapKeyRef>) -> Self {
        Self {
            insecure,
            authority,
            ..self
        }
    }

    /// Of the provider of an SCM provider generator that is looked at: the first in Argo CD's
    /// order. `None` if there is none.
    pub fn of_scm(spec: &'a ScmProviderGenerator) -> Option<Self> {
        Some(if let Some(it) = &spec.github {
            Self::new(
                "github",
                &it.api,
                github(&it.app_secret_name, it.token_ref.as_ref()),
            )
        } else if let Some(it) = &spec.gitlab {
            Self::new("gitlab", &it.api, token(it.token_ref.as_ref()))
                .trusting(it.insecure, it.ca_ref.as_ref())
        } else if let Some(it) = &spec.gitea {
            Self::new("gitea", &it.api, token(it.token_ref.as_ref())).trusting(it.insecure, None)
        } else if let Some(it) = &spec.bitbucket_server {
            let credentials = bitbucket(it.bearer_token.as_ref(), it.basic_auth.as_ref());
            Self::new("bitbucketServer", &it.api, credentials)
                .trusting(it.insecure, it.ca_ref.as_ref())
        } else if let Some(it) = &spec.azure_dev_ops {
            Self::new("azureDevOps", &it.api, token(it.access_token_ref.as_ref()))
        } else if let Some(it) = &spec.bitbucket {
            let password = it.app_password_ref.as_ref();
            let credentials = password.map_or(Reference::None, |password| {
                Reference::Basic(&it.user, password)
            });
            Self::new("bitbucket", "", credentials)
        } else if spec.aws_code_commit.is_some() {
            Self::new("awsCodeCommit", "", Reference::Aws)
        } else {
            return None;
        })
    }

    /// The same of a pull request generator.
    pub fn of_pull_requests(spec: &'a PullRequestGenerator) -> Option<Self> {
        Some(if let Some(it) = &spec.github {
            Self::new(
                "github",
                &it.api,
                github(&it.app_secret_name, it.token_ref.as_ref()),
            )
        } else if let Some(it) = &spec.gitlab {
            Self::new("gitlab", &it.api, token(it.token_ref.as_ref()))
                .trusting(it.insecure, it.ca_ref.as_ref())
        } else if let Some(it) = &spec.gitea {
            Self::new("gitea", &it.api, token(it.token_ref.as_ref())).trusting(it.insecure, None)
        } else if let Some(it) = &spec.bitbucket_server {
            let credentials = bitbucket(it.bearer_token.as_ref(), it.basic_auth.as_ref());
            Self::new("bitbucketServer", &it.api, credentials)
                .trusting(it.insecure, it.ca_ref.as_ref())
        } else if let Some(it) = &spec.bitbucket {
            let credentials = bitbucket(it.bearer_token.as_ref(), it.basic_auth.as_ref());
            Self::new("bitbucket", &it.api, credentials)
        } else if let Some(it) = &spec.azuredevops {
            Self::new("azureDevOps", &it.api, token(it.token_ref.as_ref()))
        } else {
            return None;
        })
    }
}

fn token(reference: Option<&SecretRef>) -> Reference<'_> {
    reference.map_or(Reference::None, Reference::Token)
}

fn github<'a>(app: &'a str, reference: Option<&'a SecretRef>) -> Reference<'a> {
    if app.is_empty() {
        token(reference)
    } else {
        Reference::GitHubApp(app)
    }
}

/// A bearer token wins over user and password.
fn bitbucket<'a>(
    bearer: Option<&'a BearerToken>,
    basic: Option<&'a BasicAuthBitbucketServer>,
) -> Reference<'a> {
    match (bearer, basic) {
        (Some(bearer), _) => token(bearer.token_ref.as_ref()),
        (None, Some(basic)) => basic
            .password_ref
            .as_ref()
            .map_or(Reference::None, |password| {
                Reference::Basic(&basic.username, password)
            }),
        (None, None) => Reference::None,
    }
}
