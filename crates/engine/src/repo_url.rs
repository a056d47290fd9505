//! When two repository URLs mean the same repository.
//!
//! The rule is Argo CD's and only for comparison: letter case and a final `.git` do not count, the
//! short ssh form equals the long one, and everything else (a trailing slash, a port, a user) does.

use url::Url;

/// The form in which URLs are compared; empty if `url` cannot be one.
///
/// The result is a key, not a URL: it must never be fetched from.
pub fn normalise(url: &str) -> String {
    let mut url = url.trim().to_lowercase();
    if is_short_ssh(&url) {
        // The first colon of `git@host:path` stands where a URL has a slash.
        url = url.replacen(':', "/", 1);
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    if !is_plausible(url) {
        return String::new();
    }
    url.strip_prefix("ssh://").unwrap_or(url).to_owned()
}

/// Whether both URLs mean the same repository; two URLs that cannot be one are not the same.
pub fn same(a: &str, b: &str) -> bool {
    let key = normalise(a);
    !key.is_empty() && key == normalise(b)
}

fn is_short_ssh(url: &str) -> bool {
    url.split_once('@')
        .is_some_and(|(user, rest)| !user.contains(['/', ':']) && !rest.contains('@'))
}

/// Whether Go would parse it: no control characters, no port that is not a number, and no colon in
/// the first segment of a path without a scheme. In `registry.example.com:5000/charts` Go takes the
/// host for a scheme.
fn is_plausible(url: &str) -> bool {
    if url.chars().any(|c| c.is_ascii_control()) {
        return false;
    }
    match url.split_once("://") {
        Some(("ssh" | "http" | "https" | "git" | "oci" | "file", _)) => match Url::parse(url) {
            Ok(_) | Err(url::ParseError::EmptyHost) => true,
            Err(_) => false,
        },
        Some(_) => true,
        None => {
            let first = url.split('/').next().unwrap_or_default();
            let scheme = first.split_once(':').map_or("a", |(scheme, _)| scheme);
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: bool) {
        assert_eq!(same(a, b), expected, "{a} and {b}");
    }

    #[test]
    fn urls_are_the_same_as_argo_cd_thinks() {
        let url = "https://git.example.com/a/b";
        check(url, "https://GIT.example.com/A/B.git", true);
        check(
            "git@git.example.com:a/b.git",
            "ssh://git@git.example.com/a/b",
            true,
        );
        check("git@git.example.com:a/b.git", url, false);
        check(url, "https://user:pw@git.example.com/a/b", false);
        check(url, "https://git.example.com/a/b/", false);
        check(url, "http://git.example.com/a/b", false);
        check(url, "https://git.example.com:443/a/b", false);
        check(url, " https://git.example.com/a/b ", true);
        check("", "", false);
        let registry = "registry.example.com:5000/charts";
        check(registry, "Registry.example.com:5000/charts", true);
        check(registry, "registry.example.com:5001/charts", false);
        check("10.0.0.1:5000/charts", "10.0.0.1:5000/charts", false);
    }
}
