//! `index.yaml`: what a Helm repository has.
//!
//! Only what finding a chart needs is kept of it, because such files have tens of megabytes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Digest;

/// The charts of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    charts: BTreeMap<String, Vec<ChartVersion>>,
}

/// One version of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartVersion {
    /// The version, as it stands in the index.
    pub version: String,
    /// Where the archive is: an absolute URL, or one relative to the repository's.
    pub url: String,
    /// The archive's digest, where the index tells.
    pub digest: Option<Digest>,
}

#[derive(Deserialize)]
struct RawIndex {
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    entries: Option<BTreeMap<String, Option<Vec<Option<RawVersion>>>>>,
}

#[derive(Deserialize)]
struct RawVersion {
    version: Option<String>,
    urls: Option<Vec<String>>,
    digest: Option<String>,
}

impl Index {
    /// Reads an index in YAML or JSON. Versions without a URL are left out, as nothing can be
    /// fetched of them.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let raw: RawIndex = if text.trim_ascii_start().starts_with(b"{") {
            serde_json::from_slice(text).map_err(|error| error.to_string())?
        } else {
            serde_yaml::from_slice(text).map_err(|error| error.to_string())?
        };
        if raw.api_version.unwrap_or_default().is_empty() {
            return Err(
                "it has no `apiVersion`, so that it is not the index of a Helm repository".into(),
            );
        }
        let entries = raw.entries.unwrap_or_default().into_iter();
        let charts = entries.map(|(name, versions)| {
            let versions = versions.unwrap_or_default().into_iter().flatten();
            (name, versions.filter_map(RawVersion::usable).collect())
        });
        Ok(Self {
            charts: charts.collect(),
        })
    }

    /// The versions of a chart, in the order of the index; `None` if there is no such chart.
    pub fn versions(&self, chart: &str) -> Option<&[ChartVersion]> {
        self.charts.get(chart).map(Vec::as_slice)
    }

    /// The names of all charts.
    pub fn charts(&self) -> impl Iterator<Item = &str> {
        self.charts.keys().map(String::as_str)
    }
}

impl RawVersion {
    fn usable(self) -> Option<ChartVersion> {
        Some(ChartVersion {
            version: self.version.filter(|version| !version.is_empty())?,
            url: self.urls?.into_iter().find(|url| !url.is_empty())?,
            digest: self.digest.and_then(|digest| Digest::parse(&digest)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_written_and_one_bad_version_hides_no_other() {
        let digest = "a".repeat(64);
        let text = format!(
            "apiVersion: v1\nentries:\n  web:\n  - {{version: 1.10, urls: [web-1.10.tgz], digest: {digest}}}\n  \
             - {{version: 2.0.0, urls: []}}\n  - null\n  - {{name: web}}\n  empty: null\ngenerated: now\n"
        );
        let index = Index::parse(text.as_bytes()).unwrap();
        let [version] = index.versions("web").unwrap() else {
            panic!("{index:?}");
        };
        assert_eq!(
            (version.version.as_str(), version.url.as_str()),
            ("1.10", "web-1.10.tgz")
        );
        assert_eq!(version.digest.as_ref().unwrap().hex(), digest);
        assert_eq!(index.versions("empty"), Some([].as_slice()));
        assert_eq!(index.versions("other"), None);
    }

    #[test]
    fn json_is_an_index_too_and_a_web_page_is_none() {
        let json = br#"{"apiVersion":"v1","entries":{"a":[{"version":"1","urls":["a.tgz"]}]}}"#;
        assert_eq!(
            Index::parse(json).unwrap().charts().collect::<Vec<_>>(),
            ["a"]
        );
        assert!(Index::parse(b"<html><body>Sign in</body></html>").is_err());
        assert!(
            Index::parse(b"entries: {}")
                .unwrap_err()
                .contains("apiVersion")
        );
    }
}
