//! Signature Version 4, for what is sent here: a POST to the root of a service.
//!
//! AWS' own crate brings a runtime along, which nothing here may have. The algorithm is the one of
//! AWS' reference, "Signing AWS API requests", and is checked against its published test vectors.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::AwsKeys;
use crate::error::{Result, spec};

/// For what and when a signature holds.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) now: Timestamp,
}

/// Adds the headers that sign the others and the body.
pub(super) fn sign(
    headers: &mut HeaderMap,
    url: &Url,
    body: &[u8],
    keys: &AwsKeys,
    scope: &Scope<'_>,
) -> Result<()> {
    let refuse = |_| spec("the AWS credentials", "they hold what no header may have");
    let now = scope.now.to_zoned(TimeZone::UTC);
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.strftime("%Y%m%d").to_string();
    let host = url.host_str().unwrap_or_default();
    headers.insert(HOST, HeaderValue::from_str(host).map_err(refuse)?);
    let date = HeaderName::from_static("x-amz-date");
    headers.insert(date, HeaderValue::from_str(&time).map_err(refuse)?);
    if let Some(session) = &keys.session {
        let mut value = HeaderValue::from_str(session.expose()).map_err(refuse)?;
        value.set_sensitive(true);
        headers.insert("x-amz-security-token", value);
    }
    let (canonical, signed) = canonical(headers, body);
    let credential = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let digest = hex(&Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{credential}\n{digest}");
    let first = format!("AWS4{}", keys.secret.expose()).into_bytes();
    let key = [day.as_str(), scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(first, |key, part| mac(&key, part));
    let signature = hex(&mac(&key, &to_sign));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{credential}, SignedHeaders={signed}, Signature={signature}",
        keys.id
    );
    let mut value = HeaderValue::from_str(&authorization).map_err(refuse)?;
    value.set_sensitive(true);
    headers.insert(http::header::AUTHORIZATION, value);
    Ok(())
}

/// The canonical request and the names of its headers.
fn canonical(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let mut lines: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
        .collect();
    lines.sort_unstable();
    let signed: Vec<_> = lines.iter().map(|(name, _)| *name).collect();
    let signed = signed.join(";");
    let lines = lines.iter().fold(String::new(), |all, (name, value)| {
        all + name
            + ":"
            + value
            + "
"
    });
    let digest = hex(&Sha256::digest(body));
    (format!("POST\n/\n\n{lines}\n{signed}\n{digest}"), signed)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("because HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use argosy_facts::Secret;

    use super::*;

    /// The vector `post-vanilla` of AWS' test suite for Signature Version 4.
    #[test]
    fn the_signature_is_that_of_aws_test_suite() {
        let keys = AwsKeys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session: None,
        };
        let scope = Scope {
            region: "us-east-1",
            service: "service",
            now: "2015-08-30T12:36:00Z".parse().unwrap(),
        };
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let mut headers = HeaderMap::new();
        sign(&mut headers, &url, b"", &keys, &scope).unwrap();
        assert_eq!(
            headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }
}
