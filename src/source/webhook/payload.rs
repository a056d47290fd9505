//! Each provider's payload, as far as it matters: which repository, which ref, which files.

use serde_json::Value;

use super::{Headers, PushEvent, WebhookError};

/// Who sent a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    AzureDevOps,
    Gogs,
    GitHub,
    GitLab,
    BitbucketCloud,
    BitbucketServer,
}

impl Provider {
    /// Tells by headers. Gogs and Gitea come before GitHub, whose headers they send as well.
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        [
            ("x-vss-activityid", Self::AzureDevOps),
            ("x-gogs-event", Self::Gogs),
            ("x-github-event", Self::GitHub),
            ("x-gitlab-event", Self::GitLab),
            ("x-hook-uuid", Self::BitbucketCloud),
            ("x-event-key", Self::BitbucketServer),
        ]
        .into_iter()
        .find_map(|(header, provider)| headers.get(header).map(|_| provider))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AzureDevOps => "Azure DevOps",
            Self::Gogs => "Gogs",
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::BitbucketCloud => "Bitbucket Cloud",
            Self::BitbucketServer => "Bitbucket Server",
        }
    }

    /// The event in a delivery whose secret has been checked.
    pub(super) fn read(
        self,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Option<PushEvent>, WebhookError> {
        let header = |name: &str| headers.get(name).unwrap_or_default().to_owned();
        let json = || {
            serde_json::from_slice::<Value>(body).map_err(|error| WebhookError::Payload {
                provider: self.name(),
                why: error.to_string(),
            })
        };
        let (event, read): (String, fn(&Value) -> PushEvent) = match self {
            Self::AzureDevOps => {
                let body = json()?;
                return self.azure(&body);
            }
            Self::Gogs => (header("x-gogs-event"), repository_push),
            Self::GitHub => (header("x-github-event"), repository_push),
            Self::GitLab => return self.gitlab(&header("x-gitlab-event"), &json()?),
            Self::BitbucketCloud => (header("x-event-key"), bitbucket_cloud),
            Self::BitbucketServer => (header("x-event-key"), bitbucket_server),
        };
        match (self, event.as_str()) {
            (Self::Gogs | Self::GitHub, "push")
            | (Self::BitbucketCloud, "repo:push")
            | (Self::BitbucketServer, "repo:refs_changed") => Ok(Some(read(&json()?))),
            (Self::GitHub, "ping" | "package") | (Self::BitbucketServer, "diagnostics:ping") => {
                Ok(None)
            }
            _ => Err(self.unknown(event)),
        }
    }

    fn unknown(self, event: String) -> WebhookError {
        WebhookError::UnknownEvent {
            provider: self.name(),
            event,
        }
    }

    fn azure(self, body: &Value) -> Result<Option<PushEvent>, WebhookError> {
        match text(body, "/eventType") {
            "git.push" => Ok(azure_push(body)),
            "git.pullrequest.created"
            | "git.pullrequest.updated"
            | "git.pullrequest.merged"
            | "build.complete" => Ok(None),
            other => Err(self.unknown(other.to_owned())),
        }
    }

    fn gitlab(self, event: &str, body: &Value) -> Result<Option<PushEvent>, WebhookError> {
        match event {
            "Push Hook" | "Tag Push Hook" => Ok(Some(gitlab_push(body))),
            // A system hook tells by its body what it is about.
            "System Hook" => match text(body, "/object_kind") {
                "push" | "tag_push" => Ok(Some(gitlab_push(body))),
                "" if matches!(text(body, "/event_name"), "push" | "tag_push") => Ok(None),
                other => Err(self.unknown(other.to_owned())),
            },
            other => Err(self.unknown(other.to_owned())),
        }
    }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn commit(value: &Value, pointer: &str) -> Option<String> {
    let text = text(value, pointer);
    (!text.is_empty()).then(|| text.to_owned())
}

/// What follows `refs/heads/` or `refs/tags/`.
pub(super) fn short_name(reference: &str) -> &str {
    reference.splitn(3, '/').last().unwrap_or_default()
}

/// The form of GitHub, Gogs and Gitea.
fn repository_push(body: &Value) -> PushEvent {
    let revision = short_name(text(body, "/ref"));
    PushEvent {
        urls: vec![text(body, "/repository/html_url").to_owned()],
        default_branch: text(body, "/repository/default_branch") == revision,
        revision: revision.to_owned(),
        changed_files: changed_files(body),
        before: commit(body, "/before"),
        after: commit(body, "/after"),
    }
}

fn gitlab_push(body: &Value) -> PushEvent {
    let revision = short_name(text(body, "/ref"));
    PushEvent {
        urls: vec![text(body, "/project/web_url").to_owned()],
        default_branch: text(body, "/project/default_branch") == revision,
        revision: revision.to_owned(),
        changed_files: changed_files(body),
        before: commit(body, "/before"),
        after: commit(body, "/after"),
    }
}

/// The files of all commits; none where the provider tells of some commits only, as GitLab does of
/// a push of more than twenty.
fn changed_files(body: &Value) -> Vec<String> {
    let commits = body.get("commits").and_then(Value::as_array);
    let told = commits.map_or(0, Vec::len);
    let all = body.get("total_commits_count").and_then(Value::as_u64);
    if all.is_some_and(|all| usize::try_from(all).is_ok_and(|all| all > told)) {
        return Vec::new();
    }
    commits
        .into_iter()
        .flatten()
        .flat_map(|commit| ["added", "modified", "removed"].map(|key| commit.get(key)))
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Bitbucket tells neither the default branch nor the files, so that both may have changed.
fn bitbucket_cloud(body: &Value) -> PushEvent {
    let changes = body.pointer("/push/changes").and_then(Value::as_array);
    let change = changes.and_then(|changes| changes.last());
    let of = |pointer: &str| change.map_or("", |change| text(change, pointer));
    PushEvent {
        urls: vec![text(body, "/repository/links/html/href").to_owned()],
        revision: of("/new/name").to_owned(),
        default_branch: true,
        changed_files: Vec::new(),
        before: change.and_then(|change| commit(change, "/old/target/hash")),
        after: change.and_then(|change| commit(change, "/new/target/hash")),
    }
}

fn bitbucket_server(body: &Value) -> PushEvent {
    let links = body
        .pointer("/repository/links/clone")
        .and_then(Value::as_array);
    let changes = body.get("changes").and_then(Value::as_array);
    let change = changes.and_then(|changes| changes.last());
    PushEvent {
        urls: links
            .into_iter()
            .flatten()
            .filter(|link| matches!(text(link, "/name"), "http" | "ssh"))
            .map(|link| text(link, "/href").to_owned())
            .collect(),
        revision: change
            .map_or("", |change| short_name(text(change, "/ref/id")))
            .to_owned(),
        default_branch: true,
        changed_files: Vec::new(),
        before: change.and_then(|change| commit(change, "/fromHash")),
        after: change.and_then(|change| commit(change, "/toHash")),
    }
}

fn azure_push(body: &Value) -> Option<PushEvent> {
    let update = body.pointer("/resource/refUpdates/0")?;
    let name = text(update, "/name");
    Some(PushEvent {
        urls: vec![text(body, "/resource/repository/remoteUrl").to_owned()],
        revision: short_name(name).to_owned(),
        default_branch: text(body, "/resource/repository/defaultBranch") == name,
        changed_files: Vec::new(),
        before: commit(update, "/oldObjectId"),
        after: commit(update, "/newObjectId"),
    })
}
