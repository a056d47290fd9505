//! Large files of git repositories (git-lfs), by their digest on disk.
//!
//! A render meets the text that stands for a file and says what it needs; that is fetched, and the
//! render is made again. What is read is checked against its digest, so that damage is a miss.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex},
};

use argosy_registry::{Digest, LargeFile};

use super::{Repository, SourceError, Sources, sources::lock};
use crate::{blocking::Blocking, disk::Disk, disk_cache::DiskCache};

/// How many bytes of large files are kept on disk.
const QUOTA: u64 = 1024 * 1024 * 1024;

/// The large files that are here. Every call may block for a read or write of a disk.
pub(crate) struct LargeStore(DiskCache);

impl LargeStore {
    /// The content of a file, if it is here and whole.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let content = self.0.get(digest.hex())?;
        if Digest::of(&content) == *digest {
            return Some(content);
        }
        self.0.remove(digest.hex());
        None
    }
}

impl fmt::Debug for LargeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LargeStore")
    }
}

/// Fetches large files, each once.
pub(crate) struct LargeFiles {
    store: Arc<LargeStore>,
    blocking: Blocking,
    /// Held while the files of a repository are fetched.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl LargeFiles {
    /// Those that are kept on `disk`.
    pub(crate) fn new(disk: &Disk, blocking: Blocking) -> io::Result<Self> {
        let store = DiskCache::new(disk.folder("large-files")?, QUOTA)?;
        Ok(Self {
            store: Arc::new(LargeStore(store)),
            blocking,
            turns: Mutex::default(),
        })
    }

    /// What trees read from.
    pub(crate) fn store(&self) -> &Arc<LargeStore> {
        &self.store
    }

    /// Fetches those of `files` that are not here.
    pub(crate) async fn fetch(
        &self,
        sources: &Sources,
        repository: &Repository,
        files: Vec<LargeFile>,
    ) -> Result<(), SourceError> {
        let turn = Arc::clone(lock(&self.turns).entry(repository.key()).or_default());
        let _turn = turn.lock().await;
        let missing = |store: &LargeStore| {
            let is_missing = |file: &LargeFile| store.get(&file.digest).is_none();
            files.into_iter().filter(is_missing).collect::<Vec<_>>()
        };
        let missing = self.stored(repository, missing).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let contents = sources.large_files(repository, &missing).await?;
        let kept = move |store: &LargeStore| {
            let mut all = missing.iter().zip(&contents);
            all.all(|(file, content)| {
                store.0.put(file.digest.hex(), content);
                store.get(&file.digest).is_some()
            })
        };
        if self.stored(repository, kept).await? {
            return Ok(());
        }
        Err(SourceError::Content {
            url: repository.url.clone(),
            why: "its large files could not be kept on disk; is there room in the data directory?"
                .to_owned(),
        })
    }

    async fn stored<T: Send + 'static>(
        &self,
        repository: &Repository,
        work: impl FnOnce(&LargeStore) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let store = Arc::clone(&self.store);
        let done = self.blocking.run(move || work(&store)).await;
        done.map_err(|panic| SourceError::Content {
            url: repository.url.clone(),
            why: panic.to_string(),
        })
    }
}
