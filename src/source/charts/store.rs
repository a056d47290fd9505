//! Archives on disk by their digest, and what fixed versions mean.
//!
//! What is read is checked against its digest, so that damage is a miss.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use argosy_registry::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    disk_cache::{DiskCache, write},
    source::sources::lock,
};

/// Archives, and what versions mean.
pub(super) struct Store {
    archives: DiskCache,
    names: PathBuf,
    /// What was read of `names` or written there, by remote.
    known: Mutex<BTreeMap<String, BTreeMap<String, Meaning>>>,
}

/// What a fixed version means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meaning {
    /// The digest of the archive, in hexadecimal digits.
    pub(super) archive: String,
    /// Whether one directory holds all its files, as in packaged charts.
    pub(super) has_base: bool,
}

impl Store {
    /// Opens the store in `folder`, which is created if need be.
    pub(super) fn open(folder: &Path, quota: u64) -> io::Result<Self> {
        let names = folder.join("versions");
        fs::create_dir_all(&names)?;
        Ok(Self {
            archives: DiskCache::open(folder.join("archives"), quota)?,
            names,
            known: Mutex::default(),
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

    /// What a fixed version of a remote was found to mean.
    pub(super) fn meaning(&self, remote: &str, version: &str) -> Option<Meaning> {
        let known =
            |all: &BTreeMap<String, BTreeMap<_, Meaning>>| all.get(remote)?.get(version).cloned();
        if let Some(meaning) = known(&lock(&self.known)) {
            return Some(meaning);
        }
        let text = fs::read(self.names.join(remote).join(name(version))).ok()?;
        let meaning: Meaning = serde_json::from_slice(&text).ok()?;
        self.know(remote, version, &meaning);
        Some(meaning)
    }

    /// Remembers what a fixed version of a remote means.
    pub(super) fn remember(&self, remote: &str, version: &str, meaning: &Meaning) {
        self.know(remote, version, meaning);
        let folder = self.names.join(remote);
        let written = serde_json::to_vec(meaning)
            .map_err(io::Error::other)
            .and_then(|text| {
                fs::create_dir_all(&folder)?;
                write(&folder, &name(version), &text)
            });
        if let Err(error) = written {
            tracing::warn!(%error, "what a chart's version means cannot be kept on disk");
        }
    }

    /// Forgets what the versions of a remote mean.
    pub(super) fn forget(&self, remote: &str) {
        lock(&self.known).remove(remote);
        // What is not there is forgotten.
        let _ = fs::remove_dir_all(self.names.join(remote));
    }

    fn know(&self, remote: &str, version: &str, meaning: &Meaning) {
        let mut known = lock(&self.known);
        let of_remote = known.entry(remote.to_owned()).or_default();
        of_remote.insert(version.to_owned(), meaning.clone());
    }
}

/// A file's name for any text.
fn name(text: &str) -> String {
    Digest::of(text.as_bytes()).hex().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_archive_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 1000).unwrap();
        let digest = Digest::of(b"chart");
        store.keep(&digest, b"chart");
        assert_eq!(store.archive(&digest).unwrap(), b"chart");
        store.archives.put(digest.hex(), b"damaged");
        assert_eq!(store.archive(&digest), None);
    }

    #[test]
    fn meanings_are_remembered_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let meaning = |archive: &str| Meaning {
            archive: archive.to_owned(),
            has_base: true,
        };
        let open = || Store::open(folder.path(), 1).unwrap();
        let store = open();
        store.remember("one", "web@1.0.0", &meaning("a"));
        store.remember("two", "web@1.0.0", &meaning("b"));
        store.forget("one");
        for store in [store, open()] {
            assert_eq!(store.meaning("one", "web@1.0.0"), None);
            assert_eq!(store.meaning("two", "web@1.0.0"), Some(meaning("b")));
        }
    }
}
