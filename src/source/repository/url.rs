//! What a URL says besides where a repository is.

use argosy_facts::Secret;
use url::{Url, form_urlencoded};

use super::Credentials;

/// The URL of a repository as it may be shown: without user and password.
pub fn shown_url(url: &str) -> String {
    // Most name nobody, and a scrape asks for every application.
    let Some(mut parsed) = url.contains('@').then(|| Url::parse(url).ok()).flatten() else {
        return url.to_owned();
    };
    let names_somebody = parsed.password().is_some() || !parsed.username().is_empty();
    if !names_somebody || !matches!(parsed.scheme(), "http" | "https") {
        return url.to_owned();
    }
    // Neither fails for a URL with a host, as those of these schemes are.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.to_string()
}

/// Takes user and password out of an http(s) URL, where any error message would print them.
pub(super) fn split_userinfo(url: &str) -> (String, Option<Credentials>) {
    let Ok(mut parsed) = Url::parse(url) else {
        return (url.to_owned(), None);
    };
    if !matches!(parsed.scheme(), "http" | "https") {
        return (url.to_owned(), None);
    }
    let decode = |text: &str| percent_decode(text);
    let username = decode(parsed.username());
    let Some(password) = parsed.password().map(decode).map(Secret::new) else {
        return (url.to_owned(), None);
    };
    if parsed
        .set_username("")
        .and_then(|()| parsed.set_password(None))
        .is_err()
    {
        return (url.to_owned(), None);
    }
    let credentials = Credentials::Basic { username, password };
    (parsed.to_string(), Some(credentials))
}

/// What is wrong with the URL of a proxy, which may hold a password and is never shown.
pub(super) fn check_proxy(url: &str) -> Result<(), &'static str> {
    let is_plain = |host: &str| {
        let of_name = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && host.chars().all(of_name)
    };
    match Url::parse(url) {
        Ok(parsed) if !matches!(parsed.scheme(), "http" | "https") => {
            Err("`proxy` must be a URL of http or https; others are not served")
        }
        Ok(parsed) if parsed.host_str().is_some_and(is_plain) => Ok(()),
        _ => Err("`proxy` must be a URL such as http://proxy.example.com:3128"),
    }
}

fn percent_decode(text: &str) -> String {
    form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The host name of a URL or of an scp-like address.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next()?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CVE-2026-55797: no proxy becomes a part of a command, and none is passed by.
    #[test]
    fn a_proxy_is_a_url_of_http_and_nothing_else() {
        for bad in [
            "socks5://x;touch pwned",
            "socks5://proxy.example.com:1080",
            "http://x;touch pwned",
            "http://x`id`:3128",
            "http://$(id):3128",
            "http://-oProxyCommand=x:3128",
            "http://x'y:3128",
            "-oProxyCommand=touch pwned",
            "proxy.example.com:3128",
            "http://",
        ] {
            assert!(check_proxy(bad).is_err(), "{bad}");
        }
        for good in [
            "http://proxy.example.com:3128",
            "https://ada:hunter2@proxy",
            "http://10.0.0.1:3128/",
            "http://[fd00::1]:3128",
        ] {
            assert_eq!(check_proxy(good), Ok(()), "{good}");
        }
    }
}
