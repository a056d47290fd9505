//! The seam below what a hub keeps on disk: files by name, in a few folders of its data directory.
//!
//! A name is never a path, so that nothing outside a folder can be read or written. All of it may be
//! deleted at any time, and nobody ever sees a part of a file.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// One folder of files. Every call may block for a read or write of a disk.
pub trait Folder: Send + Sync {
    /// The content of a file, which is thereby used.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Writes a file as a whole, in the place of one with the same name.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// Removes a file. What is not there is removed.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Every file; what was used longest ago comes first.
    fn files(&self) -> io::Result<Vec<StoredFile>>;
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Opens folders by name.
#[derive(Clone)]
pub struct Disk(Arc<Open>);

type Open = dyn Fn(&str) -> io::Result<Arc<dyn Folder>> + Send + Sync;

impl Disk {
    /// Folders below `data`, made when they are opened; only the hub's own user can read them.
    pub fn below(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self::from_fn(move |name| {
            let folder = data.join(plain(name)?);
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)?;
            Ok(Arc::new(OnDisk(folder)))
        })
    }

    /// Folders that `open` gives.
    pub fn from_fn(
        open: impl Fn(&str) -> io::Result<Arc<dyn Folder>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(open))
    }

    /// The folder of this name.
    pub(crate) fn folder(&self, name: &str) -> io::Result<Arc<dyn Folder>> {
        (self.0)(name)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

/// A folder of this machine. A file was used when it was last modified.
struct OnDisk(PathBuf);

impl OnDisk {
    fn file(&self, name: &str) -> io::Result<PathBuf> {
        Ok(self.0.join(plain(name)?))
    }
}

impl Folder for OnDisk {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.file(name)?;
        let content = fs::read(&path)?;
        // If the time cannot be set, the file goes earlier.
        if let Ok(file) = fs::File::open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Ok(content)
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.file(name)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn files(&self) -> io::Result<Vec<StoredFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            // Somebody else may have removed it meanwhile.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                files.push((metadata.modified()?, metadata.len(), name));
            }
        }
        files.sort();
        let stored = |(_, bytes, name)| StoredFile { name, bytes };
        Ok(files.into_iter().map(stored).collect())
    }
}

/// A name that is one component of a path and nothing else.
fn plain(name: &str) -> io::Result<&Path> {
    let path = Path::new(name);
    if path
        .file_name()
        .is_some_and(|last| last == path.as_os_str())
    {
        return Ok(path);
    }
    let why = format!("{name:?} is no name of a file");
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_a_folder() {
        let data = tempfile::tempdir().unwrap();
        let disk = Disk::below(data.path());
        fs::write(data.path().join("secret"), "x").unwrap();
        let folder = disk.folder("one").unwrap();
        for name in ["../secret", "/etc/passwd", "..", ".", "", "a/b"] {
            assert!(folder.read(name).is_err(), "{name}");
            assert!(folder.write(name, b"x").is_err(), "{name}");
            assert!(folder.remove(name).is_err(), "{name}");
            assert!(disk.folder(name).is_err(), "{name}");
        }
        assert!(data.path().join("secret").is_file());
    }

    #[test]
    fn what_was_used_longest_ago_comes_first() {
        let data = tempfile::tempdir().unwrap();
        let folder = Disk::below(data.path()).folder("one").unwrap();
        let old = SystemTime::now() - std::time::Duration::from_hours(1);
        for (later, name) in (0..).zip(["a", "b", "c"]) {
            folder.write(name, name.as_bytes()).unwrap();
            let file = fs::File::open(data.path().join("one").join(name)).unwrap();
            file.set_modified(old + std::time::Duration::from_secs(later))
                .unwrap();
        }
        assert_eq!(folder.read("a").unwrap(), b"a");
        folder.remove("c").unwrap();
        folder.remove("c").unwrap();
        let names: Vec<_> = folder.files().unwrap();
        let names: Vec<_> = names.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
    }
}
