//! Pull requests in webhooks: of which repository they are, and which generators list that.

use argosy_crds::application_set::generators::PullRequestGenerator;
use serde_json::Value;
use url::Url;

use super::Headers;
use super::payload::{Provider, text};

/// A change of a pull request's existence, branch or labels. The default concerns nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequestEvent {
    provider: Option<Provider>,
    /// The owner, workspace, project or, on GitLab, the numeric id of the project.
    owner: String,
    /// The repository or, on GitLab, the path of the project.
    repository: String,
    /// The host of the provider; empty if the delivery does not tell.
    host: String,
}

/// Whether a delivery tells of a pull request.
pub(super) fn is_told(provider: Provider, headers: &Headers, body: &Value) -> bool {
    let header = |name: &str| headers.get(name).unwrap_or_default();
    match provider {
        Provider::GitHub => header("x-github-event") == "pull_request",
        Provider::Gogs => header("x-gogs-event") == "pull_request",
        Provider::GitLab => match header("x-gitlab-event") {
            "System Hook" => text(body, "/object_kind") == "merge_request",
            event => event == "Merge Request Hook",
        },
        Provider::AzureDevOps => text(body, "/eventType").starts_with("git.pullrequest."),
        Provider::BitbucketCloud => header("x-event-key").starts_with("pullrequest:"),
        Provider::BitbucketServer => header("x-event-key").starts_with("pr:"),
    }
}

impl PullRequestEvent {
    /// Reads a payload; `None` if what happened makes no difference to a list of pull requests.
    pub(super) fn read(provider: Provider, body: &Value) -> Option<Self> {
        let event = |owner: &str, repository: &str, url: &str| Self {
            provider: Some(provider),
            owner: text(body, owner).to_owned(),
            repository: text(body, repository).to_owned(),
            host: host(text(body, url)),
        };
        let owner = "/repository/owner/login";
        let event = match provider {
            Provider::GitHub => {
                let actions = [
                    "opened",
                    "closed",
                    "synchronize",
                    "labeled",
                    "reopened",
                    "unlabeled",
                    "edited",
                ];
                is_one_of(body, "/action", &actions)?;
                event(owner, "/repository/name", "/repository/url")
            }
            Provider::Gogs => event(owner, "/repository/name", "/repository/html_url"),
            Provider::GitLab => {
                let actions = ["open", "close", "reopen", "update", "merge"];
                is_one_of(body, "/object_attributes/action", &actions)?;
                let id = body.pointer("/object_attributes/target_project_id")?;
                Self {
                    owner: id.to_string(),
                    ..event("", "/project/path_with_namespace", "/project/web_url")
                }
            }
            Provider::AzureDevOps => event(
                "/resource/repository/project/name",
                "/resource/repository/name",
                "",
            ),
            Provider::BitbucketCloud => {
                let full = text(body, "/repository/full_name");
                let (owner, repository) = full.split_once('/')?;
                Self {
                    owner: owner.to_owned(),
                    repository: repository.to_owned(),
                    ..event("", "", "")
                }
            }
            Provider::BitbucketServer => event(
                "/pullRequest/toRef/repository/project/key",
                "/pullRequest/toRef/repository/slug",
                "",
            ),
        };
        (!event.repository.is_empty()).then_some(event)
    }

    /// Whether a generator lists the pull requests of this repository.
    pub fn concerns(&self, generator: &PullRequestGenerator) -> bool {
        let is = |owner: &str, repository: &str| {
            owner.eq_ignore_ascii_case(&self.owner)
                && repository.eq_ignore_ascii_case(&self.repository)
        };
        let at = |api: &str, default: &str| {
            host(if api.is_empty() { default } else { api }).eq_ignore_ascii_case(&self.host)
        };
        let Some(provider) = self.provider else {
            return false;
        };
        match provider {
            Provider::GitHub => generator.github.as_ref().is_some_and(|it| {
                is(&it.owner, &it.repo) && at(&it.api, "https://api.github.com/")
            }),
            Provider::Gogs => generator
                .gitea
                .as_ref()
                .is_some_and(|it| is(&it.owner, &it.repo) && at(&it.api, "")),
            Provider::GitLab => generator.gitlab.as_ref().is_some_and(|it| {
                (it.project == self.owner || it.project.eq_ignore_ascii_case(&self.repository))
                    && at(&it.api, "https://gitlab.com/")
            }),
            Provider::AzureDevOps => generator
                .azuredevops
                .as_ref()
                .is_some_and(|it| is(&it.project, &it.repo)),
            Provider::BitbucketCloud => generator
                .bitbucket
                .as_ref()
                .is_some_and(|it| is(&it.owner, &it.repo)),
            Provider::BitbucketServer => generator
                .bitbucket_server
                .as_ref()
                .is_some_and(|it| is(&it.project, &it.repo)),
        }
    }
}

fn is_one_of(body: &Value, pointer: &str, actions: &[&str]) -> Option<()> {
    actions.contains(&text(body, pointer)).then_some(())
}

fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{WebhookSecrets, parse_pull_request};
    use super::*;

    fn event(header: (&str, &str), body: &Value) -> PullRequestEvent {
        let headers = Headers::new([header]);
        let body = body.to_string();
        let told = parse_pull_request(&headers, body.as_bytes(), &WebhookSecrets::default());
        told.expect("it tells of a pull request")
    }

    #[track_caller]
    fn check(event: &PullRequestEvent, generator: &Value, concerned: bool) {
        let read: PullRequestGenerator = serde_json::from_value(generator.clone()).unwrap();
        assert_eq!(event.concerns(&read), concerned, "{generator}");
    }

    fn github(action: &str) -> PullRequestEvent {
        let body = json!({"action": action, "repository": {
            "name": "web", "owner": {"login": "Shop"}, "url": "https://api.github.com/repos/Shop/web"}});
        event(("X-GitHub-Event", "pull_request"), &body)
    }

    #[test]
    fn a_pull_request_on_github_concerns_who_lists_that_repository() {
        let event = github("opened");
        check(
            &event,
            &json!({"github": {"owner": "shop", "repo": "Web"}}),
            true,
        );
        check(
            &event,
            &json!({"github": {"owner": "shop", "repo": "db"}}),
            false,
        );
        let own = json!({"github": {"owner": "shop", "repo": "web", "api": "https://git.corp/"}});
        check(&event, &own, false);
        check(
            &event,
            &json!({"gitea": {"owner": "shop", "repo": "web"}}),
            false,
        );
        assert_eq!(github("assigned"), PullRequestEvent::default());
    }

    #[test]
    fn a_merge_request_concerns_who_names_the_project_by_id_or_path() {
        let body = json!({"object_attributes": {"action": "update", "target_project_id": 42},
            "project": {"path_with_namespace": "shop/web", "web_url": "https://gitlab.com/shop/web"}});
        let event = event(("X-Gitlab-Event", "Merge Request Hook"), &body);
        check(&event, &json!({"gitlab": {"project": "42"}}), true);
        check(&event, &json!({"gitlab": {"project": "shop/web"}}), true);
        check(&event, &json!({"gitlab": {"project": "43"}}), false);
        check(
            &event,
            &json!({"gitlab": {"project": "42", "api": "https://git.corp"}}),
            false,
        );
    }

    #[test]
    fn the_others_are_told_apart_by_owner_and_repository() {
        let repository = json!({"name": "web", "project": {"name": "Shop"}});
        let azure = json!({"eventType": "git.pullrequest.created",
            "resource": {"repository": repository}});
        let azure = event(("X-Vss-Activityid", "x"), &azure);
        check(
            &azure,
            &json!({"azuredevops": {"project": "Shop", "repo": "web"}}),
            true,
        );
        check(
            &azure,
            &json!({"azuredevops": {"project": "Shop", "repo": "db"}}),
            false,
        );

        let cloud = json!({"repository": {"full_name": "shop/web"}});
        let cloud = PullRequestEvent::read(Provider::BitbucketCloud, &cloud).unwrap();
        check(
            &cloud,
            &json!({"bitbucket": {"owner": "shop", "repo": "web"}}),
            true,
        );

        let repository = json!({"slug": "web", "project": {"key": "SHOP"}});
        let server = json!({"pullRequest": {"toRef": {"repository": repository}}});
        let server = event(("X-Event-Key", "pr:opened"), &server);
        check(
            &server,
            &json!({"bitbucketServer": {"project": "SHOP", "repo": "web"}}),
            true,
        );

        let gitea = json!({"repository": {"name": "web", "owner": {"login": "shop"},
            "html_url": "https://git.corp/shop/web"}});
        let gitea = event(("X-Gogs-Event", "pull_request"), &gitea);
        let at = |api: &str| json!({"gitea": {"owner": "shop", "repo": "web", "api": api}});
        check(&gitea, &at("https://git.corp/"), true);
        check(&gitea, &at("https://git.example.com/"), false);
    }
}
