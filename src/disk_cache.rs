//! Files in a folder, up to a limit on their bytes.
//!
//! A cache: all of it may be deleted at any time, and a disk that is full costs work and nothing
//! else.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::disk::Folder;

/// How much is left, in tenths of the quota, when files had to go: making room takes a look at all.
const LEFT: u64 = 9;

/// A folder of files.
pub(crate) struct DiskCache {
    folder: Arc<dyn Folder>,
    quota: u64,
    bytes: AtomicU64,
}

impl DiskCache {
    /// The files of `folder`, which may have `quota` bytes together.
    pub(crate) fn new(folder: Arc<dyn Folder>, quota: u64) -> io::Result<Self> {
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
        self.folder.read(name).ok()
    }

    /// Keeps a file. A failure is told in the log and costs nothing but the work that it would have
    /// saved.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let size = content.len() as u64;
        let kept = self.folder.write(name, content).and_then(|()| {
            let before = self.bytes.fetch_add(size, Ordering::Relaxed);
            if before + size > self.quota {
                self.make_room()?;
            }
            Ok(())
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "a file cannot be kept on disk");
        }
    }

    /// Removes a file. What is not there is removed.
    pub(crate) fn remove(&self, name: &str) {
        let _ = self.folder.remove(name);
    }

    /// Removes everything.
    pub(crate) fn clear(&self) {
        for file in self.folder.files().unwrap_or_default() {
            self.remove(&file.name);
        }
        self.bytes.store(0, Ordering::Relaxed);
    }

    fn make_room(&self) -> io::Result<()> {
        let files = self.folder.files()?;
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        if bytes > self.quota {
            for file in files {
                if bytes <= self.quota / 10 * LEFT {
                    break;
                }
                self.folder.remove(&file.name)?;
                bytes -= file.bytes;
            }
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;

    #[test]
    fn files_stay_below_the_quota_and_the_last_used_stay_longest() {
        let data = tempfile::tempdir().unwrap();
        let disk = Disk::below(data.path());
        let open = |quota| DiskCache::new(disk.folder("c").unwrap(), quota).unwrap();
        let cache = open(1000);
        let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
        for (later, name) in (0..).zip(["a", "b", "c"]) {
            cache.put(name, &[0; 300]);
            let file = std::fs::File::open(data.path().join("c").join(name)).unwrap();
            file.set_modified(old + std::time::Duration::from_secs(later))
                .unwrap();
        }
        assert!(cache.get("a").is_some());
        cache.put("d", &[0; 300]);
        let kept = ["a", "b", "c", "d"].map(|name| cache.get(name).is_some());
        assert_eq!(kept, [true, false, true, true]);
        drop(cache);
        let smaller = open(700);
        assert_eq!(smaller.folder.files().unwrap().len(), 2);
        smaller.clear();
        assert_eq!(smaller.get("d"), None);
    }
}
