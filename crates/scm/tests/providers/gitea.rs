//! Gitea.

use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::World;

fn repository(id: i64, name: &str, empty: bool) -> Value {
    json!({
        "id": id, "name": name, "default_branch": "main", "empty": empty, "archived": false,
        "ssh_url": format!("git@git.corp:shop/{name}.git"),
        "html_url": format!("https://git.corp/shop/{name}"),
    })
}

fn next(path: &str) -> String {
    format!("<https://git.corp/api/v1/{path}?limit=50&page=2>; rel=\"next\"")
}

fn provider() -> Fake {
    let list = "GET /api/v1/orgs/shop/repos?limit=50";
    let first = json!([repository(1, "web", false), repository(2, "empty", true)]);
    let branch = |sha: &str| json!({"name": "main", "commit": {"id": sha}});
    Fake::default()
        .on(
            list,
            Reply::json(&first).with("link", next("orgs/shop/repos")),
        )
        .on(
            &format!("{list}&page=2"),
            Reply::json(&json!([repository(3, "db", false)])),
        )
        .on(
            "GET /api/v1/repos/shop/web/labels?limit=50",
            Reply::json(&json!([{"name": "bug"}])),
        )
        .on(
            "GET /api/v1/repos/shop/db/labels?limit=50",
            Reply::json(&json!([])),
        )
        .on(
            "GET /api/v1/repos/shop/web/branches/main",
            Reply::json(&branch("a")),
        )
        .on(
            "GET /api/v1/repos/shop/db/branches/main",
            Reply::json(&branch("b")),
        )
        .on(
            "GET /api/v1/repos/shop/web/contents/deploy?ref=main",
            Reply::json(&json!([])),
        )
}

#[test]
fn an_organisation_is_listed_to_its_last_page() {
    let generator = json!({"gitea": {"owner": "shop", "api": "https://git.corp/"},
        "filters": [{"repositoryMatch": "web", "pathsExist": ["deploy"]}, {"repositoryMatch": "db", "branchMatch": "main"}]});
    World::scm(provider(), generator).check(&[
        "shop/web Number(1) git@git.corp:shop/web.git main@a [bug] 1",
        "shop/db Number(3) git@git.corp:shop/db.git main@b [] 0",
    ]);
}

#[test]
fn pull_requests_have_all_of_the_labels() {
    let pull = |number: i64, labels: Value| {
        json!({"number": number, "title": "Change", "head": {"ref": "x", "sha": "s"},
               "base": {"ref": "main", "sha": "t"}, "labels": labels, "user": {"login": "ada"}})
    };
    let list = "GET /api/v1/repos/shop/web/pulls?limit=50&state=open";
    let first = json!([pull(1, json!([{"name": "preview"}])), pull(2, json!([]))]);
    let provider = Fake::default()
        .on(
            list,
            Reply::json(&first).with("link", next("repos/shop/web/pulls")),
        )
        .on(
            &format!("{list}&page=2"),
            Reply::json(&json!([pull(3, json!([{"name": "preview"}]))])),
        );
    let generator = json!({"gitea": {"owner": "shop", "repo": "web", "api": "https://git.corp",
        "labels": ["preview"]}});
    World::pulls(provider, generator).check(&[
        "1 \"Change\" x->main s [preview] ada",
        "3 \"Change\" x->main s [preview] ada",
    ]);
}
