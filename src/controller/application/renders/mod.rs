//! Renders, kept by what they read.
//!
//! A commit that changes nothing of what a render opened costs no render, applications whose
//! sources are the same share one, and a restart finds them on disk. A failure is kept for a short
//! while.

mod disk;
mod failures;
mod flights;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argosy_render::{Render, RenderError, TreeError, render};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use disk::Disk;
use failures::Failures;
use flights::Flights;
pub use wanted::Wanted;

use crate::metrics::RenderMetrics;

/// How many bytes of manifests are kept in memory; about a hundred thousand objects.
const CAPACITY: u64 = 256 * 1024 * 1024;

/// How many renders of one source are kept: the applications of a fleet follow few revisions.
const GENERATIONS: usize = 4;

/// How many keys of an application are remembered: more than it has sources.
const USED: usize = 64;

/// The renders that are kept.
pub struct Renders {
    kept: moka::sync::Cache<String, Arc<Vec<Kept>>>,
    disk: Disk,
    failures: Failures,
    flights: Flights,
    /// The keys that each application used last.
    used: Mutex<BTreeMap<String, BTreeSet<String>>>,
    counts: Counts,
    metrics: Arc<RenderMetrics>,
}

/// How often each thing happened.
#[derive(Default)]
struct Counts {
    rendered: AtomicU64,
    memory: AtomicU64,
    disk: AtomicU64,
    failures: AtomicU64,
}

/// What became of all that was wanted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenderCounts {
    /// Renders made, failed ones included.
    pub rendered: u64,
    /// Renders found in memory.
    pub memory: u64,
    /// Renders found on disk.
    pub disk: u64,
    /// Failures that stood, so that nothing was rendered.
    pub failures: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// Names all files that there were: where it is the same, nothing need be compared.
    content: String,
    #[serde(with = "disk::whole")]
    render: Arc<Render>,
    bytes: u32,
    /// Whether it may be written to disk.
    #[serde(skip, default = "lasting")]
    lasts: bool,
}

/// What comes from disk may go there again.
fn lasting() -> bool {
    true
}

impl Renders {
    /// Keeps renders on `disk`, too.
    pub fn open(disk: &crate::disk::Disk, metrics: Arc<RenderMetrics>) -> io::Result<Self> {
        let weigh = |_: &String, kept: &Arc<Vec<Kept>>| {
            kept.iter()
                .fold(0_u32, |sum, one| sum.saturating_add(one.bytes))
        };
        Ok(Self {
            kept: moka::sync::Cache::builder()
                .max_capacity(CAPACITY)
                .weigher(weigh)
                .build(),
            disk: Disk::open(disk)?,
            failures: Failures::default(),
            flights: Flights::default(),
            used: Mutex::default(),
            counts: Counts::default(),
            metrics,
        })
    }

    /// Renders a source, or takes a render that read the same.
    pub fn get(&self, wanted: &Wanted<'_>) -> Result<Arc<Render>, RenderError> {
        let key = wanted.key()?;
        self.note_use(wanted.app_name, &key);
        if let Some(found) = self.in_memory(wanted, &key)? {
            return Ok(found);
        }
        // Whoever wants the same meanwhile finds it when this is done.
        let _flight = self.flights.board(&key);
        if let Some(found) = self.in_memory(wanted, &key)? {
            return Ok(found);
        }
        let known = self.kept.get(&key);
        let kept = known.unwrap_or_else(|| Arc::new(self.disk.get(&key)));
        if let Some(found) = matching(&kept, wanted)? {
            self.counts.disk.fetch_add(1, Ordering::Relaxed);
            self.kept.insert(key.clone(), kept);
            return Ok(found);
        }
        let files = wanted.files()?;
        if let Some(error) = self.failures.get(&key, &files) {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
        let began = Instant::now();
        let rendered = render(Arc::clone(&wanted.tree), &wanted.request(), wanted.tools);
        match rendered {
            // It has not begun yet.
            Err(needs @ RenderError::Needs(_)) => Err(needs),
            Err(error) => {
                self.counts.rendered.fetch_add(1, Ordering::Relaxed);
                self.metrics.failed(began.elapsed());
                self.failures.keep(&key, files, &error);
                Err(error)
            }
            Ok(rendered) => {
                self.counts.rendered.fetch_add(1, Ordering::Relaxed);
                let source_type = rendered.source_type.as_str();
                self.metrics.rendered(source_type, began.elapsed());
                let rendered = Arc::new(rendered);
                self.keep(&key, &kept, wanted, &rendered);
                Ok(rendered)
            }
        }
    }

    /// Forgets the renders that an application used; all of them if it has used none yet, because
    /// what is on disk does not tell whose it is.
    pub(crate) fn forget(&self, app_name: &str) {
        let Some(keys) = self.used().get(app_name).cloned() else {
            self.kept.invalidate_all();
            self.failures.forget(None);
            self.disk.forget(None);
            return;
        };
        for key in &keys {
            self.kept.invalidate(key);
            self.failures.forget(Some(key));
            self.disk.forget(Some(key));
        }
    }

    /// Forgets that there was an application of this name.
    pub(crate) fn gone(&self, app_name: &str) {
        self.used().remove(app_name);
    }

    /// What became of all that was wanted.
    pub fn counts(&self) -> RenderCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RenderCounts {
            rendered: count(&self.counts.rendered),
            memory: count(&self.counts.memory),
            disk: count(&self.counts.disk),
            failures: count(&self.counts.failures),
        }
    }

    /// How many bytes of manifests are kept in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept.run_pending_tasks();
        self.kept.weighted_size()
    }

    fn in_memory(&self, wanted: &Wanted<'_>, key: &str) -> Result<Option<Arc<Render>>, TreeError> {
        let kept = self.kept.get(key).unwrap_or_default();
        let found = matching(&kept, wanted)?;
        if found.is_some() {
            self.counts.memory.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    fn keep(&self, key: &str, kept: &[Kept], wanted: &Wanted<'_>, render: &Arc<Render>) {
        let size: usize = render
            .manifests
            .iter()
            .map(|one| one.to_string().len())
            .sum();
        let newest = Kept {
            content: wanted.content.to_owned(),
            render: Arc::clone(render),
            bytes: u32::try_from(size).unwrap_or(u32::MAX),
            lasts: disk::lasts(render, wanted.fetched),
        };
        let others = kept.iter().take(GENERATIONS - 1).cloned();
        let kept: Vec<_> = std::iter::once(newest).chain(others).collect();
        self.disk.put(key, &kept);
        self.kept.insert(key.to_owned(), Arc::new(kept));
    }

    /// Sources of one application have different keys, and a key changes with its source.
    fn note_use(&self, app_name: &str, key: &str) {
        let mut used = self.used();
        match used.get_mut(app_name) {
            Some(keys) if keys.contains(key) => {}
            Some(keys) => {
                if keys.len() >= USED {
                    keys.clear();
                }
                keys.insert(key.to_owned());
            }
            None => drop(used.insert(app_name.to_owned(), BTreeSet::from([key.to_owned()]))),
        }
    }

    fn used(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeSet<String>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The render that read what `wanted` would read.
fn matching(kept: &[Kept], wanted: &Wanted<'_>) -> Result<Option<Arc<Render>>, TreeError> {
    for one in kept {
        if wanted.would_read_the_same_as(one)? {
            return Ok(Some(Arc::clone(&one.render)));
        }
    }
    Ok(None)
}
