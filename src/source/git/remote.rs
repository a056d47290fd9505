//! The seam below [`crate::source::Sources`]: where a repository's refs and objects come from.
//!
//! The hub reads mirrors of real remotes; a simulation hands in repositories of its own. Everything
//! that is read of a commit is read from its objects in git's own form, so that ids, trees and what
//! hangs on them are the same whoever serves them. Nothing here caches, counts or waits its turn:
//! that is above the seam.

use std::{fmt, sync::Arc, time::Duration};

use argosy_facts::Secret;
use gix::objs::{Data, Find, FindHeader, FindObjectOrHeader, Header};

use super::{
    RemoteRefs, Sha,
    mirror::{self, Mirror},
    mirrors::{DiskUse, Lease, Mirrors},
};
use crate::source::{Repository, SourceError};

/// The objects that are here, by id. Cloning is cheap and shares them.
#[derive(Clone)]
pub struct Objects(Arc<dyn FindObjectOrHeader + Send + Sync>);

impl Objects {
    /// Those of a store.
    pub fn new(store: impl FindObjectOrHeader + Send + Sync + 'static) -> Self {
        Self(Arc::new(store))
    }

    /// Those of a repository on this machine, and of every later fetch.
    pub(crate) fn of_repository(repository: gix::ThreadSafeRepository) -> Self {
        Self::new(Stored {
            store: repository.objects,
            _lease: None,
        })
    }

    /// Those of a mirror, which stays where it is for as long as anybody has them.
    pub(super) fn of_mirror(mirror: gix::ThreadSafeRepository, lease: Arc<Lease>) -> Self {
        Self::new(Stored {
            store: mirror.objects,
            _lease: Some(lease),
        })
    }
}

/// The objects of a repository, for many threads.
struct Stored {
    store: Arc<gix::odb::Store>,
    _lease: Option<Arc<Lease>>,
}

impl Find for Stored {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        self.store.to_handle_arc().try_find(id, buffer)
    }
}

impl FindHeader for Stored {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        self.store.to_handle_arc().try_header(id)
    }
}

impl Find for Objects {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        self.0.try_find(id, buffer)
    }
}

impl FindHeader for Objects {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        self.0.try_header(id)
    }
}

/// What to fetch.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// This commit, with as much history as the repository's `depth` says, or none.
    Commit(&'a Sha),
    /// Every branch and tag with all history.
    Everything,
}

/// One repository. Every call may block for as long as `limit` says, or for a read of a disk.
pub trait Remote: Send + Sync {
    /// Asks the remote for all its refs, without fetching anything.
    fn list_refs(&self, limit: Duration) -> Result<RemoteRefs, SourceError>;

    /// Fetches what is wanted, so that [`Remote::objects`] has it.
    fn fetch(&self, wanted: Wanted<'_>, limit: Duration) -> Result<(), SourceError>;

    /// The objects that were fetched, those of later fetches included.
    fn objects(&self) -> Result<Objects, SourceError>;

    /// The one fetched commit whose id begins with `prefix`; the inner error is a hint for the user,
    /// which starts with its own separator or is empty.
    fn complete(&self, prefix: &str) -> Result<Result<Sha, String>, SourceError>;

    /// Asks the remote where its large files are (git-lfs) and what to show there, in git-lfs' own
    /// form; `None` where that is beside the repository and what the repository itself is shown.
    fn large_files(&self, _limit: Duration) -> Result<Option<Secret>, SourceError> {
        Ok(None)
    }
}

/// Opens repositories.
#[derive(Clone)]
pub struct Remotes {
    open: Arc<Open>,
    mirrors: Option<Arc<Mirrors>>,
}

type Open = dyn Fn(&Repository) -> Arc<dyn Remote> + Send + Sync;

impl Remotes {
    /// Real remotes, mirrored in folders below `folder`, which may have `quota` bytes together. No
    /// other process may use that folder meanwhile.
    pub fn mirrored(folder: impl Into<std::path::PathBuf>, quota: u64) -> std::io::Result<Self> {
        let mirrors = Arc::new(Mirrors::open(folder.into(), quota)?);
        let open = {
            let mirrors = Arc::clone(&mirrors);
            move |repository: &Repository| {
                let lease = mirrors.lease(mirror::name(repository));
                Arc::new(Mirror::new(lease, repository.clone())) as Arc<dyn Remote>
            }
        };
        Ok(Self {
            open: Arc::new(open),
            mirrors: Some(mirrors),
        })
    }

    /// Repositories that `open` gives.
    pub fn from_fn(open: impl Fn(&Repository) -> Arc<dyn Remote> + Send + Sync + 'static) -> Self {
        Self {
            open: Arc::new(open),
            mirrors: None,
        }
    }

    pub(crate) fn open(&self, repository: &Repository) -> Arc<dyn Remote> {
        (self.open)(repository)
    }

    /// How much the mirrors hold, where there are any.
    pub(crate) fn disk_use(&self) -> Option<DiskUse> {
        self.mirrors.as_ref().map(|mirrors| mirrors.disk_use())
    }
}

impl fmt::Debug for Remotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remotes")
    }
}
