//! The two questions of generators, put to whichever provider they name.

use argosy_crds::application_set::generators::{
    PullRequestGenerator, ScmProviderAwsCodeCommit, ScmProviderGenerator,
};
use argosy_generators::{PullRequest, Repository, ScmFilters};

use crate::access::Credentials;
use crate::api::{Api, Http, Session};
use crate::aws::{self, CodeCommit};
use crate::azure_devops::{self, AzureDevOps};
use crate::bitbucket_cloud::{self, BitbucketCloud};
use crate::bitbucket_server::{self, BitbucketServer};
use crate::error::{Result, spec};
use crate::gitea::{self, Gitea};
use crate::github::{self, GitHub};
use crate::github_app;
use crate::gitlab::{self, GitLab};
use crate::repositories::{Protocol, list};

/// The branches that the generator may select, of its first provider in Argo CD's order.
pub async fn repositories<S: Http>(
    service: S,
    generator: &ScmProviderGenerator,
    credentials: &Credentials,
    session: &Session,
) -> Result<Vec<Repository>> {
    let filters = ScmFilters::new(&generator.filters).map_err(|why| spec("filters", why))?;
    let protocol = |provider| Protocol::read(&generator.clone_protocol, provider);
    let token = credentials.token();
    if let Some(spec) = &generator.github {
        let (api, protocol) = (&spec.api, protocol("GitHub")?);
        let api = github(service, api, &spec.organization, credentials, session).await?;
        return list(
            &GitHub {
                api,
                spec,
                protocol,
            },
            &filters,
        )
        .await;
    }
    if let Some(spec) = &generator.gitlab {
        let protocol = protocol("Gitlab")?;
        let api = gitlab::api(service, &spec.api, token, session)?;
        return list(
            &GitLab {
                api,
                spec,
                protocol,
            },
            &filters,
        )
        .await;
    }
    if let Some(spec) = &generator.gitea {
        let protocol = protocol("Gitea")?;
        let api = gitea::api(service, &spec.api, token, session)?;
        return list(
            &Gitea {
                api,
                spec,
                protocol,
            },
            &filters,
        )
        .await;
    }
    if let Some(spec) = &generator.bitbucket_server {
        let protocol = protocol("Bitbucket Server")?;
        let api = bitbucket_server::api(service, &spec.api, credentials, session)?;
        return list(
            &BitbucketServer {
                api,
                spec,
                protocol,
            },
            &filters,
        )
        .await;
    }
    if let Some(spec) = &generator.azure_dev_ops {
        let provider = AzureDevOps::new(service, spec, token, session)?;
        return list(&provider, &filters).await;
    }
    if let Some(spec) = &generator.bitbucket {
        let protocol = protocol("Bitbucket cloud")?;
        let api = bitbucket_cloud::api(service, "", credentials, session)?;
        return list(
            &BitbucketCloud {
                api,
                spec,
                protocol,
            },
            &filters,
        )
        .await;
    }
    if let Some(spec) = &generator.aws_code_commit {
        let protocol = &generator.clone_protocol;
        let provider = code_commit(service, spec, protocol, credentials, session).await?;
        return list(&provider, &filters).await;
    }
    Err(no_provider("no SCM provider implementation configured"))
}

/// The pull requests that the generator asks for, before its filters. A repository that does not
/// exist has none where the generator says so, and is an error otherwise.
pub async fn pull_requests<S: Http>(
    service: S,
    generator: &PullRequestGenerator,
    credentials: &Credentials,
    session: &Session,
) -> Result<Vec<PullRequest>> {
    match ask(service, generator, credentials, session).await {
        Err(error) if error.is_not_found() && generator.continue_on_repo_not_found_error => {
            Ok(Vec::new())
        }
        answer => answer,
    }
}

async fn ask<S: Http>(
    service: S,
    generator: &PullRequestGenerator,
    credentials: &Credentials,
    session: &Session,
) -> Result<Vec<PullRequest>> {
    let token = credentials.token();
    if let Some(spec) = &generator.github {
        let api = github(service, &spec.api, &spec.owner, credentials, session).await?;
        return github::pull_requests(&api, spec).await;
    }
    if let Some(spec) = &generator.gitlab {
        let api = gitlab::api(service, &spec.api, token, session)?;
        return gitlab::pull_requests(&api, spec).await;
    }
    if let Some(spec) = &generator.gitea {
        let api = gitea::api(service, &spec.api, token, session)?;
        return gitea::pull_requests(&api, spec).await;
    }
    if let Some(spec) = &generator.bitbucket_server {
        let api = bitbucket_server::api(service, &spec.api, credentials, session)?;
        return bitbucket_server::pull_requests(&api, spec).await;
    }
    if let Some(spec) = &generator.bitbucket {
        let api = bitbucket_cloud::api(service, &spec.api, credentials, session)?;
        return bitbucket_cloud::pull_requests(&api, spec).await;
    }
    if let Some(spec) = &generator.azuredevops {
        let api = azure_devops::api(service, &spec.api, &spec.organization, token, session)?;
        return azure_devops::pull_requests(&api, spec).await;
    }
    Err(no_provider(
        "no Pull Request provider implementation configured",
    ))
}

async fn code_commit<'a, S: Http>(
    service: S,
    spec: &'a ScmProviderAwsCodeCommit,
    protocol: &str,
    credentials: &Credentials,
    session: &Session,
) -> Result<CodeCommit<'a, S>> {
    let Credentials::Aws(own) = credentials else {
        return Err(no_provider("the hub has no identity at AWS"));
    };
    let region = Some(&spec.region).filter(|region| !region.is_empty());
    let Some(region) = region.or(own.region.as_ref()) else {
        return Err(no_provider("no region is set; set `region` or AWS_REGION"));
    };
    let keys = aws::keys(service.clone(), &own.identity, &spec.role, region, session).await?;
    CodeCommit::new(service, spec, protocol, (&keys, region), session)
}

async fn github<S: Http>(
    service: S,
    address: &str,
    organization: &str,
    credentials: &Credentials,
    session: &Session,
) -> Result<Api<S>> {
    match credentials {
        Credentials::GitHubApp(app) => {
            github_app::api(service, address, app, organization, session).await
        }
        other => github::api(service, address, other.token(), session),
    }
}

fn no_provider(why: &str) -> crate::error::Error {
    spec("the generator", why)
}
