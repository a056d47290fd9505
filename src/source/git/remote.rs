//! The seam below [`crate::source::Sources`]: where a repository's refs and objects come from.
//!
//! The hub reads mirrors of real remotes; a simulation hands in repositories of its own. Everything
//! that is read of a commit is read from its objects in git's own form, so that ids, trees and what
//! hangs on them are the same whoever serves them. Nothing here caches, counts or waits its turn:
//! that is above the seam.

use std::{fmt, sync::Arc, time::Duration};

use gix::objs::{Data, Find, FindHeader, FindObjectOrHeader, Header};

use super::{RemoteRefs, Sha, mirror};
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
        Self::new(Stored(repository.objects))
    }
}

/// The objects of a repository, for many threads.
struct Stored(Arc<gix::odb::Store>);

impl Find for Stored {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        self.0.to_handle_arc().try_find(id, buffer)
    }
}

impl FindHeader for Stored {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        self.0.to_handle_arc().try_header(id)
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
}

/// Opens repositories.
#[derive(Clone)]
pub struct Remotes(Arc<Open>);

type Open = dyn Fn(&Repository) -> Arc<dyn Remote> + Send + Sync;

impl Remotes {
    /// Real remotes, mirrored in folders below `folder`.
    pub fn mirrored(folder: impl Into<std::path::PathBuf>) -> Self {
        let folder = folder.into();
        Self::from_fn(move |repository| {
            let place = folder.join(mirror::folder_name(repository));
            Arc::new(mirror::Mirror::new(place, Arc::new(repository.clone())))
        })
    }

    /// Repositories that `open` gives.
    pub fn from_fn(open: impl Fn(&Repository) -> Arc<dyn Remote> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(crate) fn open(&self, repository: &Repository) -> Arc<dyn Remote> {
        (self.0)(repository)
    }
}

impl fmt::Debug for Remotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remotes")
    }
}
