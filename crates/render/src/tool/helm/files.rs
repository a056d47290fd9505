//! Which files a chart's values come from.
//!
//! A path is relative to the chart, or to the repository's root if it begins with a slash, or leads
//! into another source's repository if it begins with `$ref/`. None ever leaves its repository. An
//! address is a need of the render: somebody else fetches it.

use std::sync::Arc;

use argosy_crds::application::ApplicationSourceHelm;

use crate::{
    glob,
    needs::Need,
    path::TreePath,
    render::Request,
    tree::{Kind, TreeError},
    view::View,
    views::Views,
};

/// Why a path leads to no file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It leaves its repository.
    #[error("file '{0}' resolved to outside repository root")]
    Outside(String),
    /// It is the repository itself.
    #[error("path '{0}' resolved to repository root, which is not allowed")]
    Root(String),
    /// It names a repository and no file in it.
    #[error("invalid value file path \"{0}\": no file path after the ref name")]
    NoPath(String),
    /// It begins with the name of a source that does not exist.
    #[error(
        "source referenced \"{name}\", {what}; give one of the application's sources `ref: {bare}`",
        bare = name.trim_start_matches('$')
    )]
    UnknownRef {
        /// The name with its dollar sign.
        name: String,
        /// What there is instead.
        what: String,
    },
    /// It is an address of a kind that is never used.
    #[error("the URL scheme '{0}' is not allowed")]
    Scheme(String),
    /// It is an address.
    #[error("the file {0} is remote, and nothing is fetched here; put it into the repository")]
    Remote(String),
    /// It does not exist.
    #[error("open {0}: no such file or directory")]
    Missing(String),
    /// It is a directory or something else that cannot be read.
    #[error("read {0}: is not a file")]
    NotAFile(String),
    /// It is a pattern, and nothing fits.
    #[error("values file glob \"{0}\" matched no files")]
    NoMatch(String),
    /// It is a pattern that cannot be used.
    #[error("error expanding glob pattern \"{0}\": {1}")]
    Pattern(String, String),
    /// The repository cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A file that values come from.
#[derive(Clone)]
pub(super) enum Located<'v> {
    /// In one of the render's trees.
    Here(Place<'v>),
    /// Elsewhere, and fetched.
    Fetched(String, Arc<[u8]>),
    /// Elsewhere, and not fetched yet.
    Elsewhere(String),
}

/// A place in one of the render's trees.
#[derive(Clone)]
pub(super) struct Place<'v> {
    view: &'v View,
    /// The name of the source, empty for the chart's own.
    reference: &'v str,
    path: TreePath,
}

impl Located<'_> {
    /// What people know the file by; of an address, which may hold a credential, only its end.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Here(place) if place.reference.is_empty() => place.path.to_string(),
            Self::Here(place) => format!("{}/{}", place.reference, place.path),
            Self::Fetched(url, _) | Self::Elsewhere(url) => {
                let path = url.split(['?', '#']).next().unwrap_or_default();
                path.rsplit('/').next().unwrap_or_default().to_owned()
            }
        }
    }

    /// The file's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, FileError> {
        match self {
            Self::Here(place) => place.read(),
            Self::Fetched(_, content) => Ok(content.to_vec()),
            Self::Elsewhere(url) => Err(FileError::Remote(url.clone())),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Here(one), Self::Here(other)) => one.is(other),
            (Self::Fetched(one, _), Self::Fetched(other, _)) => one == other,
            _ => false,
        }
    }
}

impl Place<'_> {
    fn read(&self) -> Result<Vec<u8>, FileError> {
        match self.view.resolve(&self.path)? {
            Some(target) if target.kind == Kind::File => Ok(self.view.read(&target.path)?),
            Some(_) => Err(FileError::NotAFile(self.path.to_string())),
            None => Err(FileError::Missing(self.path.to_string())),
        }
    }

    fn exists(&self) -> Result<bool, TreeError> {
        Ok(self.view.resolve(&self.path)?.is_some())
    }

    fn is_pattern(&self) -> bool {
        glob::is_pattern(self.path.as_str())
    }

    fn is(&self, other: &Self) -> bool {
        self.reference == other.reference && self.path == other.path
    }
}

/// Resolves the paths in one chart's parameters.
pub(super) struct Files<'v> {
    pub(super) views: &'v Views,
    pub(super) directory: &'v TreePath,
    pub(super) request: &'v Request<'v>,
}

impl<'v> Files<'v> {
    /// The values files in the order in which they count: each once, and one that is named stands
    /// where it is named although a pattern finds it too.
    pub(super) fn values(
        &self,
        paths: &[String],
        ignore_missing: bool,
    ) -> Result<Vec<Located<'v>>, FileError> {
        let located = paths.iter().map(|path| self.locate(path));
        let named: Vec<_> = located
            .filter_map(Result::ok)
            .filter(|file| !matches!(file, Located::Here(place) if place.is_pattern()))
            .collect();
        let mut files: Vec<Located<'v>> = Vec::new();
        let mut keep = |file: Located<'v>| {
            if !files.iter().any(|kept| kept.is(&file)) {
                files.push(file);
            }
        };
        for path in paths {
            let place = match self.locate(path)? {
                Located::Here(place) => place,
                Located::Elsewhere(url) => return Err(FileError::Remote(url)),
                fetched @ Located::Fetched(..) => {
                    keep(fetched);
                    continue;
                }
            };
            if !place.is_pattern() {
                if place.exists()? {
                    keep(Located::Here(place));
                } else if !ignore_missing {
                    return Err(FileError::Missing(path.clone()));
                }
                continue;
            }
            let found = expand(&place, path)?;
            if found.is_empty() && !ignore_missing {
                return Err(FileError::NoMatch(path.clone()));
            }
            for file in found.into_iter().map(Located::Here) {
                if !named.iter().any(|named| named.is(&file)) {
                    keep(file);
                }
            }
        }
        Ok(files)
    }

    /// The files of the chart's parameters that lie elsewhere.
    pub(super) fn remote(&self, options: &ApplicationSourceHelm) -> Vec<Need> {
        let parameters = options.file_parameters.iter().map(|one| &one.path);
        let paths = parameters.chain(&options.value_files);
        // What is wrong with a path is told when it is read.
        let located = paths.filter_map(|path| self.locate(path).ok());
        located
            .filter_map(|file| match file {
                Located::Elsewhere(url) => Some(Need::File(url)),
                _ => None,
            })
            .collect()
    }

    /// The file that a path means; whether it exists is not looked at.
    pub(super) fn locate(&self, raw: &str) -> Result<Located<'v>, FileError> {
        if let Some((name, rest)) = reference(raw)
            && let Some((name, view)) = self.reference(name)?
        {
            if rest.trim_matches('/').is_empty() {
                return Err(FileError::NoPath(raw.to_owned()));
            }
            let path = self.request.environment.expand(&format!("/{rest}"));
            return resolve(view, name, &TreePath::root(), &path);
        }
        let path = self.request.environment.expand(raw);
        if let Some(scheme) = scheme(&path) {
            let mut allowed = self.request.values_file_schemes.split(',').map(str::trim);
            if !allowed.any(|allowed| allowed.eq_ignore_ascii_case(scheme)) {
                return Err(FileError::Scheme(scheme.to_owned()));
            }
            let fetched = self.request.fetched.and_then(|fetched| fetched.file(&path));
            return Ok(match fetched {
                Some(content) => Located::Fetched(path, content),
                None => Located::Elsewhere(path),
            });
        }
        resolve(self.views.own(), "", self.directory, &path)
    }

    /// The source behind `$name`; `None` if it is a variable.
    fn reference(&self, name: &str) -> Result<Option<(&'v str, &'v View)>, FileError> {
        let known = self.views.reference_names().find(|known| *known == name);
        if let Some(known) = known {
            return Ok(self.views.reference(known).map(|view| (known, view)));
        }
        let is_variable = self.request.environment.get(name).is_some();
        if self.request.refs.is_none() || is_variable {
            return Ok(None);
        }
        let names: Vec<_> = self.views.reference_names().collect();
        Err(FileError::UnknownRef {
            name: format!("${name}"),
            what: if names.is_empty() {
                "but no source has a 'ref' field defined".to_owned()
            } else {
                let names: Vec<_> = names.iter().map(|name| format!("${name}")).collect();
                format!(
                    "which is not one of the available sources ({})",
                    names.join(", ")
                )
            },
        })
    }
}

/// Name and rest of a `$name/rest`.
fn reference(raw: &str) -> Option<(&str, &str)> {
    let raw = raw.strip_prefix('$')?;
    Some(raw.split_once('/').unwrap_or((raw, "")))
}

/// The scheme of an address, as Go's parser finds it.
fn scheme(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))?;
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
    (starts_well && text[end..].starts_with(':')).then(|| &text[..end])
}

fn resolve<'v>(
    view: &'v View,
    reference: &'v str,
    directory: &TreePath,
    path: &str,
) -> Result<Located<'v>, FileError> {
    let outside = |_| FileError::Outside(path.to_owned());
    let located = directory.join(path).map_err(outside)?;
    if located.is_root() {
        return Err(FileError::Root(path.to_owned()));
    }
    let target = match view.resolve(&located) {
        Ok(target) => target.map_or(located, |target| target.path),
        Err(TreeError::LinkOutsideRoot { .. }) => return Err(FileError::Outside(path.to_owned())),
        Err(error) => return Err(error.into()),
    };
    Ok(Located::Here(Place {
        view,
        reference,
        path: target,
    }))
}

fn expand<'v>(pattern: &Place<'v>, raw: &str) -> Result<Vec<Place<'v>>, FileError> {
    let refuse = |why: String| FileError::Pattern(raw.to_owned(), why);
    let found =
        glob::expand(pattern.view, &pattern.path).map_err(|error| refuse(error.to_string()))?;
    let mut files = Vec::new();
    for path in found {
        let file = Place {
            path,
            ..pattern.clone()
        };
        match file.exists() {
            Ok(true) => files.push(file),
            Ok(false) => return Err(FileError::Missing(file.path.to_string())),
            Err(TreeError::LinkOutsideRoot { path, .. }) => {
                return Err(refuse(format!(
                    "glob match \"{path}\" resolved to outside repository root"
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_found_as_go_finds_them() {
        assert_eq!(scheme("https://x/y"), Some("https"));
        assert_eq!(scheme("a:b"), Some("a"));
        assert_eq!(scheme("a/b:c"), None);
        assert_eq!(scheme("1a:b"), None);
        assert_eq!(scheme(":b"), None);
        assert_eq!(scheme("plain.yaml"), None);
    }
}
