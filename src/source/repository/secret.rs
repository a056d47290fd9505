//! One repository, from the entries of its Secret.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use argosy_facts::Secret;

use super::credentials::read_credentials;
use super::{Credentials, Repository, RepositoryKind};

pub(super) fn read_secret(data: &BTreeMap<String, Secret>) -> Result<Repository, String> {
    let secret = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
    let text = |key: &str| secret(key).map(|value| value.expose().trim().to_owned());
    let flag = |key: &str| flag(data, key);
    let url = text("url").ok_or("`url` is missing")?;
    let mut repository = Repository::public(&url);
    repository.kind = match text("type").as_deref() {
        None => repository.kind,
        Some("git") => RepositoryKind::Git,
        Some("helm") => RepositoryKind::Helm,
        Some("oci") => RepositoryKind::Oci,
        Some(other) => return Err(format!("`type` is `{other}`; use git, helm or oci")),
    };
    repository.project = text("project");
    repository.name = text("name").unwrap_or_default();
    repository.credentials = match read_credentials(data)? {
        Credentials::None => repository.credentials,
        given => given,
    };
    repository.tls.insecure = flag("insecure")? || flag("insecureIgnoreHostKey")?;
    repository.tls.client_certificate = text("tlsClientCertData").zip(secret("tlsClientCertKey"));
    repository.proxy = secret("proxy");
    repository.no_proxy = text("noProxy");
    repository.depth = match text("depth") {
        None => None,
        Some(depth) => NonZeroU32::new(
            depth
                .parse()
                .map_err(|_| "`depth` must be a whole number".to_owned())?,
        ),
    };
    repository.enable_lfs = flag("enableLfs")?;
    repository.enable_oci = flag("enableOCI")?;
    repository.insecure_oci_http = flag("insecureOCIForceHttp")?;
    Ok(repository)
}

/// A setting that is on or off.
pub(super) fn flag(data: &BTreeMap<String, Secret>, key: &str) -> Result<bool, String> {
    match data.get(key).map_or("", |value| value.expose().trim()) {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("`{key}` must be `true` or `false`")),
    }
}
