//! Azure DevOps.

use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::World;

fn repository(name: &str, disabled: bool) -> Value {
    json!({
        "id": format!("id-{name}"), "name": name, "defaultBranch": "refs/heads/main",
        "remoteUrl": format!("https://dev.azure.com/corp/Shop/_git/{name}"), "isDisabled": disabled,
    })
}

#[test]
fn a_project_is_listed_without_what_is_disabled_or_empty() {
    let mut empty = repository("empty", false);
    empty["defaultBranch"] = Value::Null;
    let list = json!({"count": 4, "value": [
        repository("web", false), repository("db", false), repository("old", true), empty]});
    let git = "GET /corp/Shop/_apis/git/repositories";
    let branch = |sha: &str| json!({"name": "main", "commit": {"commitId": sha}});
    let item = "versionDescriptor.version=main&versionDescriptor.versionType=branch&%24format=json";
    let provider = Fake::default()
        .on(&format!("{git}?api-version=7.0"), Reply::json(&list))
        .on(
            &format!("{git}/id-web/stats/branches?api-version=7.0&name=main"),
            Reply::json(&branch("a")),
        )
        .on(
            &format!("{git}/id-db/stats/branches?api-version=7.0&name=main"),
            Reply::json(&branch("b")),
        )
        .on(
            &format!("{git}/id-web/items?api-version=7.0&path=deploy%2Fx&{item}"),
            Reply::json(&json!({"path": "/deploy/x"})),
        );
    let generator = json!({"azureDevOps": {"organization": "corp", "teamProject": "Shop"},
        "filters": [{"pathsExist": ["deploy/x"]}]});
    World::scm(provider, generator).check(&[
        "corp/web Text(\"id-web\") https://dev.azure.com/corp/Shop/_git/web main@a [] 1",
        "corp/db Text(\"id-db\") https://dev.azure.com/corp/Shop/_git/db main@b [] 0",
    ]);
}

#[test]
fn pull_requests_of_the_repository_come_from_all_pages_of_the_project() {
    let pull = |id: usize, repository: &str| {
        json!({"pullRequestId": id, "title": "Change", "sourceRefName": "refs/heads/x",
               "targetRefName": "refs/heads/main", "lastMergeSourceCommit": {"commitId": "s"},
               "labels": [{"name": "preview"}], "createdBy": {"uniqueName": "ada@corp.example"},
               "repository": {"name": repository}})
    };
    let list = "GET /corp/Shop/_apis/git/pullrequests?api-version=7.0&searchCriteria.status=active&%24top=100";
    let first: Vec<_> = (0..100)
        .map(|id| pull(id, if id == 7 { "web" } else { "db" }))
        .collect();
    let provider = Fake::default()
        .on(list, Reply::json(&json!({"value": first})))
        .on(
            &format!("{list}&%24skip=100"),
            Reply::json(&json!({"value": [pull(100, "web")]})),
        );
    let generator = json!({"azuredevops": {"organization": "corp", "project": "Shop", "repo": "web",
        "labels": ["preview"]}});
    World::pulls(provider, generator).check(&[
        "7 \"Change\" x->main s [preview] ada",
        "100 \"Change\" x->main s [preview] ada",
    ]);
}
