//! URLs taken apart and put together as Go's net/url does it: nothing is normalised.

use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, fail, map, text};

pub(super) fn register(m: &mut FuncMap) {
    m.add("urlParse", "string", |a| match Url::parse(text(a, 0)) {
        Ok(url) => Ok(url.value()),
        Err(error) => fail(format!(
            "unable to parse url: parse {}: {error}",
            crate::fmt::quote(text(a, 0))
        )),
    });
    m.add("urlJoin", "map", join);
}

#[derive(Debug, Default)]
struct Url {
    scheme: String,
    opaque: String,
    userinfo: Option<String>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

impl Url {
    fn parse(source: &str) -> Result<Self, FuncError> {
        let (rest, fragment) = source.split_once('#').unwrap_or((source, ""));
        if source.chars().any(|c| c.is_ascii_control()) {
            return fail("net/url: invalid control character in URL");
        }
        let mut url = Self {
            fragment: unescape(fragment, Part::Path)?,
            ..Self::default()
        };
        let (scheme, rest) = split_scheme(rest)?;
        url.scheme = scheme.to_ascii_lowercase();
        if rest == "*" {
            rest.clone_into(&mut url.path);
            return Ok(url);
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        query.unwrap_or_default().clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Ok(url);
            }
            if rest
                .split('/')
                .next()
                .is_some_and(|segment| segment.contains(':'))
            {
                return fail("first path segment in URL cannot contain colon");
            }
        }
        let path = match rest.strip_prefix("//") {
            Some(after) if !url.scheme.is_empty() || !rest.starts_with("///") => {
                let end = after.find('/').unwrap_or(after.len());
                let (authority, path) = after.split_at(end);
                url.authority(authority)?;
                path
            }
            _ => rest,
        };
        url.path = unescape(path, Part::Path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &str) -> Result<(), FuncError> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = parse_host(host)?;
        if let Some(user) = user {
            self.userinfo = Some(userinfo(user)?);
        }
        Ok(())
    }

    /// The host without its port and without brackets.
    fn hostname(&self) -> &str {
        let host = match self.host.rsplit_once(':') {
            Some((host, port))
                if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') =>
            {
                host
            }
            _ => &self.host,
        };
        host.strip_prefix('[')
            .and_then(|h| h.split_once(']'))
            .map_or(host, |(inside, _)| inside)
    }

    fn value(&self) -> Value {
        Value::map([
            ("scheme", self.scheme.as_str().into()),
            ("host", self.host.as_str().into()),
            ("hostname", self.hostname().into()),
            ("path", self.path.as_str().into()),
            ("query", self.query.as_str().into()),
            ("opaque", self.opaque.as_str().into()),
            ("fragment", self.fragment.as_str().into()),
            (
                "userinfo",
                self.userinfo.as_deref().unwrap_or_default().into(),
            ),
        ])
    }

    fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out = format!("{}:", self.scheme);
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.userinfo.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.userinfo.is_some() {
                    out.push_str("//");
                }
                if let Some(user) = &self.userinfo {
                    out.push_str(user);
                    out.push('@');
                }
                out.push_str(&escape(&self.host, Part::Host));
            }
            let path = escape(&self.path, Part::Path);
            if !path.starts_with('/') && !path.is_empty() && !self.host.is_empty() {
                out.push('/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|s| s.contains(':')) {
                out.push_str("./");
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push('?');
            out.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

/// Which part of a URL is written, which decides what must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    User,
    Fragment,
}

fn split_scheme(source: &str) -> Result<(&str, &str), FuncError> {
    for (i, c) in source.bytes().enumerate() {
        match c {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return fail("missing protocol scheme"),
            b':' => {
                return Ok((
                    source.get(..i).unwrap_or_default(),
                    source.get(i + 1..).unwrap_or_default(),
                ));
            }
            _ => break,
        }
    }
    Ok(("", source))
}

fn parse_host(host: &str) -> Result<String, FuncError> {
    let port = if let Some(open) = host.rfind('[') {
        if open > 0 {
            return fail("invalid IP-literal");
        }
        let Some(close) = host.rfind(']') else {
            return fail("missing ']' in host");
        };
        host.get(close + 1..).unwrap_or_default()
    } else {
        host.find(':')
            .and_then(|colon| host.get(colon..))
            .unwrap_or_default()
    };
    let valid = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    if !valid {
        return fail(format!(
            "invalid port {} after host",
            crate::fmt::quote(port)
        ));
    }
    unescape(host, Part::Host)
}

/// Name and password, decoded and encoded again.
fn userinfo(user: &str) -> Result<String, FuncError> {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !user.bytes().all(valid) {
        return fail("net/url: invalid userinfo");
    }
    let again = |s: &str| Ok::<_, FuncError>(escape(&unescape(s, Part::User)?, Part::User));
    match user.split_once(':') {
        Some((name, password)) => Ok(format!("{}:{}", again(name)?, again(password)?)),
        None => again(user),
    }
}

fn unescape(source: &str, part: Part) -> Result<String, FuncError> {
    let mut bytes = Vec::with_capacity(source.len());
    let mut rest = source.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
            let code = digits
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|d| u8::from_str_radix(d, 16).ok());
            let Some(code) = code else {
                let shown = crate::fmt::lossy(
                    source
                        .as_bytes()
                        .get(source.len() - after.len() - 1..)
                        .unwrap_or_default(),
                );
                let shown: String = shown.chars().take(3).collect();
                return fail(format!("invalid URL escape {}", crate::fmt::quote(&shown)));
            };
            if part == Part::Host && code.is_ascii() && digits != Some("25") {
                return fail(format!(
                    "invalid URL escape {}",
                    crate::fmt::quote(&format!("%{}", digits.unwrap_or_default()))
                ));
            }
            bytes.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            if part == Part::Host && first.is_ascii() && must_escape(*first, Part::Host) {
                return fail(format!(
                    "invalid character {} in host name",
                    crate::fmt::quote(&char::from(*first).to_string())
                ));
            }
            bytes.push(*first);
        }
    }
    Ok(crate::fmt::lossy(&bytes))
}

fn must_escape(b: u8, part: Part) -> bool {
    if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Path => b"$&+,/:;=@",
        Part::Host => b"!$&'()*+,;=:[]<>\"",
        Part::User => b"$&+,;=",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !allowed.contains(&b)
}

fn escape(source: &str, part: Part) -> String {
    let mut out = String::with_capacity(source.len());
    for b in source.bytes() {
        if must_escape(b, part) {
            out.push_str(&format!("%{b:02X}"));
        } else {
            out.push(char::from(b));
        }
    }
    out
}

fn join(args: &[Value]) -> Answer {
    let part = |key: &str| match map(args, 0).and_then(|m| m.get(key)) {
        None => Ok(String::new()),
        Some(Value::Str(s)) => Ok(s.to_string()),
        Some(other) => fail(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind()
        )),
    };
    let user = part("userinfo")?;
    let url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        userinfo: if user.is_empty() {
            None
        } else {
            Url::parse(&format!("proto://{user}@host"))?.userinfo
        },
    };
    Ok(url.text().into())
}
