//! Reviews: created, answered, never kept. Everybody may do everything here.

use http::Response;
use serde_json::{Value, json};

use super::objects::{Asked, body};
use super::respond;
use crate::cluster::SimCluster;
use crate::registry::Kind;
use crate::service::SimBody;
use crate::store::{Failure, get_text};

pub(super) fn answer(
    cluster: &SimCluster,
    kind: &Kind,
    asked: &Asked<'_>,
) -> Result<Response<SimBody>, Failure> {
    let mut review = body(asked)?;
    let user = json!({"username": asked.user.name, "groups": asked.user.groups});
    let status: Value = match kind.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": user}),
        "TokenReview" => {
            let token = get_text(&review, &["spec", "token"]);
            match cluster.inner.state().token_user(token) {
                Some(name) => json!({"authenticated": true, "user": {"username": name}}),
                None => json!({"authenticated": false}),
            }
        }
        "SelfSubjectRulesReview" => json!({
            "incomplete": false,
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        }),
        _ => json!({"allowed": true}),
    };
    if !review.is_object() {
        return Err(Failure::bad_request("a review must be an object"));
    }
    review["status"] = status;
    Ok(respond::object(201, kind, &review))
}
