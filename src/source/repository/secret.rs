//! One repository, from the entries of its Secret.
//!
//! A Secret that is wrong in one entry still says of which repository it speaks, so that nobody reads
//! that as if it were not registered.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use argosy_facts::Secret;

use super::credentials::read_credentials;
use super::url::check_proxy;
use super::{Credentials, Repository, RepositoryKind, SecretError};

/// Why the data of a Secret are no repository that can be used.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// What is wrong, without any value that may be secret.
    pub(crate) why: String,
    /// What the rest says, if it names a repository.
    rest: Option<Box<Repository>>,
}

impl Unreadable {
    fn nothing(why: &str) -> Self {
        Self {
            why: why.to_owned(),
            rest: None,
        }
    }

    /// The repository that the Secret of this name speaks of; whoever reads it is told what is wrong.
    pub(crate) fn repository(self, secret: &str) -> Option<Repository> {
        let error = SecretError {
            secret: secret.to_owned(),
            why: self.why,
        };
        Some(Repository {
            credentials: Credentials::Unreadable(error),
            ..*self.rest?
        })
    }
}

/// Reads all that can be read, and tells of everything that cannot.
pub(super) fn read_secret(
    data: &BTreeMap<String, Secret>,
    needs: impl Fn(&Repository) -> Option<&'static str>,
) -> Result<Repository, Unreadable> {
    let secret = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
    let text = |key: &str| secret(key).map(|value| value.expose().trim().to_owned());
    let mut faults = Vec::new();
    let url = text("url").ok_or_else(|| Unreadable::nothing("`url` is missing"))?;
    let mut repository = Repository::public(&url);
    repository.kind = match text("type").as_deref() {
        None => repository.kind,
        Some("git") => RepositoryKind::Git,
        Some("helm") => RepositoryKind::Helm,
        Some("oci") => RepositoryKind::Oci,
        Some(other) => {
            faults.push(format!("`type` is `{other}`; use git, helm or oci"));
            repository.kind
        }
    };
    repository.project = text("project");
    repository.name = text("name").unwrap_or_default();
    match read_credentials(data) {
        Ok(Credentials::None) => {}
        Ok(given) => repository.credentials = given,
        Err(why) => faults.push(why),
    }
    let mut flag = |key: &str| {
        flag(data, key).unwrap_or_else(|why| {
            faults.push(why);
            false
        })
    };
    repository.tls.insecure = flag("insecure") | flag("insecureIgnoreHostKey");
    repository.enable_lfs = flag("enableLfs");
    repository.enable_oci = flag("enableOCI");
    repository.insecure_oci_http = flag("insecureOCIForceHttp");
    repository.tls.client_certificate = text("tlsClientCertData").zip(secret("tlsClientCertKey"));
    repository.proxy = secret("proxy");
    let proxy = repository.proxy.as_ref().map(Secret::expose);
    let refused = proxy.and_then(|proxy| check_proxy(proxy.trim()).err());
    faults.extend(refused.map(str::to_owned));
    repository.no_proxy = text("noProxy");
    repository.depth = match text("depth") {
        None => None,
        Some(depth) => NonZeroU32::new(depth.parse().unwrap_or_else(|_| {
            faults.push("`depth` must be a whole number".to_owned());
            0
        })),
    };
    faults.extend(needs(&repository).map(str::to_owned));
    if faults.is_empty() {
        return Ok(repository);
    }
    Err(Unreadable {
        why: faults.join("; "),
        rest: Some(Box::new(repository)),
    })
}

/// A setting that is on or off.
pub(super) fn flag(data: &BTreeMap<String, Secret>, key: &str) -> Result<bool, String> {
    match data.get(key).map_or("", |value| value.expose().trim()) {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("`{key}` must be `true` or `false`")),
    }
}
