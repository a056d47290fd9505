//! Bitbucket Cloud and Server.

use argosy_facts::Secret;
use argosy_scm::Credentials;
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::{World, session};

fn basic() -> Credentials {
    Credentials::Basic("ada".to_owned(), Secret::new("s3cr3t"))
}

fn in_cloud(slug: &str) -> Value {
    json!({
        "slug": slug, "uuid": format!("{{{slug}}}"), "mainbranch": {"name": "main"},
        "links": {"clone": [
            {"name": "https", "href": format!("https://bitbucket.org/shop/{slug}.git")},
            {"name": "ssh", "href": format!("git@bitbucket.org:shop/{slug}.git")},
        ]},
    })
}

#[test]
fn a_workspace_in_the_cloud_is_listed_to_its_last_page() {
    let list = "/2.0/repositories/shop?role=member&pagelen=100";
    let mut empty = in_cloud("empty");
    empty["mainbranch"] = Value::Null;
    let next = format!("https://api.bitbucket.org{list}&page=2");
    let branch = |hash: &str| json!({"name": "main", "target": {"hash": hash}});
    let provider = Fake::default()
        .on(
            &format!("GET {list}"),
            Reply::json(&json!({"values": [in_cloud("web")], "next": next})),
        )
        .on(
            &format!("GET {list}&page=2"),
            Reply::json(&json!({"values": [in_cloud("db"), empty]})),
        )
        .on(
            "GET /2.0/repositories/shop/web/refs/branches/main",
            Reply::json(&branch("a")),
        )
        .on(
            "GET /2.0/repositories/shop/db/refs/branches/main",
            Reply::json(&branch("b")),
        )
        .on(
            "GET /2.0/repositories/shop/web/src/a/deploy/x?format=meta",
            Reply::json(&json!({"path": "deploy/x"})),
        );
    let generator = json!({"bitbucket": {"owner": "shop", "user": "ada"}, "cloneProtocol": "https",
        "filters": [{"pathsExist": ["deploy/x"]}]});
    let world = World::scm(provider, generator).with(basic());
    world.check(&[
        "shop/web Text(\"{web}\") https://bitbucket.org/shop/web.git main@a [] 1",
        "shop/db Text(\"{db}\") https://bitbucket.org/shop/db.git main@b [] 0",
    ]);
}

#[tokio::test]
async fn a_next_page_elsewhere_gets_no_credentials() {
    let next = "https://evil.example.com/2.0/repositories/shop";
    let list = "GET /2.0/repositories/shop?role=member&pagelen=100";
    let provider = Fake::default().on(list, Reply::json(&json!({"values": [], "next": next})));
    let generator = json!({"bitbucket": {"owner": "shop", "user": "ada"}});
    let world = World::scm(provider, generator).with(basic());
    assert!(world.ask(&session()).await.is_err());
    assert_eq!(world.provider.seen().len(), 1);
}

#[test]
fn pull_requests_in_the_cloud() {
    let pull = |id: i64| {
        json!({"id": id, "title": "Change", "author": {"nickname": "ada"},
               "source": {"branch": {"name": "x"}, "commit": {"hash": "s"}},
               "destination": {"branch": {"name": "main"}}})
    };
    let list = "/2.0/repositories/shop/web/pullrequests?state=OPEN&pagelen=50";
    let next = format!("https://api.bitbucket.org{list}&page=2");
    let provider = Fake::default()
        .on(
            &format!("GET {list}"),
            Reply::json(&json!({"values": [pull(1)], "next": next})),
        )
        .on(
            &format!("GET {list}&page=2"),
            Reply::json(&json!({"values": [pull(2)]})),
        );
    World::pulls(
        provider,
        json!({"bitbucket": {"owner": "shop", "repo": "web"}}),
    )
    .check(&[
        "1 \"Change\" x->main s [] ada",
        "2 \"Change\" x->main s [] ada",
    ]);
}

fn on_server(id: i64, name: &str, slug: &str) -> Value {
    json!({
        "id": id, "name": name, "slug": slug, "project": {"key": "SHOP"},
        "links": {"clone": [
            {"name": "http", "href": format!("https://git.corp/scm/shop/{slug}.git")},
            {"name": "ssh", "href": format!("ssh://git@git.corp:7999/shop/{slug}.git")},
        ]},
    })
}

fn branch(name: &str, commit: &str) -> Value {
    json!({"id": format!("refs/heads/{name}"), "displayId": name, "latestCommit": commit})
}

#[test]
fn a_project_on_a_server_is_listed_to_its_last_page() {
    let list = "GET /rest/api/1.0/projects/SHOP/repos?limit=100";
    let repository = "/rest/api/1.0/projects/SHOP/repos";
    let first = json!({"values": [on_server(1, "Web Shop", "web-shop")], "isLastPage": false, "nextPageStart": 100});
    let second = json!({"values": [on_server(2, "db", "db"), on_server(3, "new", "new")], "isLastPage": true});
    let provider = Fake::default()
        .on(list, Reply::json(&first))
        .on(&format!("{list}&start=100"), Reply::json(&second))
        .on(
            &format!("GET {repository}/web-shop/branches/default"),
            Reply::json(&branch("main", "a")),
        )
        .on(
            &format!("GET {repository}/db/branches/default"),
            Reply::json(&branch("main", "b")),
        )
        .on(
            &format!("GET {repository}/new/branches/default"),
            Reply::status(204, ""),
        )
        .on(
            &format!("GET {repository}/web-shop/browse/deploy?at=main&type=true"),
            Reply::json(&json!({"type": "DIRECTORY"})),
        );
    let generator = json!({"bitbucketServer": {"project": "SHOP", "api": "https://git.corp"},
        "filters": [{"pathsExist": ["deploy"]}]});
    World::scm(provider, generator).check(&[
        "SHOP/Web Shop Number(1) ssh://git@git.corp:7999/shop/web-shop.git main@a [] 1",
        "SHOP/db Number(2) ssh://git@git.corp:7999/shop/db.git main@b [] 0",
    ]);
}

#[test]
fn pull_requests_on_a_server() {
    let pull = |id: i64| {
        json!({"id": id, "title": "Change", "author": {"user": {"name": "ada"}},
               "fromRef": {"displayId": "x", "latestCommit": "s"}, "toRef": {"displayId": "main"}})
    };
    let list = "GET /ctx/rest/api/1.0/projects/SHOP/repos/web/pull-requests?limit=100";
    let first = json!({"values": [pull(1)], "isLastPage": false, "nextPageStart": 100});
    let provider = Fake::default().on(list, Reply::json(&first)).on(
        &format!("{list}&start=100"),
        Reply::json(&json!({"values": [pull(2)], "isLastPage": true})),
    );
    let generator = json!({"bitbucketServer": {"project": "SHOP", "repo": "web",
        "api": "https://git.corp/ctx/rest/"}});
    World::pulls(provider, generator).with(basic()).check(&[
        "1 \"Change\" x->main s [] ada",
        "2 \"Change\" x->main s [] ada",
    ]);
}
