//! Archives on disk by their digest, and what fixed versions mean.
//!
//! What is read is checked against its digest, so that damage is a miss. Everything but
//! [`Store::is_loaded`] and [`Store::meaning`] may block for a read or write of a disk.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use argosy_registry::Digest;
use serde::{Deserialize, Serialize};

use super::remote::Name;
use crate::{
    disk::{Disk, Folder},
    disk_cache::DiskCache,
    source::sources::lock,
};

/// Archives, and what versions mean.
pub(super) struct Store {
    archives: DiskCache,
    /// A file for each remote.
    versions: Arc<dyn Folder>,
    /// What was read of `versions` or written there, by the name of the file. It is not held while a
    /// disk is read or written.
    known: Mutex<BTreeMap<String, Versions>>,
    /// Held while one is.
    writing: Mutex<()>,
}

/// What the versions of one remote mean.
type Versions = BTreeMap<String, Meaning>;

/// What a fixed version means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meaning {
    /// The digest of the archive, in hexadecimal digits.
    pub(super) archive: String,
    /// Whether one directory holds all its files, as in packaged charts.
    pub(super) has_base: bool,
}

impl Store {
    /// The store on `disk`, whose archives may have `quota` bytes together.
    pub(super) fn open(disk: &Disk, quota: u64) -> io::Result<Self> {
        Ok(Self {
            archives: DiskCache::new(disk.folder("charts")?, quota)?,
            versions: disk.folder("chart-versions")?,
            known: Mutex::default(),
            writing: Mutex::default(),
        })
    }

    /// The archive with this digest, if it is here and whole.
    pub(super) fn archive(&self, digest: &Digest) -> Option<Vec<u8>> {
        let archive = self.archives.get(digest.hex())?;
        if Digest::of(&archive) == *digest {
            return Some(archive);
        }
        self.archives.remove(digest.hex());
        None
    }

    /// Keeps an archive.
    pub(super) fn keep(&self, digest: &Digest, archive: &[u8]) {
        self.archives.put(digest.hex(), archive);
    }

    /// Whether what the versions of a remote mean is in memory.
    pub(super) fn is_loaded(&self, remote: &Name) -> bool {
        lock(&self.known).contains_key(&remote.file())
    }

    /// Reads what the versions of a remote mean, unless that is in memory.
    pub(super) fn load(&self, remote: &Name) {
        let _writing = lock(&self.writing);
        if self.is_loaded(remote) {
            return;
        }
        let file = remote.file();
        // What is not there, or damaged, is asked for anew.
        let text = self.versions.read(&file).unwrap_or_default();
        let versions = serde_json::from_slice(&text).unwrap_or_default();
        lock(&self.known).insert(file, versions);
    }

    /// What a fixed version of a remote was found to mean, as far as that was loaded.
    pub(super) fn meaning(&self, remote: &Name, version: &str) -> Option<Meaning> {
        let known = lock(&self.known);
        known.get(&remote.file())?.get(version).cloned()
    }

    /// Remembers what a fixed version of a remote means.
    pub(super) fn remember(&self, remote: &Name, version: String, meaning: Meaning) {
        self.load(remote);
        let _writing = lock(&self.writing);
        let text = {
            let mut known = lock(&self.known);
            let versions = known.entry(remote.file()).or_default();
            versions.insert(version, meaning);
            serde_json::to_vec(versions).map_err(io::Error::other)
        };
        let written = text.and_then(|text| self.versions.write(&remote.file(), &text));
        if let Err(error) = written {
            tracing::warn!(%error, "what a chart's version means cannot be kept on disk");
        }
    }

    /// Forgets what the versions of a repository mean, to whomever.
    pub(super) fn forget(&self, url: &str) {
        let _writing = lock(&self.writing);
        lock(&self.known).retain(|file, _| !Name::is_of(file, url));
        for file in self.versions.files().unwrap_or_default() {
            if Name::is_of(&file.name, url)
                && let Err(error) = self.versions.remove(&file.name)
            {
                tracing::warn!(%error, "what a chart's versions mean cannot be forgotten on disk");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Repository;

    #[test]
    fn a_damaged_archive_is_a_miss() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&Disk::below(data.path()), 1000).unwrap();
        let digest = Digest::of(b"chart");
        store.keep(&digest, b"chart");
        assert_eq!(store.archive(&digest).unwrap(), b"chart");
        store.archives.put(digest.hex(), b"damaged");
        assert_eq!(store.archive(&digest), None);
    }

    #[test]
    fn meanings_are_remembered_until_they_are_forgotten() {
        let data = tempfile::tempdir().unwrap();
        let meaning = |archive: &str| Meaning {
            archive: archive.to_owned(),
            has_base: true,
        };
        let open = || Store::open(&Disk::below(data.path()), 1).unwrap();
        let name = |url| Name::of(&Repository::public(url));
        let (one, two) = (
            name("https://one.example.com/charts"),
            name("https://two.example.com"),
        );
        let version = || "web@1.0.0".to_owned();
        let store = open();
        store.remember(&one, version(), meaning("a"));
        store.remember(&two, version(), meaning("b"));
        // One that has not asked yet.
        let other = open();
        other.forget("https://one.example.com/charts/");
        for store in [other, open()] {
            store.load(&one);
            store.load(&two);
            assert_eq!(store.meaning(&one, "web@1.0.0"), None);
            assert_eq!(store.meaning(&two, "web@1.0.0"), Some(meaning("b")));
        }
    }
}
