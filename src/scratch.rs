//! The folder of a command that reads repositories for a moment: mirrors, and keys for ssh.
//!
//! It goes with the command. What one left that was killed, the next one removes, where the user has a
//! home; without one the folder lies where the machine keeps what is temporary, and so does what is
//! left.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;

/// Below the user's home.
const PLACE: &str = ".argosy/scratch";

/// Held by all commands that have a folder, and by nobody else. It is never removed.
const LOCK: &str = "lock";

/// A folder that only its user can read, and that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    /// Let go of after the folder is gone, or when the process is.
    _lock: Option<File>,
}

impl Scratch {
    /// A new folder.
    pub(crate) fn new() -> io::Result<Self> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        if let Some(home) = home
            && let Ok(scratch) = Self::below(&home.join(PLACE))
        {
            return Ok(scratch);
        }
        Ok(Self {
            folder: private().tempdir()?,
            _lock: None,
        })
    }

    /// A new folder in `place`, from which all others are removed that nobody has any more.
    fn below(place: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(place)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(place.join(LOCK))?;
        // Nobody makes a folder meanwhile: who has one shares the lock.
        if lock.try_lock().is_ok() {
            clear(place)?;
            lock.unlock()?;
        }
        lock.lock_shared()?;
        Ok(Self {
            folder: private().tempdir_in(place)?,
            _lock: Some(lock),
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes folders that only their user can read.
fn private() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(fs::Permissions::from_mode(0o700));
    builder
}

/// Removes all folders.
fn clear(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_command_left_goes_with_the_next_and_what_is_in_use_stays() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join(PLACE);
        let first = Scratch::below(&place).unwrap();
        let second = Scratch::below(&place).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(first.path())), (0o700, 0o700));

        // Of a process that is killed nothing is dropped, and its locks go.
        let Scratch {
            folder,
            _lock: lock,
        } = second;
        let left = folder.keep();
        fs::write(left.join("key"), "canary").unwrap();
        drop(lock);
        let third = Scratch::below(&place).unwrap();
        assert!(left.is_dir(), "somebody still works");
        drop((first, third));
        let last = Scratch::below(&place).unwrap();
        assert!(!left.exists());
        assert!(last.path().is_dir());
    }
}
