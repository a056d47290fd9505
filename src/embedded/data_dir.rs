//! The directory that a process of ours has for itself: one process at a time, readable by its user
//! alone.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// A directory that is ours until this is dropped.
pub struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is not there, and takes it; fails if another process has it.
    pub fn open(path: &Path) -> Result<Self, Diagnostic> {
        let unusable = |error: io::Error| unusable(path, &error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let root = path.canonicalize().map_err(unusable)?;
        let lock = private(&root.join("lock"), false).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Diagnostic::user(
                "DataDirInUse",
                "another argosy is running with the same data directory",
            )
            .at(path.display().to_string())
            .fix("end it, or name another directory with --data")),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The path of something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file that only the user can read, at once or not at all; returns its path.
    pub fn write_private(&self, name: &str, content: &str) -> Result<PathBuf, Diagnostic> {
        let path = self.path(name);
        let unfinished = self.path(&format!(".{name}.new"));
        let write = || {
            private(&unfinished, true)?.write_all(content.as_bytes())?;
            std::fs::rename(&unfinished, &path)
        };
        write().map_err(|error| unusable(&path, &error))?;
        Ok(path)
    }

    /// Makes an empty file that only the user can read, for a log.
    pub fn create_private(&self, name: &str) -> Result<(PathBuf, File), Diagnostic> {
        let path = self.path(name);
        let file = private(&path, true).map_err(|error| unusable(&path, &error))?;
        Ok((path, file))
    }

    /// A random number that stays the same as long as the directory does.
    pub(super) fn seed(&self) -> Result<u64, Diagnostic> {
        let path = self.path("seed");
        match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|error| {
                Diagnostic::config("DataDirDamaged", "the seed is not a number")
                    .at(path.display().to_string())
                    .because(&error)
                    .fix("restore the file from a copy, or remove it: tokens of service accounts become invalid")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let seed = rand::random::<u64>();
                self.write_private("seed", &format!("{seed}\n"))?;
                Ok(seed)
            }
            Err(error) => Err(unusable(&path, &error)),
        }
    }
}

/// Opens a file for writing that only the user can read.
fn private(path: &Path, truncate: bool) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(truncate)
        .mode(0o600)
        .open(path)
}

fn unusable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::config("DataDirUnusable", "cannot use the data directory")
        .at(path.display().to_string())
        .because(error)
        .fix("name a directory that can be written with --data")
}
