//! Who a GitHub App is to a git server: a token of its installation, made when it is needed and kept
//! in memory for as long as it lasts.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use argosy_facts::Secret;
use argosy_scm::{GitHubApp, Memory, Problem, Session, installation_token};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tower::ServiceExt as _;

use super::{Credentials, Repository, SourceError};
use crate::{
    clock::Clock,
    diagnostic::chain,
    http::{Http, Network, Terms},
};

/// The user that git takes such a token for.
const USER: &str = "x-access-token";

/// How long GitHub may take for one answer, and how large it may be.
const PATIENCE: Duration = Duration::from_secs(30);
const BODY: usize = 1 << 20;

/// Makes tokens for all Apps that repositories are registered with.
pub(super) struct Apps {
    network: Network,
    clock: Clock,
    memory: Arc<Memory>,
}

impl fmt::Debug for Apps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apps")
    }
}

impl Apps {
    pub(super) fn new(network: Network, clock: Clock) -> Self {
        Self {
            network,
            clock,
            memory: Arc::default(),
        }
    }

    /// The repository with credentials that its server takes.
    pub(super) async fn present<'a>(
        &self,
        repository: &'a Repository,
    ) -> Result<Cow<'a, Repository>, SourceError> {
        repository.usable()?;
        let Credentials::GitHubApp(app) = &repository.credentials else {
            return Ok(Cow::Borrowed(repository));
        };
        let password = self.token(repository, app).await?;
        Ok(Cow::Owned(Repository {
            credentials: Credentials::Basic {
                username: USER.to_owned(),
                password,
            },
            ..repository.clone()
        }))
    }

    /// A connection to a repository on these terms.
    pub(super) fn connect(
        &self,
        repository: &Repository,
        terms: &Terms,
    ) -> Result<Http, SourceError> {
        self.network
            .open(terms)
            .map_err(|why| SourceError::Credentials {
                url: repository.url.clone(),
                why,
            })
    }

    async fn token(&self, repository: &Repository, app: &GitHubApp) -> Result<Secret, SourceError> {
        let http = self.connect(repository, &repository.terms(PATIENCE))?;
        let service = tower::service_fn(move |request: Request<Bytes>| {
            let http = http.clone();
            async move {
                let answer = http.oneshot(request).await;
                let (head, body) = answer.map_err(|error| chain(&error))?.into_parts();
                let body = Limited::new(body, BODY).collect().await;
                let body = body.map_err(|error| chain(error.as_ref()))?;
                Ok::<_, String>(Response::from_parts(head, body.to_bytes()))
            }
        });
        let session = Session {
            memory: Arc::clone(&self.memory),
            now: self.clock.now(),
        };
        let token = installation_token(service, app, owner(&repository.url), &session).await;
        token.map_err(|error| refused(repository, &error))
    }
}

fn refused(repository: &Repository, error: &argosy_scm::Error) -> SourceError {
    let url = repository.url.clone();
    let why = repository.redact(format!("no token for the GitHub App: {error}"));
    match &error.problem {
        Problem::Spec(why) => SourceError::Credentials {
            url,
            why: why.clone(),
        },
        Problem::Unauthorized => SourceError::Authentication {
            url,
            why: "GitHub does not accept githubAppPrivateKey as the key of the App githubAppID"
                .to_owned(),
        },
        Problem::Forbidden | Problem::Refused(_) => SourceError::Authentication { url, why },
        _ => SourceError::untrusted(&url, &why).unwrap_or(SourceError::Remote {
            url,
            action: "read",
            why,
        }),
    }
}

/// Whose a repository is: the first part of its path.
fn owner(url: &str) -> &str {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    path.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_looked_for_at_the_owner_of_the_repository() {
        assert_eq!(owner("https://github.com/shop/web.git"), "shop");
        assert_eq!(owner("https://ghe.example.com:8443/shop/web/"), "shop");
        assert_eq!(owner("https://github.com"), "");
    }
}
