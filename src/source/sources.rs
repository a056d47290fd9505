//! The door to all repositories for controllers: resolve a revision, get its tree.
//!
//! However many applications ask, a repository's refs are listed once per interval and fetched once
//! per commit: whoever comes while a request runs waits for it and shares its answer, also when it
//! is an error. Everything that blocks runs on the blocking pool, a bounded number at a time, so
//! that a repository that hangs cannot take all threads.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    CommitInfo, GitTree, RemoteRefs, Repository, Sha, SourceError,
    git::{Meaning, Mirror, Wanted},
};

/// How long an error answers for the remote before it is asked again.
const ERROR_LIFETIME: Duration = Duration::from_secs(10);

/// How often and how long remotes are talked to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How old a listing of refs may be before the remote is asked again.
    pub interval: Duration,
    /// How long listing refs may take.
    pub list_timeout: Duration,
    /// How long one fetch may take.
    pub fetch_timeout: Duration,
    /// How many requests may run at once.
    pub parallel: usize,
}

impl Default for Limits {
    /// Argo CD's polling interval of two minutes, and its 90 s for a git request.
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(2),
            list_timeout: Duration::from_secs(90),
            fetch_timeout: Duration::from_mins(10),
            parallel: 16,
        }
    }
}

/// The commit that a revision means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub sha: Sha,
    /// The full name of the ref that led there; `None` if the revision was a commit id.
    pub via: Option<String>,
}

/// How many requests of one kind were made to one repository, and how long they took.
#[derive(Debug, Default)]
pub struct RequestCount {
    /// Requests, failed ones included.
    pub requests: AtomicU64,
    /// Failed requests.
    pub failures: AtomicU64,
    /// Total duration in microseconds.
    pub micros: AtomicU64,
}

/// Counters of what was asked of remotes, per kind (`ls-remote`, `fetch`) and repository.
#[derive(Debug, Default)]
pub struct Counters {
    by_repository: Mutex<BTreeMap<(&'static str, String), Arc<RequestCount>>>,
}

impl Counters {
    /// Calls `visit` with the kind of request, the repository's URL and the counts.
    pub fn for_each(&self, mut visit: impl FnMut(&'static str, &str, &RequestCount)) {
        for ((kind, url), count) in lock(&self.by_repository).iter() {
            visit(kind, url, count);
        }
    }

    /// All requests of one kind, to all repositories.
    pub fn total(&self, kind: &str) -> u64 {
        let mut total = 0;
        self.for_each(|of, _, count| {
            if of == kind {
                total += count.requests.load(Ordering::Relaxed);
            }
        });
        total
    }

    fn count(&self, kind: &'static str, url: &str, took: Duration, failed: bool) {
        let count = Arc::clone(
            lock(&self.by_repository)
                .entry((kind, url.to_owned()))
                .or_default(),
        );
        count.requests.fetch_add(1, Ordering::Relaxed);
        count
            .failures
            .fetch_add(u64::from(failed), Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        count.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// All repositories that were ever asked for. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Sources {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    limits: Limits,
    running: Semaphore,
    counters: Counters,
    remotes: Mutex<BTreeMap<String, Arc<Remote>>>,
}

/// What is known of one repository.
#[derive(Debug, Default)]
struct Remote {
    /// Held while the remote is talked to: one conversation at a time.
    conversation: tokio::sync::Mutex<()>,
    listing: Mutex<Option<Listing>>,
    /// Counts refreshes; changed only while `listing` is locked.
    generation: AtomicU64,
    trees: Mutex<BTreeMap<Sha, GitTree>>,
}

#[derive(Clone, Debug)]
struct Listing {
    at: Instant,
    answer: Result<Arc<RemoteRefs>, SourceError>,
    /// With whose credentials it was asked for; others do not get it.
    asked_as: String,
}

/// How many trees of one repository are kept open: applications follow few revisions at a time.
const OPEN_TREES: usize = 8;

impl Sources {
    /// Keeps mirrors below `data_dir`, which is created if need be.
    pub fn new(data_dir: &Path, limits: Limits) -> io::Result<Self> {
        let folder = data_dir.join("git");
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            shared: Arc::new(Shared {
                folder,
                running: Semaphore::new(limits.parallel.max(1)),
                limits,
                counters: Counters::default(),
                remotes: Mutex::default(),
            }),
        })
    }

    /// The commit that `revision` means in `repository`; empty means `HEAD`.
    ///
    /// A full commit id is taken as it is, without asking the remote.
    pub async fn resolve(
        &self,
        repository: &Repository,
        revision: &str,
    ) -> Result<Resolved, SourceError> {
        self.resolve_with_prefix(repository, revision, None).await
    }

    /// As [`Self::resolve`], among the tags that begin with `tag_prefix`.
    pub async fn resolve_with_prefix(
        &self,
        repository: &Repository,
        revision: &str,
        tag_prefix: Option<&str>,
    ) -> Result<Resolved, SourceError> {
        if let Some(sha) = Sha::parse(revision) {
            return Ok(Resolved { sha, via: None });
        }
        let refs = self.refs(repository).await?;
        let unresolved = |hint: String| SourceError::Revision {
            url: repository.url.clone(),
            revision: revision.to_owned(),
            hint,
        };
        match refs.meaning(revision, tag_prefix).map_err(unresolved)? {
            Meaning::Commit { sha, via } => Ok(Resolved { sha, via }),
            Meaning::Abbreviated(prefix) => {
                let sha = self.complete(repository, prefix).await?;
                let sha = sha.map_err(unresolved)?;
                Ok(Resolved { sha, via: None })
            }
        }
    }

    /// The remote's refs, at most `interval` old.
    pub async fn refs(&self, repository: &Repository) -> Result<Arc<RemoteRefs>, SourceError> {
        let asked_as = identity(repository);
        let remote = self.remote(repository);
        if let Some(known) = remote.fresh(&asked_as, self.shared.limits.interval) {
            return known;
        }
        let _conversation = remote.conversation.lock().await;
        // Somebody may have asked while this call waited for its turn.
        if let Some(known) = remote.fresh(&asked_as, self.shared.limits.interval) {
            return known;
        }
        let generation = remote.generation.load(Ordering::Acquire);
        let limit = self.shared.limits.list_timeout;
        let at = Instant::now();
        let answer = self
            .blocking("ls-remote", repository, move |mirror| {
                mirror.list_remote(limit)
            })
            .await
            .map(Arc::new);
        // The clock starts when the question was put: what was pushed since is not in the answer.
        // For the same reason a refresh that came meanwhile makes the answer one for its askers only.
        let mut listing = lock(&remote.listing);
        if remote.generation.load(Ordering::Acquire) == generation {
            *listing = Some(Listing {
                at,
                answer: answer.clone(),
                asked_as,
            });
        }
        answer
    }

    /// The tree of a commit, fetched if it is not here yet.
    pub async fn tree(&self, repository: &Repository, sha: &Sha) -> Result<GitTree, SourceError> {
        let remote = self.remote(repository);
        if let Some(tree) = lock(&remote.trees).get(sha) {
            return Ok(tree.clone());
        }
        self.ensure(repository, &remote, sha).await?;
        let mirror = self.mirror(repository);
        let commit = sha.clone();
        let tree = on_pool(move || GitTree::open(&mirror, &commit)).await?;
        let mut trees = lock(&remote.trees);
        while trees.len() >= OPEN_TREES {
            trees.pop_first();
        }
        trees.insert(sha.clone(), tree.clone());
        Ok(tree)
    }

    /// Author, date and message of a commit, fetched if it is not here yet.
    pub async fn commit(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<CommitInfo, SourceError> {
        let remote = self.remote(repository);
        self.ensure(repository, &remote, sha).await?;
        let mirror = self.mirror(repository);
        let sha = sha.clone();
        on_pool(move || mirror.commit(&sha)).await
    }

    /// The files that differ between two commits, both fetched if need be.
    pub async fn changed_paths(
        &self,
        repository: &Repository,
        from: &Sha,
        to: &Sha,
    ) -> Result<Vec<String>, SourceError> {
        let remote = self.remote(repository);
        self.ensure(repository, &remote, from).await?;
        self.ensure(repository, &remote, to).await?;
        let mirror = self.mirror(repository);
        let (from, to) = (from.clone(), to.clone());
        on_pool(move || mirror.changed_paths(&from, &to)).await
    }

    /// Forgets the listing of refs, so that the next resolution asks the remote; for webhooks and
    /// hard refreshes. Projects' own registrations of the same URL are included.
    pub fn refresh(&self, url: &str) {
        let wanted = argosy_engine::repo_url::normalise(url);
        let remotes = lock(&self.shared.remotes);
        for (key, remote) in remotes.iter() {
            if key.split('\n').next() == Some(wanted.as_str()) {
                let mut listing = lock(&remote.listing);
                remote.generation.fetch_add(1, Ordering::AcqRel);
                *listing = None;
            }
        }
    }

    /// How long ago the remote was last asked for its refs; `None` if never, or if forgotten.
    pub fn ls_remote_age(&self, repository: &Repository) -> Option<Duration> {
        let listing = self.remote(repository).listing(&identity(repository))?;
        Some(listing.at.elapsed())
    }

    /// What was asked of remotes since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    async fn complete(
        &self,
        repository: &Repository,
        prefix: String,
    ) -> Result<Result<Sha, String>, SourceError> {
        let mirror = self.mirror(repository);
        let known = prefix.clone();
        if let Ok(sha) = on_pool(move || mirror.complete(&known)).await? {
            return Ok(Ok(sha));
        }
        let remote = self.remote(repository);
        let _conversation = remote.conversation.lock().await;
        let limit = self.shared.limits.fetch_timeout;
        self.blocking("fetch", repository, move |mirror| {
            mirror.fetch(Wanted::Everything, limit)?;
            mirror.complete(&prefix)
        })
        .await
    }

    async fn ensure(
        &self,
        repository: &Repository,
        remote: &Remote,
        sha: &Sha,
    ) -> Result<(), SourceError> {
        let here = |mirror: Mirror| {
            let sha = sha.clone();
            on_pool(move || Ok(mirror.has(&sha)))
        };
        if here(self.mirror(repository)).await? {
            return Ok(());
        }
        let _conversation = remote.conversation.lock().await;
        if here(self.mirror(repository)).await? {
            return Ok(());
        }
        let limit = self.shared.limits.fetch_timeout;
        let wanted = sha.clone();
        self.blocking("fetch", repository, move |mirror| {
            let first = mirror.fetch(Wanted::Commit(&wanted), limit);
            if first.is_ok() && mirror.has(&wanted) {
                return Ok(());
            }
            // Some servers do not give out commits by id; then all branches and tags must do.
            match first {
                Ok(()) | Err(SourceError::Remote { .. } | SourceError::NotFound { .. }) => {}
                Err(other) => return Err(other),
            }
            mirror.fetch(Wanted::Everything, limit)?;
            if mirror.has(&wanted) {
                return Ok(());
            }
            Err(SourceError::Revision {
                url: mirror.url().to_owned(),
                revision: wanted.to_string(),
                hint: " (the remote has no such commit on any branch or tag)".into(),
            })
        })
        .await
    }

    /// Runs one counted request to a remote on the blocking pool.
    async fn blocking<T: Send + 'static>(
        &self,
        kind: &'static str,
        repository: &Repository,
        work: impl FnOnce(&Mirror) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let mirror = self.mirror(repository);
        // The semaphore is never closed, so a permit always comes.
        let _permit = self.shared.running.acquire().await;
        let started = Instant::now();
        let result = on_pool(move || work(&mirror)).await;
        let counters = &self.shared.counters;
        counters.count(kind, &repository.url, started.elapsed(), result.is_err());
        result
    }

    fn remote(&self, repository: &Repository) -> Arc<Remote> {
        Arc::clone(
            lock(&self.shared.remotes)
                .entry(key(repository))
                .or_default(),
        )
    }

    fn mirror(&self, repository: &Repository) -> Mirror {
        let name = hex(&Sha256::digest(key(repository)));
        let folder = self.shared.folder.join(format!("{}.git", &name[..32]));
        Mirror::new(folder, Arc::new(repository.clone()))
    }
}

impl Remote {
    fn listing(&self, asked_as: &str) -> Option<Listing> {
        lock(&self.listing)
            .clone()
            .filter(|listing| listing.asked_as == asked_as)
    }

    fn fresh(
        &self,
        asked_as: &str,
        interval: Duration,
    ) -> Option<Result<Arc<RemoteRefs>, SourceError>> {
        let listing = self.listing(asked_as)?;
        let lifetime = match &listing.answer {
            Ok(_) => interval,
            Err(_) => ERROR_LIFETIME.min(interval),
        };
        (listing.at.elapsed() < lifetime).then_some(listing.answer)
    }
}

/// A mirror belongs to one registration: what a project's own credentials fetched is not shown to
/// others.
fn key(repository: &Repository) -> String {
    let url = argosy_engine::repo_url::normalise(&repository.url);
    let url = if url.is_empty() {
        &repository.url
    } else {
        &url
    };
    format!(
        "{url}\n{}",
        repository.project.as_deref().unwrap_or_default()
    )
}

/// Tells credentials apart without showing them.
fn identity(repository: &Repository) -> String {
    let mut hash = Sha256::new();
    for secret in repository.secrets() {
        hash.update(Sha256::digest(secret.expose()));
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn on_pool<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // A panic in a library must not take the controller with it.
        Err(error) => Err(SourceError::Mirror {
            url: "a repository".into(),
            why: error.to_string(),
        }),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is replaced whole, so a panic elsewhere leaves nothing half-made.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
