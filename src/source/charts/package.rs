//! What a source takes from a repository that is not git.

use std::fmt;

use argosy_crds::ApplicationSource;

use crate::source::{Repository, Version};

/// A chart or an artifact, without its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// A chart that the index of a Helm repository names.
    Indexed {
        /// Its name.
        chart: String,
    },
    /// A chart in a registry; its version is a tag.
    Chart {
        /// Registry and repository, without `oci://`.
        address: String,
    },
    /// Anything in a registry; its version is a digest.
    Artifact {
        /// Registry and repository, without `oci://`.
        address: String,
    },
}

impl Package {
    /// What `source` takes from `repository`; `None` if that is a git repository.
    ///
    /// As in Argo CD a URL with `oci://` is an artifact, and a chart is in a registry if the
    /// repository says so or if its URL has no scheme.
    pub fn of(source: &ApplicationSource, repository: &Repository) -> Option<Self> {
        let below = |url: &str| {
            let url = url.trim_end_matches('/');
            match source.chart.as_str() {
                "" => url.to_owned(),
                chart => format!("{url}/{chart}"),
            }
        };
        if let Some(address) = source.repo_url.strip_prefix("oci://") {
            return Some(Self::Artifact {
                address: below(address),
            });
        }
        if source.chart.is_empty() {
            return None;
        }
        Some(Self::chart(&repository.url, &source.chart, repository))
    }

    /// The chart `name` of the repository at `url`.
    pub(crate) fn chart(url: &str, name: &str, repository: &Repository) -> Self {
        let bare = url.strip_prefix("oci://");
        if bare.is_some() || repository.enable_oci || !url.contains("://") {
            let bare = bare.or_else(|| url.split_once("://").map(|(_, rest)| rest));
            let base = bare.unwrap_or(url).trim_end_matches('/');
            return Self::Chart {
                address: format!("{base}/{name}"),
            };
        }
        Self::Indexed {
            chart: name.to_owned(),
        }
    }

    /// Whether a revision that was resolved means the same for ever: a version of a chart, or a
    /// digest.
    pub(super) fn is_fixed_at(&self, revision: &str) -> bool {
        match self {
            Self::Indexed { .. } | Self::Chart { .. } => Version::parse(revision).is_some(),
            Self::Artifact { .. } => revision.starts_with("sha256:"),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indexed { chart } => write!(f, "the chart `{chart}`"),
            Self::Chart { address } => write!(f, "the chart {address}"),
            Self::Artifact { address } => write!(f, "oci://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(url: &str, chart: &str, enable_oci: bool) -> Option<Package> {
        let source = ApplicationSource {
            repo_url: url.to_owned(),
            chart: chart.to_owned(),
            ..ApplicationSource::default()
        };
        let mut repository = Repository::public(url);
        repository.enable_oci = enable_oci;
        Package::of(&source, &repository)
    }

    #[test]
    fn sources_are_told_apart_as_in_argo_cd() {
        assert_eq!(package("https://git.example.com/a", "", false), None);
        let indexed = package("https://charts.example.com", "web", false);
        assert_eq!(
            indexed,
            Some(Package::Indexed {
                chart: "web".into()
            })
        );
        let chart = |address: &str| {
            Some(Package::Chart {
                address: address.into(),
            })
        };
        assert_eq!(
            package("reg.example.com/charts", "web", false),
            chart("reg.example.com/charts/web")
        );
        assert_eq!(
            package("reg.example.com:5000", "a/web", true),
            chart("reg.example.com:5000/a/web")
        );
        let artifact = |address: &str| {
            Some(Package::Artifact {
                address: address.into(),
            })
        };
        assert_eq!(
            package("oci://ghcr.io/o/app", "", false),
            artifact("ghcr.io/o/app")
        );
        assert_eq!(
            package("oci://ghcr.io/o", "app", false),
            artifact("ghcr.io/o/app")
        );
    }
}
