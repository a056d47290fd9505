//! Whether a delivery carries the secret that was agreed on with its provider.
//!
//! Comparisons take the same time wherever the difference is.

use argosy_facts::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{Headers, payload::Provider};

/// The configured secrets; one that is absent is not asked for.
#[derive(Clone, Debug, Default)]
pub struct WebhookSecrets {
    /// `webhook.github.secret`
    pub github: Option<Secret>,
    /// `webhook.gitlab.secret`
    pub gitlab: Option<Secret>,
    /// `webhook.gogs.secret`
    pub gogs: Option<Secret>,
    /// `webhook.bitbucket.uuid`
    pub bitbucket_uuid: Option<Secret>,
    /// `webhook.bitbucketserver.secret`
    pub bitbucket_server: Option<Secret>,
    /// `webhook.azuredevops.username` and `webhook.azuredevops.password`
    pub azure_devops: Option<(Secret, Secret)>,
}

impl WebhookSecrets {
    pub(super) fn accept(&self, provider: Provider, headers: &Headers, body: &[u8]) -> bool {
        let header = |name: &str| headers.get(name).unwrap_or_default();
        let signed = |secret: &Secret, header: &str| {
            let expected = hex(&hmac_sha256(secret.expose().as_bytes(), body));
            let given = header.strip_prefix("sha256=").unwrap_or(header);
            same(expected.as_bytes(), given.to_ascii_lowercase().as_bytes())
        };
        let equal =
            |secret: &Secret, header: &str| same(secret.expose().as_bytes(), header.as_bytes());
        match provider {
            Provider::GitHub => asked(self.github.as_ref(), |secret| {
                signed(secret, header("x-hub-signature-256"))
            }),
            Provider::Gogs => asked(self.gogs.as_ref(), |secret| {
                signed(secret, header("x-gogs-signature"))
            }),
            Provider::BitbucketServer => asked(self.bitbucket_server.as_ref(), |secret| {
                signed(secret, header("x-hub-signature"))
            }),
            Provider::GitLab => asked(self.gitlab.as_ref(), |secret| {
                equal(secret, header("x-gitlab-token"))
            }),
            Provider::BitbucketCloud => asked(self.bitbucket_uuid.as_ref(), |secret| {
                equal(secret, header("x-hook-uuid"))
            }),
            Provider::AzureDevOps => asked(self.azure_devops.as_ref(), |(user, password)| {
                let pair = STANDARD.encode(format!("{}:{}", user.expose(), password.expose()));
                let given = header("authorization")
                    .strip_prefix("Basic ")
                    .unwrap_or_default();
                same(pair.as_bytes(), given.as_bytes())
            }),
        }
    }
}

fn asked<T>(secret: Option<&T>, check: impl FnOnce(&T) -> bool) -> bool {
    secret.is_none_or(check)
}

/// RFC 2104 with SHA-256.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut padded = [0_u8; BLOCK];
    if key.len() > BLOCK {
        padded[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

/// Compares digests of both sides, so that neither length nor content shows in the time taken.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Sha256::digest(a), Sha256::digest(b));
    a.iter()
        .zip(b.iter())
        .fold(0, |different, (a, b)| different | (a ^ b))
        == 0
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_rfc_4231s() {
        assert_eq!(
            hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_delivery_without_the_secret_is_refused() {
        let secrets = WebhookSecrets {
            github: Some(Secret::new("Jefe")),
            gitlab: Some(Secret::new("token")),
            ..WebhookSecrets::default()
        };
        let body = b"what do ya want for nothing?";
        let accept =
            |provider, name, value| secrets.accept(provider, &Headers::new([(name, value)]), body);
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(accept(Provider::GitHub, "X-Hub-Signature-256", signature));
        assert!(!accept(
            Provider::GitHub,
            "X-Hub-Signature-256",
            "sha256=00"
        ));
        assert!(!accept(Provider::GitHub, "X-Other", ""));
        assert!(accept(Provider::GitLab, "X-Gitlab-Token", "token"));
        assert!(!accept(Provider::GitLab, "X-Gitlab-Token", "tokem"));
        assert!(
            accept(Provider::Gogs, "X-Any", ""),
            "no secret is configured"
        );
    }
}
