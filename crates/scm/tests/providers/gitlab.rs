//! GitLab.

use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::{World, session};

fn project(id: i64, path: &str, archived: bool) -> Value {
    json!({
        "id": id, "path": path, "namespace": {"full_path": "shop/sub"}, "default_branch": "main",
        "ssh_url_to_repo": format!("git@gitlab.com:shop/sub/{path}.git"),
        "http_url_to_repo": format!("https://gitlab.com/shop/sub/{path}.git"),
        "topics": ["gitops"], "archived": archived,
    })
}

fn branch(name: &str, id: &str) -> Value {
    json!({"name": name, "commit": {"id": id}})
}

const LIST: &str = "/api/v4/groups/shop%2Fsub/projects?per_page=100";

fn last(page: &Value) -> Reply {
    Reply::json(page).with("x-next-page", "")
}

fn provider() -> Fake {
    let list = format!("GET {LIST}&include_subgroups=true&with_shared=false&archived=false");
    let first = Reply::json(&json!([project(1, "web", false)])).with("x-next-page", "2");
    Fake::default()
        .on(&list, first)
        .on(
            &format!("{list}&page=2"),
            last(&json!([project(2, "db", false)])),
        )
        .on(
            "GET /api/v4/projects/1/repository/branches/main",
            Reply::json(&branch("main", "a")),
        )
        .on(
            "GET /api/v4/projects/2/repository/branches/main",
            Reply::json(&branch("main", "b")),
        )
        .on(
            "HEAD /api/v4/projects/1/repository/files/deploy%2Fx.yaml?ref=main",
            Reply::status(200, ""),
        )
        .on(
            "GET /api/v4/projects/2/repository/tree?path=deploy&ref=main",
            last(&json!([{"id": "t"}])),
        )
}

fn group() -> Value {
    json!({"gitlab": {"group": "shop/sub", "includeSubgroups": true, "includeSharedProjects": false}})
}

#[test]
fn a_group_is_listed_to_its_last_page() {
    World::scm(provider(), group()).check(&[
        "shop/sub/web Number(1) git@gitlab.com:shop/sub/web.git main@a [gitops] 0",
        "shop/sub/db Number(2) git@gitlab.com:shop/sub/db.git main@b [gitops] 0",
    ]);
}

#[test]
fn a_path_is_a_file_or_a_directory() {
    let mut generator = group();
    generator["filters"] = json!([
        {"repositoryMatch": "web", "pathsExist": ["deploy/x.yaml"]},
        {"repositoryMatch": "db", "pathsExist": ["deploy"]},
    ]);
    World::scm(provider(), generator).check(&[
        "shop/sub/web Number(1) git@gitlab.com:shop/sub/web.git main@a [gitops] 1",
        "shop/sub/db Number(2) git@gitlab.com:shop/sub/db.git main@b [gitops] 1",
    ]);
}

#[test]
fn archived_projects_come_besides_the_others_where_they_are_wanted() {
    let list = format!("GET {LIST}&include_subgroups=false&with_shared=true");
    let branches = "repository/branches?per_page=100";
    let provider = Fake::default()
        .on(
            &format!("{list}&archived=false&topic=x"),
            last(&json!([project(1, "web", false)])),
        )
        .on(
            &format!("{list}&archived=true&topic=x"),
            last(&json!([project(2, "old", true)])),
        )
        .on(
            &format!("GET /api/v4/projects/1/{branches}"),
            last(&json!([branch("main", "a")])),
        )
        .on(
            &format!("GET /api/v4/projects/2/{branches}"),
            last(&json!([branch("main", "b")])),
        );
    let generator = json!({"cloneProtocol": "https", "gitlab": {"group": "shop/sub",
        "includeArchivedRepos": true, "allBranches": true, "topic": "x"}});
    World::scm(provider, generator).check(&[
        "shop/sub/web Number(1) https://gitlab.com/shop/sub/web.git main@a [gitops] 0",
        "shop/sub/old Number(2) https://gitlab.com/shop/sub/old.git main@b [gitops] 0",
    ]);
}

#[tokio::test]
async fn a_full_page_without_word_of_the_next_is_no_answer() {
    let page: Vec<_> = (0..100).map(|id| project(id, "x", false)).collect();
    let list = format!("GET {LIST}&include_subgroups=true&with_shared=false&archived=false");
    let provider = Fake::default().on(&list, Reply::json(&json!(page)));
    let error = World::scm(provider, group())
        .ask(&session())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("incomplete"), "{error}");
}

#[test]
fn merge_requests_are_those_of_the_wanted_state() {
    let merge = |iid: i64| {
        json!({"iid": iid, "title": "Change", "source_branch": "x", "target_branch": "main",
               "sha": "s", "labels": ["preview"], "author": {"username": "ada"}})
    };
    let list =
        "GET /git/api/v4/projects/42/merge_requests?per_page=100&labels=preview%2Cx&state=opened";
    let provider = Fake::default()
        .on(
            list,
            Reply::json(&json!([merge(1)])).with("x-next-page", "2"),
        )
        .on(&format!("{list}&page=2"), last(&json!([merge(2)])));
    let generator = json!({"gitlab": {"project": "42", "api": "https://git.corp/git",
        "labels": ["preview", "x"], "pullRequestState": "opened"}});
    World::pulls(provider, generator).check(&[
        "1 \"Change\" x->main s [preview] ada",
        "2 \"Change\" x->main s [preview] ada",
    ]);
}
