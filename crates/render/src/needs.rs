//! What a render needs from elsewhere.
//!
//! Rendering never reaches the network. Where a source refers to something outside of its trees, the
//! render ends with [`crate::RenderError::Needs`]; whoever asked fetches it and renders again.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::access::GitAccess;

/// One thing that lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A packaged chart.
    Chart(Dependency),
    /// A file with values, by its URL.
    File(String),
    /// The content of a large file, for which its tree holds a text. It is found in the tree when it
    /// was fetched.
    LargeFile(LargeFile),
    /// What the git of a plugin reads the source's repository with; it is granted, and not inserted.
    GitAccess,
}

/// A file that lies in git-lfs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LargeFile {
    /// The URL of its repository.
    pub repository: String,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub oid: String,
    /// Its bytes.
    pub size: u64,
}

/// A chart that another depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Where it is: a URL, or `@` or `alias:` and the name of a repository.
    pub repository: String,
    /// The versions that will do.
    pub version: String,
    /// The version that `Chart.lock` fixes.
    pub locked: Option<String>,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chart(chart) => {
                let version = chart.locked.as_ref().unwrap_or(&chart.version);
                write!(
                    f,
                    "the chart {} {version} of {}",
                    chart.name, chart.repository
                )
            }
            Self::File(url) => write!(f, "the file {url}"),
            Self::GitAccess => f.write_str("access to its repository"),
            Self::LargeFile(file) => {
                write!(f, "the large file {} of {}", file.oid, file.repository)
            }
        }
    }
}

/// What was fetched for a render.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    contents: BTreeMap<Need, Arc<[u8]>>,
    access: Option<Arc<GitAccess>>,
}

impl Fetched {
    /// Adds what was fetched for a need: an archive or a file.
    pub fn insert(&mut self, need: Need, content: Arc<[u8]>) {
        self.contents.insert(need, content);
    }

    /// Grants access to the source's repository.
    pub fn grant(&mut self, access: GitAccess) {
        self.access = Some(Arc::new(access));
    }

    /// The access that was granted.
    pub(crate) fn access(&self) -> Option<&GitAccess> {
        self.access.as_deref()
    }

    /// What it was fetched for.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.contents.keys()
    }

    /// What was fetched for a need.
    pub fn get(&self, need: &Need) -> Option<&Arc<[u8]>> {
        self.contents.get(need)
    }

    /// The file that was fetched from `url`.
    pub(crate) fn file(&self, url: &str) -> Option<Arc<[u8]>> {
        self.get(&Need::File(url.to_owned())).cloned()
    }
}
