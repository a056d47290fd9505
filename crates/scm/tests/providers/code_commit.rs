//! AWS CodeCommit.

use argosy_facts::Secret;
use argosy_scm::{AwsCredentials, AwsIdentity, AwsKeys, Credentials};
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::world::{World, session};

fn keys() -> Credentials {
    Credentials::Aws(Box::new(AwsCredentials {
        identity: AwsIdentity::Keys(AwsKeys {
            id: "AKID".to_owned(),
            secret: Secret::new("s3cr3t"),
            session: None,
        }),
        region: Some("eu-central-1".to_owned()),
    }))
}

fn on(provider: Fake, operation: &str, input: &Value, output: &Value) -> Fake {
    provider.on(
        &format!("CodeCommit_20150413.{operation} {input}"),
        Reply::json(output),
    )
}

fn metadata(name: &str) -> Value {
    json!({"repositoryMetadata": {
        "accountId": "123", "repositoryId": format!("id-{name}"), "repositoryName": name,
        "defaultBranch": "main",
        "cloneUrlHttp": format!("https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/{name}"),
        "cloneUrlSsh": format!("ssh://git-codecommit.eu-central-1.amazonaws.com/v1/repos/{name}")}})
}

fn provider() -> Fake {
    let name = |name: &str| json!({"repositoryName": name, "repositoryId": name});
    let first = json!({"repositories": [name("web")], "nextToken": "t"});
    let mut provider = on(Fake::default(), "ListRepositories", &json!({}), &first);
    let second = json!({"repositories": [name("db")]});
    provider = on(
        provider,
        "ListRepositories",
        &json!({"nextToken": "t"}),
        &second,
    );
    for repository in ["web", "db"] {
        let input = json!({"repositoryName": repository});
        provider = on(provider, "GetRepository", &input, &metadata(repository));
    }
    provider
}

#[test]
fn a_region_is_listed_to_its_last_page_and_every_request_is_signed() {
    let input =
        json!({"repositoryName": "web", "commitSpecifier": "main", "folderPath": "/deploy"});
    let folder = json!({"files": [{"relativePath": "x.yaml"}], "subFolders": []});
    let provider = on(provider(), "GetFolder", &input, &folder);
    let input = json!({"repositoryName": "db", "commitSpecifier": "main", "folderPath": "/deploy"});
    let absent = Reply::status(400, r#"{"__type": "FolderDoesNotExistException"}"#);
    let provider = provider.on(&format!("CodeCommit_20150413.GetFolder {input}"), absent);
    let generator = json!({"awsCodeCommit": {}, "cloneProtocol": "https-fips",
        "filters": [{"pathsExist": ["deploy/x.yaml"]}]});
    let world = World::scm(provider, generator).with(keys());
    let url = "https://git-codecommit-fips.eu-central-1.amazonaws.com/v1/repos";
    world.check(&[
        &format!("123/web Text(\"id-web\") {url}/web main@ [] 1"),
        &format!("123/db Text(\"id-db\") {url}/db main@ [] 0"),
    ]);
    for seen in world.provider.seen() {
        let signature = seen.headers["authorization"].to_str().unwrap();
        let scope =
            "AWS4-HMAC-SHA256 Credential=AKID/20270115/eu-central-1/codecommit/aws4_request";
        assert!(signature.starts_with(scope), "{signature}");
    }
}

#[tokio::test]
async fn tags_choose_and_a_role_is_assumed() {
    let filters = json!([{"Key": "team", "Values": ["a", "b"]}]);
    let input = json!({"ResourceTypeFilters": ["codecommit:repository"], "TagFilters": filters});
    let found = json!({"ResourceTagMappingList":
        [{"ResourceARN": "arn:aws:codecommit:eu-west-1:123:web"}], "PaginationToken": ""});
    let assumed = json!({"AssumeRoleResponse": {"AssumeRoleResult": {"Credentials": {
        "AccessKeyId": "ASIA", "SecretAccessKey": "y", "SessionToken": "z", "Expiration": 1.9e9}}}});
    let operation = "ResourceGroupsTaggingAPI_20170126.GetResources";
    let provider = provider()
        .on(&format!("{operation} {input}"), Reply::json(&found))
        .on("POST /", Reply::json(&assumed));
    let generator = json!({"awsCodeCommit": {"region": "eu-west-1", "role": "arn:aws:iam::123:role/x",
        "tagFilters": [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]}});
    let world = World::scm(provider, generator).with(keys());
    let answer = world.ask(&session()).await.unwrap();
    assert_eq!(answer.len(), 1);
    let seen = world.provider.seen();
    assert_eq!(seen[0].headers["host"], "sts.eu-west-1.amazonaws.com");
    assert_eq!(seen[1].headers["host"], "tagging.eu-west-1.amazonaws.com");
    assert_eq!(seen[1].headers["x-amz-security-token"], "z");
}

#[tokio::test]
async fn a_refusal_is_told_by_its_name() {
    let refusal = Reply::status(
        400,
        r#"{"__type": "com.amazon.coral#AccessDeniedException", "Message": "User x"}"#,
    );
    let provider = Fake::default().on("CodeCommit_20150413.ListRepositories {}", refusal);
    let world = World::scm(provider, json!({"awsCodeCommit": {}})).with(keys());
    let error = world.ask(&session()).await.unwrap_err().to_string();
    assert!(
        error.ends_with("refused: ListRepositories: AccessDeniedException"),
        "{error}"
    );
}
