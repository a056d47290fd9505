//! A path inside a source tree.
//!
//! A [`TreePath`] cannot name anything outside the tree's root: it is relative, normalised, and
//! every `..` was resolved or refused when it was made. Nothing here touches a file.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};

/// A relative, normalised path inside a tree; empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreePath(String);

/// Why a text is not a path inside the tree.
///
/// The texts are Argo CD's, because scripts and dashboards look for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path starts with a slash.
    #[error("{0}: app path is absolute")]
    Absolute(String),
    /// The path climbs above the root.
    #[error("{0}: app path outside root")]
    OutsideRoot(String),
    /// The path holds a NUL byte, which no file system and no git tree can name.
    #[error("{0:?}: path holds a NUL byte")]
    Nul(String),
}

impl TreePath {
    /// The root of the tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses a relative path; `.` and empty segments vanish and `..` is resolved lexically.
    ///
    /// Fails if the path is absolute or leaves the root.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        Self::root().join(text)
    }

    /// Resolves `relative` from here; a leading slash means the root of the tree.
    ///
    /// Fails if the result leaves the root, with the text as it was given.
    pub fn join(&self, relative: &str) -> Result<Self, PathError> {
        if relative.contains('\0') {
            return Err(PathError::Nul(relative.to_owned()));
        }
        let mut segments: Vec<&str> = if relative.starts_with('/') {
            Vec::new()
        } else {
            self.segments().collect()
        };
        for segment in relative.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    if segments.pop().is_none() {
                        return Err(PathError::OutsideRoot(relative.to_owned()));
                    }
                }
                name => segments.push(name),
            }
        }
        Ok(Self(segments.join("/")))
    }

    /// The child called `name`, which must be a single segment as listings return them.
    ///
    /// A name that is not one (a hostile git tree may hold `..` or `a/b`) gives `None`.
    pub fn child(&self, name: &str) -> Option<Self> {
        let hostile = matches!(name, "" | "." | "..") || name.contains(['/', '\0']);
        (!hostile).then(|| {
            if self.0.is_empty() {
                Self(name.to_owned())
            } else {
                Self(format!("{}/{name}", self.0))
            }
        })
    }

    /// The directory that holds this path; the root is its own parent.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(
            self.0
                .rsplit_once('/')
                .map_or_else(String::new, |(parent, _)| parent.to_owned()),
        )
    }

    /// The last segment; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path's segments from the root on.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// This path as seen from `base`; `None` if it does not lie below it.
    pub fn relative_to(&self, base: &Self) -> Option<&str> {
        if base.is_root() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(base.as_str())?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text, without a leading slash; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TreePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.0
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn absolute_and_climbing_paths_are_refused_with_argo_cds_texts() {
        let text = |path| TreePath::parse(path).unwrap_err().to_string();
        assert_eq!(text("/app"), "/app: app path is absolute");
        assert_eq!(text("../app"), "../app: app path outside root");
        assert_eq!(text("a/../../b"), "a/../../b: app path outside root");
    }

    #[test]
    fn paths_are_normalised() {
        let path = |text| TreePath::parse(text).unwrap();
        assert!(path(".").is_root());
        assert_eq!(path("./a//b/../c/").as_str(), "a/c");
        assert_eq!(path("a/b").relative_to(&path("a")), Some("b"));
        assert_eq!(path("ab").relative_to(&path("a")), None);
        assert_eq!(path("a/b").parent(), path("a"));
        assert_eq!(path("a").join("/x").unwrap(), path("x"));
    }

    #[test]
    fn a_hostile_name_is_no_child() {
        for name in ["..", ".", "", "a/b", "a\0"] {
            assert_eq!(TreePath::root().child(name), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_path_leaves_its_root(base in "[a-c./]{0,8}", text in "[a-c./]{0,16}") {
            if let Ok(base) = TreePath::parse(&base) && let Ok(path) = base.join(&text) {
                prop_assert!(path.segments().all(|segment| segment != ".." && segment != "."));
                prop_assert!(!path.as_str().starts_with('/'));
            }
        }
    }
}
