//! What the machine tells a hub: the variables of its environment, and files that whoever runs it
//! puts there, such as certificate authorities and the tokens of a cloud.

use std::{fmt, fs, io, path::Path, sync::Arc};

/// Variables and files.
#[derive(Clone)]
pub struct Surroundings {
    variable: Arc<Variable>,
    file: Arc<File>,
}

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;
type File = dyn Fn(&Path) -> io::Result<String> + Send + Sync;

impl Surroundings {
    /// Those of this process.
    pub fn system() -> Self {
        Self::from_fns(
            |name| std::env::var(name).ok(),
            |path| fs::read_to_string(path),
        )
    }

    /// No variable and no file.
    pub fn none() -> Self {
        Self::from_fns(|_| None, |_| Err(io::ErrorKind::NotFound.into()))
    }

    /// What these answer.
    pub fn from_fns(
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        file: impl Fn(&Path) -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            variable: Arc::new(variable),
            file: Arc::new(file),
        }
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|text| !text.is_empty())
    }

    /// The text of a file; the error names it.
    pub(crate) fn file(&self, path: &Path) -> Result<String, String> {
        (self.file)(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}
