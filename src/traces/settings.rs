//! Where traces go and which, under Argo CD's names; flags come before `argocd-cmd-params-cm`.

use std::collections::BTreeMap;

use argosy_facts::Secret;
use http::{HeaderName, HeaderValue};
use url::Url;

use crate::diagnostic::Diagnostic;

/// What is said about traces; what is not said has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtlpSettings {
    /// The collector, `host:port` or a URL; no traces without one; `otlp.address`.
    pub address: Option<String>,
    /// Whether an address without a scheme is reached by HTTP instead of HTTPS, as by default;
    /// `otlp.insecure`.
    pub insecure: Option<bool>,
    /// Headers of each request, as `key=value,key=value`; `otlp.headers`.
    pub headers: Option<Secret>,
    /// Attributes of the hub, as `key:value,key:value`; `otlp.attrs`.
    pub attributes: Option<String>,
    /// Which share of the traces is recorded, from 0 to 1, by default all; `otlp.sample.ratio`.
    pub sample_ratio: Option<f64>,
}

/// A collector that can be reached.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) attributes: BTreeMap<String, String>,
}

impl OtlpSettings {
    /// These, and of `others` what these do not say.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let (this, others) = (self.clone(), others.clone());
        Self {
            address: this.address.or(others.address),
            insecure: this.insecure.or(others.insecure),
            headers: this.headers.or(others.headers),
            attributes: this.attributes.or(others.attributes),
            sample_ratio: this.sample_ratio.or(others.sample_ratio),
        }
    }

    /// Says what is wrong with these.
    pub fn check(&self) -> Result<(), Diagnostic> {
        self.collector().map(drop)
    }

    /// The collector, if one is named.
    pub(super) fn collector(&self) -> Result<Option<Collector>, Diagnostic> {
        let Some(address) = self.address.as_deref().map(str::trim) else {
            return Ok(None);
        };
        if address.is_empty() {
            return Ok(None);
        }
        let headers = self.headers.as_ref().map_or("", Secret::expose);
        Ok(Some(Collector {
            url: url(address, self.insecure.unwrap_or(true))?,
            headers: pairs(headers, '=').map(header).collect::<Result<_, _>>()?,
            attributes: self.named_attributes(),
        }))
    }

    fn named_attributes(&self) -> BTreeMap<String, String> {
        let attributes = self.attributes.as_deref().unwrap_or_default();
        let named = pairs(attributes, ':');
        named
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// Whether the trace of this id is one of those that are recorded; all that share an id agree.
    pub(super) fn wants(&self, trace: u128) -> bool {
        let ratio = self.sample_ratio.unwrap_or(1.0);
        // The lower half is as random as the whole; 32 bits of it are fine enough and exact.
        let drawn = u32::try_from(trace & u128::from(u32::MAX)).unwrap_or_default();
        f64::from(drawn) < ratio * (f64::from(u32::MAX) + 1.0)
    }
}

/// The items of a list of pairs; what has no separator is a key without a value.
fn pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    let items = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    items.map(move |item| {
        let (key, value) = item.split_once(separator).unwrap_or((item, ""));
        (key.trim(), value.trim())
    })
}

/// A header; neither its value nor an error shows what may be a credential.
fn header((key, value): (&str, &str)) -> Result<(HeaderName, HeaderValue), Diagnostic> {
    let name = HeaderName::from_bytes(key.as_bytes());
    let value = HeaderValue::from_str(value);
    match (name, value) {
        (Ok(name), Ok(mut value)) => {
            value.set_sensitive(true);
            Ok((name, value))
        }
        _ => Err(Diagnostic::config(
            "OtlpHeadersMalformed",
            "a header for the collector of traces is none",
        )
        .at("otlp.headers")
        .fix("write them as `key=value,key=value`")),
    }
}

/// The address that spans are posted to.
fn url(address: &str, insecure: bool) -> Result<Url, Diagnostic> {
    let scheme = if insecure { "http" } else { "https" };
    let whole = if address.contains("://") {
        address.to_owned()
    } else {
        format!("{scheme}://{address}")
    };
    let wrong = |why: &str| {
        Diagnostic::config(
            "OtlpAddressMalformed",
            format!("`{address}` is no address of a collector: {why}"),
        )
        .at("otlp.address")
        .fix("name the port at which it takes OTLP over HTTP, such as `otel-collector:4318`")
    };
    let mut url = Url::parse(&whole).map_err(|error| wrong(&error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("it is neither http nor https"));
    }
    if url.host().is_none() {
        return Err(wrong("it has no host"));
    }
    if url.path() == "/" {
        url.set_path("/v1/traces");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> OtlpSettings {
        OtlpSettings {
            address: Some(address.to_owned()),
            ..OtlpSettings::default()
        }
    }

    fn url_of(settings: &OtlpSettings) -> String {
        settings.collector().unwrap().unwrap().url.to_string()
    }

    #[test]
    fn an_address_is_argo_cd_s_or_a_url() {
        assert_eq!(url_of(&at("otel:4318")), "http://otel:4318/v1/traces");
        let secure = OtlpSettings {
            insecure: Some(false),
            ..at("otel:4318")
        };
        assert_eq!(url_of(&secure), "https://otel:4318/v1/traces");
        let whole = "https://traces.example.com/otlp/v1/traces";
        assert_eq!(url_of(&at(whole)), whole);
        assert!(at("").collector().unwrap().is_none());
        for wrong in ["http://", "ftp://otel", "otel:port"] {
            let told = at(wrong).collector().unwrap_err().one_line();
            assert!(told.contains(wrong) && told.contains("4318"), "{told}");
        }
    }

    #[test]
    fn headers_and_attributes_are_argo_cd_s_lists() {
        let settings = OtlpSettings {
            headers: Some(Secret::new("authorization=Basic aGk=, x-tenant=a")),
            attributes: Some("env:prod,region:eu".to_owned()),
            ..at("otel:4318")
        };
        let collector = settings.collector().unwrap().unwrap();
        assert_eq!(collector.headers[0].1, "Basic aGk=");
        assert!(!format!("{collector:?}").contains("aGk"));
        assert_eq!(collector.attributes["region"], "eu");
        let wrong = OtlpSettings {
            headers: Some(Secret::new("a b=hunter2")),
            ..at("otel:4318")
        };
        let told = wrong.collector().unwrap_err().one_line();
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_ratio_is_a_share_of_the_traces() {
        let of = |ratio| OtlpSettings {
            sample_ratio: ratio,
            ..OtlpSettings::default()
        };
        let highest = u128::MAX;
        assert!(of(None).wants(highest) && of(Some(1.0)).wants(highest));
        assert!(!of(Some(0.0)).wants(0));
        assert!(of(Some(0.5)).wants(0) && !of(Some(0.5)).wants(highest));
    }

    #[test]
    fn what_is_said_first_counts() {
        let flags = at("flag:4318");
        let params = OtlpSettings {
            sample_ratio: Some(0.1),
            ..at("params:4318")
        };
        let both = flags.or(&params);
        assert_eq!(both.address.as_deref(), Some("flag:4318"));
        assert_eq!(both.sample_ratio, Some(0.1));
    }
}
