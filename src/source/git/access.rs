//! What a plugin's git is told of a repository, so that it can read that and no other. Pure.

use argosy_facts::Secret;
use argosy_render::GitAccess;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::source::{Credentials, Repository, SourceError};

/// The settings of git for a repository, which is one that has become a token where it was an App.
pub(in crate::source) fn access(repository: &Repository) -> Result<GitAccess, SourceError> {
    let unserved = |what: &str| {
        Err(SourceError::Credentials {
            url: repository.url.clone(),
            why: format!(
                "{what} is not handed to a plugin that asks for credentials \
                 (spec.provideGitCreds); register the https URL with a user and token"
            ),
        })
    };
    let mut access = GitAccess::default();
    let mut told: Vec<(&str, Secret)> = Vec::new();
    match &repository.credentials {
        Credentials::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
            let header = Secret::new(format!("Authorization: Basic {pair}"));
            told.push(("extraHeader", header));
            access.hidden.extend([password.clone(), Secret::new(pair)]);
        }
        Credentials::Bearer(token) => {
            let header = Secret::new(format!("Authorization: Bearer {}", token.expose()));
            told.push(("extraHeader", header));
            access.hidden.push(token.clone());
        }
        Credentials::SshKey(_) => return unserved("an ssh key"),
        Credentials::Unsupported(what) => return unserved(what),
        Credentials::GitHubApp(_) => return unserved("the key of a GitHub App"),
        Credentials::None | Credentials::Unreadable(_) => {}
    }
    if repository.tls.client_certificate.is_some() {
        return unserved("a client certificate");
    }
    if repository.tls.insecure {
        told.push(("sslVerify", Secret::new("false")));
    }
    if let Some(proxy) = &repository.proxy {
        told.push(("proxy", proxy.clone()));
        access.hidden.push(proxy.clone());
    }
    // Git knows a repository with and without the ending as two.
    let url = repository.url.trim_end_matches('/');
    let plain = url
        .strip_suffix(".git")
        .filter(|plain| !plain.ends_with('/'));
    let plain = plain.unwrap_or(url);
    for url in [plain.to_owned(), format!("{plain}.git")] {
        let name = |key: &str| format!("http.{url}.{key}");
        access
            .settings
            .extend(told.iter().map(|(key, value)| (name(key), value.clone())));
        let authorities = repository.tls.authorities.iter();
        access
            .files
            .extend(authorities.map(|pem| (name("sslCAInfo"), pem.clone())));
    }
    Ok(access)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://git.example.com/org/app.git";

    fn with(credentials: Credentials) -> Repository {
        Repository {
            credentials,
            ..Repository::public(URL)
        }
    }

    #[test]
    fn settings_name_the_repository_and_what_is_secret_in_them_is_hidden() {
        let ada = with(Credentials::Basic {
            username: "ada".to_owned(),
            password: Secret::new("hunter2"),
        });
        let access = access(&ada).unwrap();
        let settings: Vec<_> = access
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        let header = "Authorization: Basic YWRhOmh1bnRlcjI=";
        assert_eq!(
            settings,
            [
                ("http.https://git.example.com/org/app.extraHeader", header),
                (
                    "http.https://git.example.com/org/app.git.extraHeader",
                    header
                ),
            ]
        );
        let hidden: Vec<_> = access.hidden.iter().map(Secret::expose).collect();
        assert_eq!(hidden, ["hunter2", "YWRhOmh1bnRlcjI="]);
    }

    #[test]
    fn what_cannot_be_handed_on_is_an_error_and_nobody_gets_nothing() {
        let key = with(Credentials::SshKey(Secret::new("s3cret")));
        let error = access(&key).unwrap_err().to_string();
        assert!(
            error.contains(URL) && error.contains("provideGitCreds"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
        assert!(
            access(&Repository::public(URL))
                .unwrap()
                .settings
                .is_empty()
        );
    }
}
