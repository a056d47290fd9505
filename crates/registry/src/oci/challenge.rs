//! What a registry wants to see, from its `WWW-Authenticate` headers.

use http::{HeaderMap, header};
use url::{Host, Url};

/// One way to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password.
    Basic,
    /// A token of the service at `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// The way that is wanted; a token if there is a choice.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::WWW_AUTHENTICATE);
        let mut basic = None;
        for value in values.iter().filter_map(|value| value.to_str().ok()) {
            for challenge in http_auth::parse_challenges(value).ok()? {
                let parameter = |wanted: &str| {
                    let mut all = challenge.params.iter();
                    let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                    found.map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    return Some(Self::Bearer {
                        realm: parameter("realm")?,
                        service: parameter("service"),
                        scope: parameter("scope"),
                    });
                }
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
            }
        }
        basic
    }
}

/// Whether the token service at `realm` gets the credentials of `registry`: it must be the
/// registry's own host or a neighbour in its domain, and not less safe to talk to. A realm is what
/// the answer of a stranger says.
pub(super) fn may_see_credentials(registry: &Url, realm: &Url) -> bool {
    let as_safe =
        realm.scheme() == "https" || (realm.scheme(), registry.scheme()) == ("http", "http");
    as_safe
        && match (registry.host(), realm.host()) {
            (Some(Host::Domain(registry)), Some(Host::Domain(realm))) => {
                registry == realm || same_domain(registry, realm)
            }
            (registry, realm) => registry == realm,
        }
}

/// Whether `other` is the domain that `host` lies in, or lies in it too.
fn same_domain(host: &str, other: &str) -> bool {
    let Some((_, domain)) = host
        .split_once('.')
        .filter(|(_, domain)| domain.contains('.'))
    else {
        return false;
    };
    let below = other.strip_suffix(domain);
    below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        headers.insert(header::WWW_AUTHENTICATE, value.parse().unwrap());
        Challenge::of(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = of(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#,
        );
        assert_eq!(
            bearer,
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".into(),
                service: Some("registry.docker.io".into()),
                scope: Some("repository:a/b:pull".into()),
            })
        );
        assert_eq!(of(r#"Basic realm="Registry""#), Some(Challenge::Basic));
        assert_eq!(of("Negotiate"), None);
    }

    #[test]
    fn credentials_stay_in_the_registrys_domain() {
        let may = |registry: &str, realm: &str| {
            may_see_credentials(&Url::parse(registry).unwrap(), &Url::parse(realm).unwrap())
        };
        assert!(may(
            "https://registry-1.docker.io",
            "https://auth.docker.io/token"
        ));
        assert!(may(
            "https://registry.gitlab.com",
            "https://gitlab.com/jwt/auth"
        ));
        assert!(may("https://ghcr.io", "https://ghcr.io/token"));
        assert!(may("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"));
        assert!(!may("https://ghcr.io", "https://evil.io/token"));
        assert!(!may(
            "https://registry.example.com",
            "https://evilexample.com/token"
        ));
        assert!(!may(
            "https://registry.example.com",
            "http://registry.example.com/token"
        ));
        assert!(!may("https://10.0.0.1", "https://10.0.0.2/token"));
    }
}
