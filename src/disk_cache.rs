//! Files in a folder, up to a limit on their bytes.
//!
//! A cache: all of it may be deleted at any time, a disk that is full costs work and nothing else,
//! and nobody ever sees a part of a file. Only the hub's own user can read it.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// How much is left, in tenths of the quota, when files had to go: making room takes a look at all.
const LEFT: u64 = 9;

/// A folder of files.
#[derive(Debug)]
pub(crate) struct DiskCache {
    folder: PathBuf,
    quota: u64,
    bytes: AtomicU64,
}

impl DiskCache {
    /// Opens the folder, which is created if need be; its files may have `quota` bytes together.
    pub(crate) fn open(folder: PathBuf, quota: u64) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let cache = Self {
            folder,
            quota,
            bytes: AtomicU64::new(0),
        };
        cache.make_room()?;
        Ok(cache)
    }

    /// The file called `name`. What was used last goes last.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let content = fs::read(&path).ok()?;
        // If the time cannot be set, the file goes earlier.
        if let Ok(file) = fs::File::open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(content)
    }

    /// Keeps a file. A failure is told in the log and costs nothing but the work that it would have
    /// saved.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let size = content.len() as u64;
        let kept = write(&self.folder, name, content).and_then(|()| {
            let before = self.bytes.fetch_add(size, Ordering::Relaxed);
            if before + size > self.quota {
                self.make_room()?;
            }
            Ok(())
        });
        if let Err(error) = kept {
            tracing::warn!(folder = %self.folder.display(), %error, "a file cannot be kept on disk");
        }
    }

    /// Removes a file. What is not there is removed.
    pub(crate) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.folder.join(name));
    }

    /// Removes everything.
    pub(crate) fn clear(&self) {
        for (_, _, path) in self.files().unwrap_or_default() {
            let _ = fs::remove_file(path);
        }
        self.bytes.store(0, Ordering::Relaxed);
    }

    fn make_room(&self) -> io::Result<()> {
        let mut files = self.files()?;
        let mut bytes: u64 = files.iter().map(|(_, size, _)| size).sum();
        if bytes > self.quota {
            files.sort();
            for (_, size, path) in files {
                if bytes <= self.quota / 10 * LEFT {
                    break;
                }
                fs::remove_file(path)?;
                bytes -= size;
            }
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// When each file was used last, its size, and where it is.
    fn files(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Somebody else may have removed it meanwhile.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        Ok(files)
    }
}

/// Writes a file so that nobody ever sees a part of it.
pub(crate) fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(folder.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_below_the_quota_and_the_last_used_stay_longest() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path().join("c"), 1000).unwrap();
        let old = SystemTime::now() - std::time::Duration::from_hours(1);
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            cache.put(name, &[0; 300]);
            let file = fs::File::open(cache.folder.join(name)).unwrap();
            let later = u64::try_from(number).unwrap();
            file.set_modified(old + std::time::Duration::from_secs(later))
                .unwrap();
        }
        assert!(cache.get("a").is_some());
        cache.put("d", &[0; 300]);
        let kept = ["a", "b", "c", "d"].map(|name| cache.get(name).is_some());
        assert_eq!(kept, [true, false, true, true]);
        drop(cache);
        let smaller = DiskCache::open(folder.path().join("c"), 700).unwrap();
        assert_eq!(smaller.files().unwrap().len(), 2);
        smaller.clear();
        assert_eq!(smaller.get("d"), None);
    }
}
