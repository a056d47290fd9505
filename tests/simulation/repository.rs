//! Git repositories in memory: commits with the ids that git would give them, refs, and a mirror for
//! each hub to fetch into. A remote can be out of reach; what was fetched stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use argosy::source;
use argosy::source::{Remote, RemoteRefs, Remotes, Repository, Sha, SourceError, Wanted};
use gix::ObjectId;
use gix::bstr::BStr;
use gix::objs::{Commit, Data, Find, FindHeader, Header, Kind, Tree, WriteTo, tree};

const BRANCH: &str = "refs/heads/main";

/// Objects by id.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Objects>>);

type Objects = BTreeMap<ObjectId, (Kind, Vec<u8>)>;

impl Store {
    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.0.lock().unwrap()
    }

    fn write(&self, object: &dyn WriteTo) -> ObjectId {
        let mut bytes = Vec::new();
        object.write_to(&mut bytes).unwrap();
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, object.kind(), &bytes).unwrap();
        self.lock().insert(id, (object.kind(), bytes));
        id
    }

    fn copy_to(&self, other: &Self) {
        let objects = self.lock().clone();
        other.lock().extend(objects);
    }
}

impl Find for Store {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        let objects = self.lock();
        let Some((kind, bytes)) = objects.get(id) else {
            return Ok(None);
        };
        buffer.clone_from(bytes);
        Ok(Some(Data::new(buffer, *kind, gix::hash::Kind::Sha1)))
    }
}

impl FindHeader for Store {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        let objects = self.lock();
        let header = |(kind, bytes): &(Kind, Vec<u8>)| Header {
            kind: *kind,
            size: bytes.len() as u64,
        };
        Ok(objects.get(id).map(header))
    }
}

/// A remote and the mirror of it.
#[derive(Default)]
struct Hosted {
    remote: Store,
    mirror: Store,
    head: Option<ObjectId>,
    commits: i64,
    hidden: bool,
}

/// Every repository there is, by URL.
#[derive(Clone, Default)]
pub(crate) struct Host(Arc<Mutex<BTreeMap<String, Hosted>>>);

impl Host {
    /// The way to them for a hub. A mirror outlives the hub, as its disk would.
    pub(crate) fn remotes(&self) -> Remotes {
        let host = self.clone();
        Remotes::from_fn(move |repository: &Repository| {
            Arc::new(Visit {
                host: host.clone(),
                url: repository.url.clone(),
            })
        })
    }

    /// Commits these files to `main`, in the place of all that were there.
    pub(crate) fn commit(&self, url: &str, files: &BTreeMap<String, String>) {
        let mut hosts = self.0.lock().unwrap();
        let hosted = hosts.entry(url.to_owned()).or_default();
        let store = hosted.remote.clone();
        let mut editor = tree::Editor::new(Tree::empty(), &store, gix::hash::Kind::Sha1);
        for (path, text) in files {
            let blob = store.write(&gix::objs::BlobRef {
                data: text.as_bytes(),
            });
            let parts = path.split('/').map(BStr::new);
            editor.upsert(parts, tree::EntryKind::Blob, blob).unwrap();
        }
        let root = editor.write(|tree| Ok::<_, gix::Error>(store.write(tree)));
        hosted.commits += 1;
        let author = gix::actor::Signature {
            name: "Ada".into(),
            email: "ada@example.com".into(),
            time: gix::date::Time::new(1_700_000_000 + hosted.commits, 0),
        };
        hosted.head = Some(store.write(&Commit {
            tree: root.unwrap(),
            parents: hosted.head.into_iter().collect(),
            author: author.clone(),
            committer: author,
            encoding: None,
            message: format!("change {}", hosted.commits).into(),
            extra_headers: Vec::new(),
        }));
    }

    /// Puts a repository out of reach, or back.
    pub(crate) fn hide(&self, url: &str, hidden: bool) {
        self.0.lock().unwrap().get_mut(url).unwrap().hidden = hidden;
    }

    fn look<T>(&self, url: &str, look: impl FnOnce(&mut Hosted) -> T) -> T {
        look(self.0.lock().unwrap().entry(url.to_owned()).or_default())
    }
}

/// One repository, as a hub reaches it.
struct Visit {
    host: Host,
    url: String,
}

impl Visit {
    fn reached<T>(
        &self,
        action: &'static str,
        look: impl FnOnce(&mut Hosted) -> T,
    ) -> Result<T, SourceError> {
        self.host.look(&self.url, |hosted| {
            if hosted.hidden {
                return Err(SourceError::Remote {
                    url: self.url.clone(),
                    action,
                    why: "the network is unreachable".to_owned(),
                });
            }
            Ok(look(hosted))
        })
    }
}

impl Remote for Visit {
    fn list_refs(&self, _: Duration) -> Result<RemoteRefs, SourceError> {
        self.reached("list the refs of", |hosted| {
            let head = hosted.head.and_then(|id| Sha::parse(&id.to_string()));
            RemoteRefs {
                refs: ["HEAD", BRANCH]
                    .into_iter()
                    .filter_map(|name| Some((name.to_owned(), head.clone()?)))
                    .collect(),
                symbolic: [("HEAD".to_owned(), BRANCH.to_owned())].into(),
            }
        })
    }

    fn fetch(&self, _: Wanted<'_>, _: Duration) -> Result<(), SourceError> {
        self.reached("fetch from", |hosted| hosted.remote.copy_to(&hosted.mirror))
    }

    fn objects(&self) -> Result<source::Objects, SourceError> {
        let mirror = self.host.look(&self.url, |hosted| hosted.mirror.clone());
        Ok(source::Objects::new(mirror))
    }

    fn complete(&self, _: &str) -> Result<Result<Sha, String>, SourceError> {
        Ok(Err(" (nothing here abbreviates)".to_owned()))
    }
}
