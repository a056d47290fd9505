//! A bare mirror of one repository: what the remote has, fetching, and the commits that are here.
//!
//! A mirror fetches single commits at depth one: comparing and rendering need trees, not history.
//! It never deletes an object that a reader may hold, and a fetch that breaks off leaves nothing
//! that a later one trips over, because a pack counts only once it is whole.

use std::{
    borrow::Cow,
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use argosy_facts::Secret;
use gix::{
    bstr::ByteSlice,
    progress::Discard,
    protocol::handshake::Ref,
    remote::{Direction, fetch::Shallow, fetch::Tags, ref_map},
};

use sha2::{Digest as _, Sha256};

use super::{
    Objects, Remote, RemoteRefs, Sha, Wanted,
    failure::{causes, failed, mentions},
    large,
    mirrors::{Lease, MIRROR, Meter},
    ssh::Ending,
    talk::Talk,
    transport::{Session, Shown},
};
use crate::source::{DiskUse, Repository, SourceError, sources::lock};

/// The largest object that is taken into memory, 512 MiB: a server announces sizes at no cost.
const OBJECT_LIMIT: &str = "gitoxide.objects.allocLimit=536870912";

/// A bare repository on disk that follows a remote.
#[derive(Debug)]
pub(super) struct Mirror {
    lease: Arc<Lease>,
    repository: Repository,
}

impl Mirror {
    /// The mirror of `repository` in the leased folder, which is created when first needed.
    pub(super) fn new(lease: Arc<Lease>, repository: Repository) -> Self {
        Self { lease, repository }
    }

    fn damaged(&self, error: &gix::Error) -> SourceError {
        damaged(&self.repository, error)
    }

    fn open_local(&self) -> Result<gix::Repository, SourceError> {
        self.open(&[])
    }

    fn open(&self, configuration: &[String]) -> Result<gix::Repository, SourceError> {
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .config_overrides(
                configuration
                    .iter()
                    .map(String::as_str)
                    .chain([OBJECT_LIMIT]),
            );
        let folder = self.lease.folder();
        // `HEAD` is written last when a repository is made, so without it there is none yet.
        let opened = if folder.join("HEAD").is_file() {
            gix::open_opts(&folder, options)
        } else {
            create(&folder, options)
        };
        self.lease.note_use();
        opened.map_err(|error| self.damaged(&error))
    }

    /// Talks with the remote for as long as `limit` says.
    fn converse<T>(
        &self,
        action: &'static str,
        limit: Duration,
        talk: impl Fn(&gix::Repository, &Session, &Arc<AtomicBool>) -> gix::Result<T>,
    ) -> Result<T, SourceError> {
        let mut shown = Shown::AtOnce;
        let mut repository = Cow::Borrowed(&self.repository);
        loop {
            let session = Session::new(&repository, &self.lease, limit, shown)?;
            let local = self.open(session.configuration())?;
            match within(limit, session.ending(), |interrupt| {
                talk(&local, &session, interrupt)
            }) {
                Ok(done) => return Ok(done),
                // Servers redirect to the name that a repository has now, or that ends in `.git`.
                Err(Failure::Git(error))
                    if shown == Shown::AtOnce
                        && session.has_account()
                        && causes(&error).contains(REDIRECTED) =>
                {
                    shown = Shown::WhenAsked;
                }
                Err(Failure::Git(error))
                    if matches!(repository, Cow::Borrowed(_))
                        && causes(&error).contains(REDIRECTED) =>
                {
                    let Some(url) = session.moved(&repository) else {
                        let failure = Failure::Git(error);
                        return Err(self.explain(action, limit, &session, failure));
                    };
                    repository.to_mut().url = url;
                }
                Err(failure) => return Err(self.explain(action, limit, &session, failure)),
            }
        }
    }

    /// Fetches once; the inner error says how many bytes came before there was no room for more.
    fn receive(
        &self,
        specs: &[String],
        shallow: &Shallow,
        limit: Duration,
    ) -> Result<Result<(), u64>, SourceError> {
        let overflow = Mutex::new(None);
        let done = self.converse("fetch from", limit, |local, session, interrupt| {
            let remote = local.remote_at(session.url())?.with_fetch_tags(Tags::None);
            let specs = specs.iter().map(|spec| spec.as_bytes().as_bstr());
            let remote = remote.with_refspecs(specs, Direction::Fetch)?;
            let talk = Talk::new();
            let connection = session.connect(&remote, &talk)?;
            let meter = Meter::new(&self.lease, interrupt);
            let prepared = connection.prepare_fetch(Discard, ref_map::Options::default())?;
            talk.is_over();
            let received = prepared
                .with_shallow(shallow.clone())
                .receive(meter.clone(), interrupt);
            *lock(&overflow) = meter.overflow();
            received?;
            Ok(())
        });
        self.lease.settle();
        match lock(&overflow).take() {
            Some(received) => Ok(Err(received)),
            None => done.map(Ok),
        }
    }

    fn explain(
        &self,
        action: &'static str,
        limit: Duration,
        session: &Session,
        failure: Failure,
    ) -> SourceError {
        let url = self.repository.url.clone();
        let error = match failure {
            Failure::Timeout => {
                return SourceError::Timeout {
                    url,
                    action,
                    seconds: limit.as_secs(),
                };
            }
            Failure::Git(error) => error,
        };
        let causes = causes(&error);
        let why = match session.said() {
            Some(said) => format!("{said} ({causes})"),
            None => causes,
        };
        let why = self.repository.redact(why);
        let denied = error.is_permission_denied() && mentions(&why, &["401", "403", "auth"]);
        failed(url, action, why, denied || error.is_unauthenticated())
    }
}

/// What git's library says of a redirect while requests carry credentials.
const REDIRECTED: &str = "refusing to follow redirect";

/// What git's library says of a commit that is here and has no such form.
const UNREADABLE: &str = "Could not look up commit in graph";

impl Remote for Mirror {
    fn list_refs(&self, limit: Duration) -> Result<RemoteRefs, SourceError> {
        self.converse("list the refs of", limit, |local, session, _| {
            let remote = local.remote_at(session.url())?.with_fetch_tags(Tags::None);
            // The mapping is not used; some refspec has to be there for the conversation to start.
            let remote = remote.with_refspecs(["+HEAD:refs/argosy/head"], Direction::Fetch)?;
            let connection = session.connect(&remote, &Talk::new())?;
            let options = ref_map::Options {
                prefix_from_spec_as_filter_on_remote: false,
                ..Default::default()
            };
            let (map, _) = connection.ref_map(Discard, options)?;
            Ok(remote_refs(map.remote_refs))
        })
    }

    fn fetch(&self, wanted: Wanted<'_>, limit: Duration) -> Result<(), SourceError> {
        let (specs, shallow) = match wanted {
            Wanted::Commit(sha) => (
                vec![format!("+{sha}:refs/argosy/commits/{sha}")],
                Shallow::DepthAtRemote(self.repository.depth.unwrap_or(std::num::NonZeroU32::MIN)),
            ),
            Wanted::Everything => (
                vec![
                    "+refs/heads/*:refs/heads/*".to_owned(),
                    "+refs/tags/*:refs/tags/*".to_owned(),
                ],
                if self
                    .open_local()?
                    .is_shallow()
                    .map_err(|error| self.damaged(&error))?
                {
                    Shallow::undo()
                } else {
                    Shallow::NoChange
                },
            ),
        };
        let received = match self.receive(&specs, &shallow, limit) {
            // A commit that nobody can read would keep all later ones away.
            Err(SourceError::Remote { url, why, .. }) if why.contains(UNREADABLE) => {
                if !self.lease.start_over() {
                    return Err(SourceError::Mirror { url, why });
                }
                self.receive(&specs, &shallow, limit)?
            }
            received => received?,
        };
        let Err(received) = received else {
            return Ok(());
        };
        // Most of a mirror that is followed for long are commits of the past.
        if self.lease.bytes() > received
            && self.lease.start_over()
            && self.receive(&specs, &shallow, limit)?.is_ok()
        {
            return Ok(());
        }
        let DiskUse { bytes, quota } = self.lease.disk_use();
        Err(SourceError::Quota {
            url: self.repository.url.clone(),
            bytes,
            quota,
        })
    }

    fn complete(&self, prefix: &str) -> Result<Result<Sha, String>, SourceError> {
        let local = self.open_local()?;
        let spec = format!("{prefix}^{{commit}}");
        Ok(match local.rev_parse_single(spec.as_str()) {
            Ok(id) => Sha::parse(&id.to_string()).ok_or_else(String::new),
            Err(error) => Err(format!(" ({})", causes(&error))),
        })
    }

    fn large_files(&self, limit: Duration) -> Result<Option<Secret>, SourceError> {
        const ACTION: &str = "ask for the large files of";
        let session = Session::new(&self.repository, &self.lease, limit, Shown::AtOnce)?;
        let Some(answer) = session.large_files() else {
            return Ok(None);
        };
        let url = || self.repository.url.clone();
        let unusable = |why: &str| SourceError::Content {
            url: url(),
            why: format!(
                "over ssh it does not say where its large files (git-lfs) are: {}; register its \
                 https URL with a user and token, or leave out `enableLfs`",
                self.repository.redact(why.to_owned())
            ),
        };
        answer.map(Some).map_err(|failure| match failure {
            large::Failure::Timeout => SourceError::Timeout {
                url: url(),
                action: ACTION,
                seconds: limit.as_secs(),
            },
            large::Failure::Connection(why) => {
                failed(url(), ACTION, self.repository.redact(why), false)
            }
            large::Failure::Command(why) => unusable(&format!("git-lfs-authenticate: {why}")),
            large::Failure::TooLong => unusable("the answer of git-lfs-authenticate is too long"),
        })
    }

    fn objects(&self) -> Result<Objects, SourceError> {
        let local = self.open_local()?.into_sync();
        Ok(Objects::of_mirror(local, Arc::clone(&self.lease)))
    }
}

/// Makes the repository beside its place and moves it there whole.
fn create(folder: &Path, options: gix::open::Options) -> gix::Result<gix::Repository> {
    gix::ThreadSafeRepository::init_opts(
        folder,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
        options,
    )
    .map(|repository| repository.to_thread_local())
}

enum Failure {
    Timeout,
    Git(gix::Error),
}

/// How long after its end a conversation may go on before it is ended once more.
const GRACE: Duration = Duration::from_secs(1);

/// Runs `work` with a flag that is raised when the time is over; then what carries it is ended, too,
/// which may not have begun by then.
fn within<T>(
    limit: Duration,
    ending: Option<Ending>,
    work: impl FnOnce(&Arc<AtomicBool>) -> gix::Result<T>,
) -> Result<T, Failure> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let (done, over) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn({
        let interrupt = Arc::clone(&interrupt);
        move || {
            let mut wait = limit;
            while over.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupt.store(true, Ordering::Relaxed);
                if let Some(ending) = &ending {
                    ending.end();
                }
                wait = GRACE;
            }
        }
    });
    let result = work(&interrupt);
    drop(done);
    let _ = watchdog.join();
    match result {
        Err(_) if interrupt.load(Ordering::Relaxed) => Err(Failure::Timeout),
        other => other.map_err(Failure::Git),
    }
}

/// A failure of what is kept of `repository` here.
pub(crate) fn damaged(repository: &Repository, error: &gix::Error) -> SourceError {
    SourceError::Mirror {
        url: repository.url.clone(),
        why: repository.redact(causes(error)),
    }
}

/// The folder of a repository's mirror, which belongs to one registration.
pub(super) fn name(repository: &Repository) -> String {
    let digest = Sha256::digest(repository.key());
    let name = digest
        .iter()
        .take(16)
        .fold(String::new(), |mut name, byte| {
            // Writing to a text cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
    format!("{name}{MIRROR}")
}

fn remote_refs(list: Vec<Ref>) -> RemoteRefs {
    let mut refs = RemoteRefs::default();
    for entry in list {
        let (name, id) = match entry {
            Ref::Peeled {
                full_ref_name,
                object,
                ..
            }
            | Ref::Direct {
                full_ref_name,
                object,
            } => (full_ref_name, object),
            Ref::Symbolic {
                full_ref_name,
                target,
                object,
                ..
            } => {
                refs.symbolic
                    .insert(full_ref_name.to_string(), target.to_string());
                (full_ref_name, object)
            }
            Ref::Unborn { .. } => continue,
        };
        if let Some(sha) = Sha::parse(&id.to_string()) {
            refs.refs.insert(name.to_string(), sha);
        }
    }
    refs
}
