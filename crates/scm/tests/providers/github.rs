//! GitHub.

use argosy_facts::Secret;
use argosy_scm::{Credentials, GitHubApp, Problem};
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::{World, session};

fn repository(id: i64, name: &str, topics: &[&str], archived: bool) -> Value {
    json!({
        "id": id, "name": name, "full_name": format!("shop/{name}"), "owner": {"login": "shop"},
        "default_branch": "main", "topics": topics, "archived": archived,
        "ssh_url": format!("git@github.com:shop/{name}.git"),
        "clone_url": format!("https://github.com/shop/{name}.git"),
    })
}

fn branch(name: &str, sha: &str) -> Value {
    json!({"name": name, "commit": {"sha": sha}, "protected": true})
}

/// Two pages of repositories, of which the second one's only repository has no commits.
fn provider() -> Fake {
    let link = r#"<https://api.github.com/organizations/1/repos?per_page=100&page=2>; rel="next", <https://api.github.com/organizations/1/repos?per_page=100&page=2>; rel="last""#;
    let first = json!([
        repository(1_296_269, "web", &["team-a", "gitops"], false),
        repository(2, "db", &[], true)
    ]);
    let second = json!([repository(3, "empty", &[], false)]);
    Fake::default()
        .on(
            "GET /orgs/shop/repos?per_page=100",
            Reply::json(&first).with("link", link),
        )
        .on(
            "GET /orgs/shop/repos?per_page=100&page=2",
            Reply::json(&second),
        )
        .on(
            "GET /repos/shop/web/branches/main",
            Reply::json(&branch("main", "aaa")),
        )
        .on(
            "GET /repos/shop/db/branches/main",
            Reply::json(&branch("main", "bbb")),
        )
        .on("GET /repos/shop/empty", Reply::json(&json!({"size": 0})))
        .on(
            "GET /repos/shop/web/contents/deploy/prod?ref=main",
            Reply::json(&json!([])),
        )
}

#[test]
fn an_organisation_is_listed_to_its_last_page() {
    World::scm(provider(), json!({"github": {"organization": "shop"}})).check(&[
        "shop/web Number(1296269) git@github.com:shop/web.git main@aaa [team-a,gitops] 0",
        "shop/db Number(2) git@github.com:shop/db.git main@bbb [] 0",
    ]);
}

#[tokio::test]
async fn a_repository_that_vanishes_meanwhile_is_not_one_without_commits() {
    let provider = Fake::default().on(
        "GET /orgs/shop/repos?per_page=100",
        Reply::json(&json!([repository(1, "web", &[], false)])),
    );
    let world = World::scm(provider, json!({"github": {"organization": "shop"}}));
    let error = world.ask(&session()).await.unwrap_err();
    assert_eq!(error.request, "GET https://api.github.com/repos/shop/web");
}

#[test]
fn paths_are_asked_for_only_where_the_filters_need_them() {
    let generator = json!({
        "github": {"organization": "shop", "excludeArchivedRepos": true}, "cloneProtocol": "https",
        "filters": [{"repositoryMatch": "^(web|db)$", "pathsExist": ["deploy/prod/"]}],
    });
    let world = World::scm(provider(), generator);
    world.check(&[
        "shop/web Number(1296269) https://github.com/shop/web.git main@aaa [team-a,gitops] 1",
    ]);
    let asked = world.provider.seen();
    assert!(asked.iter().all(|seen| !seen.target.contains("/db/")));
    assert!(asked.iter().all(|seen| !seen.target.contains("/empty/")));
}

#[test]
fn all_branches_are_listed_where_they_are_wanted() {
    let link = r#"<https://api.github.com/x?page=2>; rel="next""#;
    let branches = "GET /repos/shop/web/branches?per_page=100";
    let provider = Fake::default()
        .on(
            "GET /orgs/shop/repos?per_page=100",
            Reply::json(&json!([repository(1, "web", &[], false)])),
        )
        .on(
            branches,
            Reply::json(&json!([branch("main", "a")])).with("link", link),
        )
        .on(
            &format!("{branches}&page=2"),
            Reply::json(&json!([branch("feature/x", "b")])),
        );
    World::scm(
        provider,
        json!({"github": {"organization": "shop", "allBranches": true}}),
    )
    .check(&[
        "shop/web Number(1) git@github.com:shop/web.git main@a [] 0",
        "shop/web Number(1) git@github.com:shop/web.git feature/x@b [] 0",
    ]);
}

fn pull(number: i64, labels: &[&str]) -> Value {
    let labels: Vec<_> = labels.iter().map(|name| json!({"name": name})).collect();
    json!({
        "number": number, "title": format!("Change {number}"), "state": "open",
        "head": {"ref": format!("feature-{number}"), "sha": format!("sha{number}")},
        "base": {"ref": "main", "sha": "base"}, "labels": labels, "user": {"login": "ada"},
    })
}

fn pulls() -> Fake {
    let link = r#"<https://api.github.com/repositories/1/pulls?per_page=100&page=2>; rel="next""#;
    let list = "GET /repos/shop/web/pulls?per_page=100";
    Fake::default()
        .on(
            list,
            Reply::json(&json!([pull(7, &["preview", "x"]), pull(8, &["x"])])).with("link", link),
        )
        .on(
            &format!("{list}&page=2"),
            Reply::json(&json!([pull(9, &["preview"])])),
        )
}

#[test]
fn pull_requests_have_all_of_the_labels() {
    let generator = json!({"github": {"owner": "shop", "repo": "web", "labels": ["preview"]}});
    World::pulls(pulls(), generator).check(&[
        "7 \"Change 7\" feature-7->main sha7 [preview,x] ada",
        "9 \"Change 9\" feature-9->main sha9 [preview] ada",
    ]);
}

#[tokio::test]
async fn a_repository_that_is_gone_has_no_pull_requests_only_if_that_is_wished() {
    let mut generator = json!({"github": {"owner": "shop", "repo": "gone"}});
    let world = World::pulls(Fake::default(), generator.clone());
    let error = world.ask(&session()).await.unwrap_err();
    assert_eq!(error.problem, Problem::NotFound);
    assert!(
        error
            .to_string()
            .starts_with("GET https://api.github.com/repos/shop/gone/pulls: ")
    );
    generator["continueOnRepoNotFoundError"] = json!(true);
    let world = World::pulls(Fake::default(), generator);
    assert_eq!(world.ask(&session()).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_refusal_with_an_empty_quota_is_a_rate_limit() {
    let reset = session().now.as_second() + 600;
    let refusal = Reply::status(
        403,
        r#"{"message": "API rate limit exceeded for user ID 1."}"#,
    )
    .with("x-ratelimit-remaining", 0)
    .with("x-ratelimit-reset", reset);
    let provider = Fake::default().on("GET /orgs/shop/repos?per_page=100", refusal);
    let world = World::scm(provider, json!({"github": {"organization": "shop"}}));
    let error = world.ask(&session()).await.unwrap_err();
    assert_eq!(error.until().unwrap().as_second(), reset);
    assert!(
        !error.to_string().contains(&reset.to_string()),
        "no text that changes"
    );
}

#[test]
fn an_app_exchanges_its_key_for_a_token_and_keeps_it() {
    let installations = json!([{"id": 1, "account": {"login": "other"}},
                               {"id": 42, "account": {"login": "Shop"}}]);
    let made = json!({"token": "ghs_x", "expires_at": "2027-02-01T00:00:00Z"});
    let provider = pulls()
        .on(
            "GET /app/installations?per_page=100",
            Reply::json(&installations),
        )
        .on(
            "POST /app/installations/42/access_tokens",
            Reply {
                status: 201,
                ..Reply::json(&made)
            },
        );
    let world = World::pulls(
        provider,
        json!({"github": {"owner": "shop", "repo": "web"}}),
    )
    .with(app(&key()));
    world.check(&[
        "7 \"Change 7\" feature-7->main sha7 [preview,x] ada",
        "8 \"Change 8\" feature-8->main sha8 [x] ada",
        "9 \"Change 9\" feature-9->main sha9 [preview] ada",
    ]);
    let seen = world.provider.seen();
    let signed = seen[0].headers["authorization"].to_str().unwrap();
    assert_eq!(signed.split('.').count(), 3, "a signed token");
    assert_eq!(seen[2].headers["authorization"], "Bearer ghs_x");
    assert!(
        seen[4].target.starts_with("GET /repos/"),
        "the second question needs no new token"
    );
}

#[tokio::test]
async fn an_app_that_github_does_not_know_is_no_repository_that_is_gone() {
    let mut generator = json!({"github": {"owner": "shop", "repo": "web"}});
    generator["continueOnRepoNotFoundError"] = json!(true);
    let world = World::pulls(Fake::default(), generator).with(app(&key()));
    let error = world.ask(&session()).await.unwrap_err();
    assert!(error.to_string().contains("githubAppID"), "{error}");
    let world = world.with(app("no key"));
    let error = world.ask(&session()).await.unwrap_err();
    assert!(error.to_string().contains("githubAppPrivateKey"), "{error}");
}

fn app(key: &str) -> Credentials {
    Credentials::GitHubApp(Box::new(GitHubApp {
        id: 5,
        installation: None,
        key: Secret::new(key),
        base: String::new(),
    }))
}

fn key() -> String {
    let algorithm = &rcgen::PKCS_RSA_SHA256;
    let key = rcgen::KeyPair::generate_rsa_for(algorithm, rcgen::RsaKeySize::_2048).unwrap();
    key.serialize_pem()
}
