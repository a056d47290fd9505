//! Who asks: the administrator's token or a service account's. Everybody known may do everything.

use argosy_facts::Secret;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::cluster::Inner;

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

impl User {
    pub(crate) fn admin() -> Self {
        let groups = ["system:masters", "system:authenticated"];
        Self {
            name: "kubernetes-admin".to_owned(),
            groups: groups.map(str::to_owned).to_vec(),
        }
    }

    fn account(name: String) -> Self {
        let namespace = name.split(':').nth(2).unwrap_or_default();
        let groups = vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ];
        Self { name, groups }
    }
}

/// The user of a request with a bearer token, `None` where it has none that is valid.
pub(crate) fn authenticate(inner: &Inner, admin: &Secret, parts: &Parts) -> Option<User> {
    let header = parts
        .headers
        .get(http::header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let token = header.strip_prefix("Bearer ")?.trim();
    if same(token, admin.expose()) {
        return Some(User::admin());
    }
    inner.state().token_user(token).map(User::account)
}

/// Compares hashes, so that the time it takes tells nothing of the token.
fn same(given: &str, wanted: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(wanted)
}
