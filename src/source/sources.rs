//! The door to all repositories for controllers: resolve a revision, get its tree.
//!
//! However many applications ask, a repository's refs are listed once per interval and fetched once
//! per commit: whoever comes while a request runs waits for it and shares its answer, also when it
//! is an error. Requests run a bounded number at a time, so that a repository that hangs cannot take
//! all threads.

mod known;
mod large;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use argosy_render::GitAccess;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::{
    known::{Known, Listing},
    large::Grants,
};
use super::{
    CommitInfo, Counters, GitTree, RemoteRefs, Repository, Sha, SourceError,
    app::Apps,
    git::{DiskUse, FOLLOWED, Meaning, Objects, Remote, Remotes, Wanted, access, commit, damaged},
    shown_url,
};
use crate::blocking::Blocking;
use crate::clock::Clock;
use crate::http::Network;
use crate::signatures::Signed;

/// How long an error answers for the remote before it is asked again.
pub(super) const ERROR_LIFETIME: Duration = Duration::from_secs(10);

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

/// All repositories that were ever asked for. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Sources {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    remotes: Remotes,
    apps: Apps,
    clock: Clock,
    grants: Grants,
    blocking: Blocking,
    limits: Limits,
    running: Semaphore,
    counters: Counters,
    known: Mutex<BTreeMap<String, Arc<Known>>>,
}

impl Sources {
    /// Reads the repositories that `remotes` opens; tokens for them are asked for over `network`.
    pub fn new(
        remotes: Remotes,
        network: Network,
        clock: Clock,
        blocking: Blocking,
        limits: Limits,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                remotes,
                apps: Apps::new(network, clock.clone()),
                clock,
                grants: Grants::default(),
                blocking,
                running: Semaphore::new(limits.parallel.max(1)),
                limits,
                counters: Counters::new(false),
                known: Mutex::default(),
            }),
        }
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
        repository.usable()?;
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
        let asked_as = repository.fingerprint();
        let known = self.known(repository)?;
        if let Some(answer) = known.fresh(&asked_as, self.shared.limits.interval) {
            return answer;
        }
        let _conversation = known.converse().await;
        // Somebody may have asked while this call waited for its turn.
        if let Some(answer) = known.fresh(&asked_as, self.shared.limits.interval) {
            return answer;
        }
        let generation = known.generation.load(Ordering::Acquire);
        let limit = self.shared.limits.list_timeout;
        let at = Instant::now();
        let answer = self
            .request("ls-remote", repository, move |remote| {
                remote.list_refs(limit)
            })
            .await
            .map(Arc::new);
        // The clock starts when the question was put: what was pushed since is not in the answer.
        // For the same reason a refresh that came meanwhile makes the answer one for its askers only.
        let mut listing = lock(&known.listing);
        if known.generation.load(Ordering::Acquire) == generation {
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
        let known = self.known(repository)?;
        // After a push everybody wants the same tree: one opens it, and the others wait for that.
        let opened = known.place_of(sha);
        let tree = opened.get_or_try_init(async || {
            self.ensure(repository, &known, sha).await?;
            let commit = sha.clone();
            let open = move |objects| GitTree::open(objects, &commit);
            self.read(repository, open).await
        });
        tree.await.cloned()
    }

    /// Author, date and message of a commit, fetched if it is not here yet.
    pub async fn commit(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<CommitInfo, SourceError> {
        let known = self.known(repository)?;
        self.ensure(repository, &known, sha).await?;
        let sha = sha.clone();
        self.read(repository, move |objects| commit::info(&objects, &sha))
            .await
    }

    /// What of a commit is signed, and its signature, if it has one; it is fetched if it is not here
    /// yet.
    pub async fn signed(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Option<Signed>, SourceError> {
        let known = self.known(repository)?;
        self.ensure(repository, &known, sha).await?;
        let sha = sha.clone();
        self.read(repository, move |objects| commit::signed(&objects, &sha))
            .await
    }

    /// The files that differ between two commits, both fetched if need be.
    pub async fn changed_paths(
        &self,
        repository: &Repository,
        from: &Sha,
        to: &Sha,
    ) -> Result<Vec<String>, SourceError> {
        let known = self.known(repository)?;
        self.ensure(repository, &known, from).await?;
        self.ensure(repository, &known, to).await?;
        let (from, to) = (from.clone(), to.clone());
        self.read(repository, move |objects| {
            commit::changed_paths(&objects, &from, &to)
        })
        .await
    }

    /// What the git of a plugin may read a repository with.
    pub(crate) async fn access(&self, repository: &Repository) -> Result<GitAccess, SourceError> {
        access(self.shared.apps.present(repository).await?.as_ref())
    }

    /// Forgets the listing of refs, so that the next resolution asks the remote; for webhooks and
    /// hard refreshes. Projects' own registrations of the same URL are included.
    pub fn refresh(&self, url: &str) {
        let wanted = argosy_engine::repo_url::normalise(url);
        for (key, known) in lock(&self.shared.known).iter() {
            if key.split('\n').next() == Some(wanted.as_str()) {
                let mut listing = lock(&known.listing);
                known.generation.fetch_add(1, Ordering::AcqRel);
                *listing = None;
            }
        }
    }

    /// How long ago the remote was last asked for its refs; `None` if never, or if forgotten.
    pub fn ls_remote_age(&self, repository: &Repository) -> Option<Duration> {
        let listing = self
            .known(repository)
            .ok()?
            .listing(&repository.fingerprint())?;
        Some(listing.at.elapsed())
    }

    /// Calls `visit` with the URL of each repository and how many wait for their turn there.
    pub fn for_each_waiting(&self, mut visit: impl FnMut(&str, usize)) {
        for known in lock(&self.shared.known).values() {
            visit(&known.url, known.waiting.load(Ordering::Relaxed));
        }
    }

    /// How much disk the mirrors take, where there are any.
    pub fn disk_use(&self) -> Option<DiskUse> {
        self.shared.remotes.disk_use()
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
        let known = prefix.clone();
        let here = self.blocking(repository, move |remote| remote.complete(&known));
        if let Ok(sha) = here.await? {
            return Ok(Ok(sha));
        }
        let known = self.known(repository)?;
        let _conversation = known.converse().await;
        let limit = self.shared.limits.fetch_timeout;
        self.request("fetch", repository, move |remote| {
            remote.fetch(Wanted::Everything, limit)?;
            remote.complete(&prefix)
        })
        .await
    }

    async fn ensure(
        &self,
        repository: &Repository,
        known: &Known,
        sha: &Sha,
    ) -> Result<(), SourceError> {
        let here = || {
            let sha = sha.clone();
            self.blocking(repository, move |remote| Ok(has(remote, &sha)))
        };
        if here().await? {
            return Ok(());
        }
        let _conversation = known.converse().await;
        if here().await? {
            return Ok(());
        }
        self.close_idle();
        let limit = self.shared.limits.fetch_timeout;
        let (wanted, url) = (sha.clone(), repository.url.clone());
        let fetched = self.request("fetch", repository, move |remote| {
            let first = remote.fetch(Wanted::Commit(&wanted), limit);
            if first.is_ok() && has(remote, &wanted) {
                return Ok(());
            }
            // Some servers do not give out commits by id; then all branches and tags must do.
            match first {
                Ok(()) | Err(SourceError::Remote { .. } | SourceError::NotFound { .. }) => {}
                Err(other) => return Err(other),
            }
            remote.fetch(Wanted::Everything, limit)?;
            if has(remote, &wanted) {
                return Ok(());
            }
            Err(SourceError::Revision {
                url,
                revision: wanted.to_string(),
                hint: " (the remote has no such commit on any branch or tag)".into(),
            })
        });
        let fetched = fetched.await;
        if let Err(SourceError::Quota { .. } | SourceError::Mirror { .. }) = fetched {
            // The mirror can start over when nobody has it open.
            lock(&known.trees).clear();
        }
        fetched
    }

    /// Closes the trees that nobody follows any more, so that their mirrors can make room.
    fn close_idle(&self) {
        let is_idle = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() >= FOLLOWED);
        for known in lock(&self.shared.known).values() {
            if is_idle(*lock(&known.asked)) {
                lock(&known.trees).clear();
            }
        }
    }

    /// Makes one counted request to a remote.
    async fn request<T: Send + 'static>(
        &self,
        kind: &'static str,
        repository: &Repository,
        work: impl FnOnce(&dyn Remote) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        // The semaphore is never closed, so a permit always comes.
        let _permit = self.shared.running.acquire().await;
        let started = Instant::now();
        let result = async {
            let presented = self.shared.apps.present(repository).await?;
            self.blocking(&presented, work).await
        };
        let result = result.await;
        let counters = &self.shared.counters;
        counters.count(kind, &repository.url, started.elapsed(), result.is_err());
        result
    }

    /// Reads something of what is here.
    async fn read<T: Send + 'static>(
        &self,
        repository: &Repository,
        work: impl FnOnce(Objects) -> gix::Result<T> + Send + 'static,
    ) -> Result<T, SourceError> {
        let owner = repository.clone();
        self.blocking(repository, move |remote| {
            work(remote.objects()?).map_err(|error| damaged(&owner, &error))
        })
        .await
    }

    /// Runs what blocks where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        repository: &Repository,
        work: impl FnOnce(&dyn Remote) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let remote = self.shared.remotes.open(repository);
        let done = self.shared.blocking.run(move || work(remote.as_ref()));
        // A panic in a library must not take the controller with it.
        done.await.unwrap_or_else(|panic| {
            Err(SourceError::Mirror {
                url: repository.url.clone(),
                why: panic.to_string(),
            })
        })
    }

    /// What is known of a repository that may be read.
    fn known(&self, repository: &Repository) -> Result<Arc<Known>, SourceError> {
        repository.usable()?;
        let mut all = lock(&self.shared.known);
        let known = all.entry(repository.key()).or_insert_with(|| {
            Arc::new(Known {
                url: shown_url(&repository.url),
                ..Known::default()
            })
        });
        *lock(&known.asked) = Some(Instant::now());
        Ok(Arc::clone(known))
    }
}

fn has(remote: &dyn Remote, sha: &Sha) -> bool {
    remote
        .objects()
        .is_ok_and(|objects| commit::is_here(&objects, sha))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is replaced whole, so a panic elsewhere leaves nothing half-made.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
