//! Charts and artifacts: what sources take from Helm repositories and OCI registries.
//!
//! [`Charts`] is the door, as [`super::Sources`] is to git. An index is read once for all who ask,
//! content is kept by its digest, and what a fixed version means is remembered on disk, so that it
//! needs no remote and never changes until somebody asks for a hard refresh. What a remote sent is
//! unpacked in memory, within limits; nothing of it is ever a path on this machine.

mod answers;
mod package;
mod remote;
mod store;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use argosy_registry::{Digest, unpack, without_base};
use argosy_render::MemoryTree;
use tokio::sync::Semaphore;

pub use package::Package;

use super::{Repository, SourceError, counters::Counters, sources::Limits};
use crate::{blocking::Blocking, disk::Disk, http::Network};
use remote::{Door, Remote};
use store::{Meaning, Store};

/// How many bytes of archives are kept on disk.
const QUOTA: u64 = 1024 * 1024 * 1024;

/// How many bytes of unpacked charts are kept in memory.
const UNPACKED: u64 = 64 * 1024 * 1024;

/// The largest file of values that is fetched.
const FILE_LIMIT: u64 = 10 * 1024 * 1024;

/// All repositories of charts that were ever asked. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Charts {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    store: Arc<Store>,
    network: Network,
    blocking: Blocking,
    running: Arc<Semaphore>,
    counters: Arc<Counters>,
    remotes: Mutex<BTreeMap<remote::Name, Arc<Remote>>>,
    unpacked: moka::sync::Cache<(Digest, bool), Arc<MemoryTree>>,
}

/// A chart or artifact at one version.
#[derive(Clone)]
pub struct Chart {
    /// What the status shows: the version of a chart, the digest of an artifact.
    pub revision: String,
    /// The digest of its archive.
    pub digest: String,
    /// Its files.
    pub tree: Arc<MemoryTree>,
}

impl Charts {
    /// Reaches repositories through `network`, and keeps archives on `disk`.
    pub fn new(
        disk: &Disk,
        network: Network,
        blocking: Blocking,
        limits: Limits,
    ) -> io::Result<Self> {
        let weigh = |_: &(Digest, bool), tree: &Arc<MemoryTree>| {
            u32::try_from(tree.bytes()).unwrap_or(u32::MAX)
        };
        Ok(Self {
            shared: Arc::new(Shared {
                store: Arc::new(Store::open(disk, QUOTA)?),
                network,
                blocking,
                running: Arc::new(Semaphore::new(limits.parallel.max(1))),
                counters: Arc::new(Counters::new(true)),
                limits,
                remotes: Mutex::default(),
                unpacked: moka::sync::Cache::builder()
                    .max_capacity(UNPACKED)
                    .weigher(weigh)
                    .build(),
            }),
        })
    }

    /// The chart or artifact that `revision` means; `pass_credentials` shows them to every host that
    /// the index of the repository names.
    pub async fn fetch(
        &self,
        repository: &Repository,
        package: &Package,
        revision: &str,
        pass_credentials: bool,
    ) -> Result<Chart, SourceError> {
        let remote = self.remote(repository)?;
        if !self.shared.store.is_loaded(remote.name()) {
            let name = remote.name().clone();
            self.stored(move |store| store.load(&name)).await;
        }
        if let Some((known, _)) = self.meaning(&remote, package, revision)
            && let Package::Indexed { chart } = package
            && let Some(now) = remote.published(chart, revision)
        {
            is_unchanged(repository, package, revision, &known, &now)?;
        }
        if let Some((digest, has_base)) = self.meaning(&remote, package, revision)
            && let Some(tree) = self.shared.unpacked.get(&(digest.clone(), has_base))
        {
            return Ok(chart(revision, &digest, tree));
        }
        // What many applications want is downloaded and unpacked once.
        let _turn = remote.turn().await;
        if let Some((digest, has_base)) = self.meaning(&remote, package, revision)
            && let Some(tree) = self.kept(&remote, &digest, has_base).await?
        {
            return Ok(chart(revision, &digest, tree));
        }
        let located = remote.locate(package, revision).await?;
        let known = self.meaning(&remote, package, &located.revision);
        let known = known.map(|(digest, _)| digest);
        if let (Some(known), Some(now)) = (&known, located.digest()) {
            is_unchanged(repository, package, &located.revision, known, now)?;
        }
        if let Some(digest) = known.as_ref().or(located.digest())
            && let Some(tree) = self.kept(&remote, digest, located.has_base()).await?
        {
            return Ok(chart(&located.revision, digest, tree));
        }
        let archive = remote.download(&located, pass_credentials).await?;
        let digest = Digest::of(&archive);
        let tree = self
            .open(&remote, &digest, archive.to_vec(), located.has_base())
            .await?;
        let fixed = package.is_fixed_at(&located.revision).then(|| {
            let meaning = Meaning {
                archive: digest.hex().to_owned(),
                has_base: located.has_base(),
            };
            (at(package, &located.revision), meaning)
        });
        let (name, kept) = (remote.name().clone(), digest.clone());
        let keeping = self.stored(move |store| {
            store.keep(&kept, &archive);
            if let Some((version, meaning)) = fixed {
                store.remember(&name, version, meaning);
            }
        });
        keeping.await;
        Ok(chart(&located.revision, &digest, tree))
    }

    /// What a fixed version was found to mean before.
    fn meaning(
        &self,
        remote: &Remote,
        package: &Package,
        revision: &str,
    ) -> Option<(Digest, bool)> {
        let meaning = self
            .shared
            .store
            .meaning(remote.name(), &at(package, revision))?;
        Some((Digest::parse(&meaning.archive)?, meaning.has_base))
    }

    /// The packaged chart that another depends on, as it is put into that chart's `charts` folder.
    pub async fn archive(
        &self,
        repository: &Repository,
        package: &Package,
        version: &str,
        pass_credentials: bool,
    ) -> Result<Arc<[u8]>, SourceError> {
        let chart = self
            .fetch(repository, package, version, pass_credentials)
            .await?;
        let archive = match Digest::parse(&chart.digest) {
            Some(digest) => self
                .stored(move |store| store.archive(&digest))
                .await
                .flatten(),
            None => None,
        };
        archive.map(Into::into).ok_or_else(|| {
            let why = "the archive could not be kept on disk; is there room in the data directory?";
            SourceError::Content {
                url: repository.url.clone(),
                why: why.to_owned(),
            }
        })
    }

    /// A file with values. The repository is one of [`super::Repositories::unregistered`].
    pub async fn file(&self, repository: &Repository) -> Result<Arc<[u8]>, SourceError> {
        self.remote(repository)?.file(FILE_LIMIT).await
    }

    /// Asks whether the repository answers and accepts the credentials.
    pub async fn test(&self, repository: &Repository) -> Result<(), SourceError> {
        self.remote(repository)?.test().await
    }

    /// Has the repository asked anew for what it has.
    pub fn refresh(&self, url: &str) {
        let remotes = super::sources::lock(&self.shared.remotes);
        for remote in remotes.values().filter(|remote| remote.is_at(url)) {
            remote.refresh();
        }
    }

    /// Forgets what fixed versions mean, so that their content is fetched anew.
    pub async fn forget(&self, url: &str) {
        self.refresh(url);
        let url = url.to_owned();
        self.stored(move |store| store.forget(&url)).await;
    }

    /// What was asked of remotes since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// How many bytes of unpacked charts are kept in memory.
    pub fn unpacked_bytes(&self) -> u64 {
        self.shared.unpacked.run_pending_tasks();
        self.shared.unpacked.weighted_size()
    }

    fn remote(&self, repository: &Repository) -> Result<Arc<Remote>, SourceError> {
        repository.usable()?;
        let name = remote::Name::of(repository);
        let mut remotes = super::sources::lock(&self.shared.remotes);
        if let Some(known) = remotes.get(&name) {
            return Ok(Arc::clone(known));
        }
        let Shared {
            limits,
            network,
            blocking,
            ..
        } = self.shared.as_ref();
        let http = network.open(&repository.terms(limits.fetch_timeout));
        let http = http.map_err(|why| SourceError::Credentials {
            url: repository.url.clone(),
            why,
        })?;
        let door = Door {
            running: Arc::clone(&self.shared.running),
            counters: Arc::clone(&self.shared.counters),
        };
        let remote = Remote::new(name.clone(), repository, http, *limits, door, *blocking);
        let remote = Arc::new(remote);
        remotes.insert(name, Arc::clone(&remote));
        Ok(remote)
    }

    /// The files of an archive that is in memory or on disk.
    async fn kept(
        &self,
        remote: &Remote,
        digest: &Digest,
        has_base: bool,
    ) -> Result<Option<Arc<MemoryTree>>, SourceError> {
        let content = (digest.clone(), has_base);
        if let Some(tree) = self.shared.unpacked.get(&content) {
            return Ok(Some(tree));
        }
        let wanted = digest.clone();
        let archive = self.stored(move |store| store.archive(&wanted)).await;
        match archive.flatten() {
            Some(archive) => self.open(remote, digest, archive, has_base).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads or writes what is on disk, where it holds nobody up; `None` if that panics.
    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Option<T> {
        let store = Arc::clone(&self.shared.store);
        let done = self.shared.blocking.run(move || work(&store));
        Box::pin(done)
            .await
            .inspect_err(|error| tracing::error!(%error, "the store of charts failed"))
            .ok()
    }

    async fn open(
        &self,
        remote: &Remote,
        digest: &Digest,
        archive: Vec<u8>,
        has_base: bool,
    ) -> Result<Arc<MemoryTree>, SourceError> {
        let unpacking = self
            .shared
            .blocking
            .run(move || unpacked(&archive, has_base));
        let tree = match unpacking.await {
            Ok(Ok(tree)) => Arc::new(tree),
            Ok(Err(error)) => return Err(remote.unusable(error.to_string())),
            Err(panic) => return Err(remote.unusable(panic.to_string())),
        };
        let content = (digest.clone(), has_base);
        self.shared.unpacked.insert(content, Arc::clone(&tree));
        Ok(tree)
    }
}

/// A version that is published anew with other content is refused: whoever wants it says so with a
/// hard refresh.
fn is_unchanged(
    repository: &Repository,
    package: &Package,
    revision: &str,
    known: &Digest,
    now: &Digest,
) -> Result<(), SourceError> {
    if known == now {
        return Ok(());
    }
    Err(SourceError::DigestChanged {
        url: repository.url.clone(),
        package: package.to_string(),
        revision: revision.to_owned(),
        known: known.to_string(),
        now: now.to_string(),
    })
}

/// A package at a version, as the store names it.
fn at(package: &Package, revision: &str) -> String {
    format!("{package:?}@{revision}")
}

fn chart(revision: &str, digest: &Digest, tree: Arc<MemoryTree>) -> Chart {
    Chart {
        revision: revision.to_owned(),
        digest: digest.to_string(),
        tree,
    }
}

fn unpacked(archive: &[u8], has_base: bool) -> Result<MemoryTree, argosy_registry::ArchiveError> {
    let mut files = unpack(archive, argosy_registry::Limits::default())?;
    if has_base {
        files = without_base(files)?;
    }
    Ok(files.into_iter().collect())
}
