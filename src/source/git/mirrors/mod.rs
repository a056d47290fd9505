//! All mirrors on disk: who has which open, how much they hold together, and making room for more.
//!
//! A mirror goes by being renamed while nobody can open it, so that no reader ever finds a part of
//! one. What is kept here may be deleted at any time while no hub runs.

mod leftovers;
mod meter;
mod room;

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::source::sources::lock;
pub(super) use leftovers::MIRROR;
use leftovers::{CONNECTION, GONE};
pub(super) use meter::Meter;
pub(crate) use room::FOLLOWED;
use room::{Held, going};

/// How exactly it is written down when a mirror was used.
const NOTED: Duration = Duration::from_mins(10);

/// The folder of all mirrors.
#[derive(Debug)]
pub(super) struct Mirrors {
    folder: PathBuf,
    quota: u64,
    all: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug, Default)]
struct Entry {
    held: Held,
    /// When its use was last written down.
    noted: Duration,
    lease: Weak<Lease>,
}

/// How much the mirrors hold together, and may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskUse {
    /// Their bytes.
    pub bytes: u64,
    /// The most that they may have.
    pub quota: u64,
}

impl Mirrors {
    /// The mirrors in `folder`, which may have `quota` bytes together. What a killed process left
    /// there unfinished is removed.
    pub(super) fn open(folder: PathBuf, quota: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let entry = |(name, held)| {
            let entry = Entry {
                held,
                ..Entry::default()
            };
            (name, entry)
        };
        let all = leftovers::clear(&folder)?.into_iter().map(entry).collect();
        Ok(Self {
            folder,
            quota,
            all: Mutex::new(all),
        })
    }

    /// Keeps the mirror called `name` for as long as what this gives is held.
    pub(super) fn lease(self: &Arc<Self>, name: String) -> Arc<Lease> {
        let mut all = lock(&self.all);
        let entry = all.entry(name.clone()).or_default();
        entry.held.used = now();
        entry.held.is_known = true;
        entry.lease.upgrade().unwrap_or_else(|| {
            let mirrors = Arc::clone(self);
            let lease = Arc::new(Lease { name, mirrors });
            entry.lease = Arc::downgrade(&lease);
            lease
        })
    }

    pub(super) fn disk_use(&self) -> DiskUse {
        let all = lock(&self.all);
        DiskUse {
            bytes: all.values().map(|entry| entry.held.bytes).sum(),
            quota: self.quota,
        }
    }

    /// Hides mirrors that may go until `more` bytes have room, and says whether they have.
    fn make_room(
        &self,
        all: &mut BTreeMap<String, Entry>,
        more: u64,
        hidden: &mut Vec<PathBuf>,
    ) -> bool {
        let bytes: u64 = all.values().map(|entry| entry.held.bytes).sum();
        if bytes.saturating_add(more) <= self.quota {
            return true;
        }
        let held = |(name, entry): (&String, &Entry)| {
            let is_open = entry.lease.strong_count() > 0;
            let held = Held {
                is_open,
                ..entry.held
            };
            (name.clone(), held)
        };
        let held = all.iter().map(held).collect();
        for name in going(&held, self.quota, more, now()).unwrap_or_default() {
            match self.hide(&name) {
                Ok(folder) => hidden.push(folder),
                Err(error) => {
                    tracing::warn!(%error, mirror = name, "a mirror cannot make room");
                    return false;
                }
            }
            all.remove(&name);
        }
        let bytes: u64 = all.values().map(|entry| entry.held.bytes).sum();
        bytes.saturating_add(more) <= self.quota
    }

    /// Takes a mirror out of everybody's sight; what this gives is to be removed.
    fn hide(&self, name: &str) -> io::Result<PathBuf> {
        let hidden = self.folder.join(format!("{name}{GONE}"));
        // One that could not be removed may be there still.
        remove(&hidden)?;
        match fs::rename(self.folder.join(name), &hidden) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(hidden),
        }
    }
}

/// One mirror, which stays where it is for as long as anybody has this.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    mirrors: Arc<Mirrors>,
}

impl Lease {
    /// Its folder, which may not be there yet.
    pub(super) fn folder(&self) -> PathBuf {
        self.mirrors.folder.join(&self.name)
    }

    /// A private folder for one connection, which is removed with what this gives, or at the next
    /// start if this process is killed before.
    pub(super) fn connection(&self) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new()
            .prefix("ssh-")
            .suffix(CONNECTION)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&self.mirrors.folder)
    }

    /// Writes down, now and then, that it is used, for the next process.
    pub(super) fn note_use(&self) {
        {
            let mut all = lock(&self.mirrors.all);
            let entry = all.entry(self.name.clone()).or_default();
            if entry.held.used.saturating_sub(entry.noted) < NOTED {
                return;
            }
            entry.noted = entry.held.used;
        }
        // If the time cannot be set, the mirror goes earlier.
        if let Ok(folder) = fs::File::open(self.folder()) {
            let _ = folder.set_modified(SystemTime::now());
        }
    }

    /// Makes room for so many bytes more of this mirror; says whether there is any.
    fn grow(&self, more: u64) -> bool {
        let mut hidden = Vec::new();
        let has_room = {
            let mut all = lock(&self.mirrors.all);
            let has_room = self.mirrors.make_room(&mut all, more, &mut hidden);
            if has_room {
                all.entry(self.name.clone()).or_default().held.bytes += more;
            }
            has_room
        };
        for folder in hidden {
            tracing::info!(mirror = %folder.display(), "a mirror that nobody follows makes room");
            if let Err(error) = remove(&folder) {
                tracing::warn!(%error, mirror = %folder.display(), "a mirror cannot be removed");
            }
        }
        has_room
    }

    /// Counts anew what it holds.
    pub(super) fn settle(&self) {
        let measured = leftovers::measure(&self.folder(), false);
        if let (Ok(bytes), Some(entry)) = (measured, lock(&self.mirrors.all).get_mut(&self.name)) {
            entry.held.bytes = bytes;
        }
    }

    /// How much it holds.
    pub(super) fn bytes(&self) -> u64 {
        let all = lock(&self.mirrors.all);
        all.get(&self.name).map_or(0, |entry| entry.held.bytes)
    }

    /// How much all mirrors hold and may hold.
    pub(super) fn disk_use(&self) -> DiskUse {
        self.mirrors.disk_use()
    }

    /// Empties the mirror, unless somebody else has it open: what it was asked for over time can be
    /// far more than what is asked for now.
    pub(super) fn start_over(self: &Arc<Self>) -> bool {
        let hidden = {
            let mut all = lock(&self.mirrors.all);
            // Whoever wants it has to take the lock first.
            if Arc::strong_count(self) > 1 {
                return false;
            }
            let Ok(hidden) = self.mirrors.hide(&self.name) else {
                return false;
            };
            all.entry(self.name.clone()).or_default().held.bytes = 0;
            hidden
        };
        remove(&hidden).is_ok()
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO)
}
