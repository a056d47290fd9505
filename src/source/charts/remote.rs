//! One repository of charts: what it was asked, and what it answered.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use argosy_engine::addresses::Addresses;
use argosy_registry::{
    ChartVersion, Credentials, Descriptor, Digest, Error, HelmRepository, Index, Manifest,
    OciRepository, file,
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio::time::Instant;

use super::{answers::Answers, package::Package};
use crate::{
    blocking::Blocking,
    http::Http,
    source::{Repository, SourceError, choose, counters::Counters, hex, sources::Limits},
};

/// A repository of charts.
pub(super) struct Remote {
    name: Name,
    repository: Repository,
    http: Http,
    limits: Limits,
    door: Door,
    blocking: Blocking,
    turn: Mutex<()>,
    indexes: Answers<Indexed>,
    /// Whether the index is being read for nobody in particular.
    is_reading: AtomicBool,
    tags: Answers<Arc<Vec<String>>>,
    manifests: Answers<Arc<(Digest, Manifest)>>,
    files: Answers<Arc<[u8]>>,
}

/// Tells apart what is asked at another place, with other credentials or on other terms, without
/// showing any of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    place: String,
    terms: String,
    /// Not in the name of the file: what a version means stays known when the addresses change.
    addresses: Addresses,
}

impl Name {
    pub(super) fn of(repository: &Repository) -> Self {
        let anywhere = Repository {
            addresses: Addresses::default(),
            ..repository.clone()
        };
        Self {
            place: place(&repository.url),
            terms: anywhere.fingerprint(),
            addresses: repository.addresses.clone(),
        }
    }

    /// The name of a file that belongs to it.
    pub(super) fn file(&self) -> String {
        format!("{}-{}", self.place, self.terms)
    }

    /// Whether a file belongs to the repository at `url`, by whatever credentials.
    pub(super) fn is_of(file: &str, url: &str) -> bool {
        file.split_once('-').is_some_and(|(at, _)| at == place(url))
    }
}

/// The same for all spellings of one address.
fn place(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let normal = argosy_engine::repo_url::normalise(url);
    let url = if normal.is_empty() { url } else { &normal };
    hex(&Sha256::digest(url))
}

/// What all remotes share: how many may be asked at once, and what was asked.
pub(super) struct Door {
    pub(super) running: Arc<Semaphore>,
    pub(super) counters: Arc<Counters>,
}

/// An index, and by what to ask whether it has changed.
#[derive(Clone)]
struct Indexed {
    index: Arc<Index>,
    etag: Option<String>,
}

/// A package at one version, and where it is.
pub(super) struct Located {
    /// What the status shows.
    pub(super) revision: String,
    place: Place,
}

enum Place {
    /// What the index says.
    Indexed(ChartVersion),
    /// A layer in a registry, and whether it is a packaged chart.
    Layer {
        address: String,
        layer: Descriptor,
        is_chart: bool,
    },
}

impl Located {
    /// The digest of the archive, where it is known beforehand.
    pub(super) fn digest(&self) -> Option<&Digest> {
        match &self.place {
            Place::Indexed(version) => version.digest.as_ref(),
            Place::Layer { layer, .. } => Some(&layer.digest),
        }
    }

    /// Whether one directory holds all files of the archive.
    pub(super) fn has_base(&self) -> bool {
        match &self.place {
            Place::Indexed(_) => true,
            Place::Layer { is_chart, .. } => *is_chart,
        }
    }
}

impl Remote {
    pub(super) fn new(
        name: Name,
        repository: &Repository,
        http: Http,
        limits: Limits,
        door: Door,
        blocking: Blocking,
    ) -> Self {
        Self {
            name,
            repository: repository.clone(),
            http,
            limits,
            door,
            blocking,
            turn: Mutex::default(),
            indexes: Answers::default(),
            is_reading: AtomicBool::new(false),
            tags: Answers::default(),
            manifests: Answers::default(),
            files: Answers::default(),
        }
    }

    /// What tells it apart from others.
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// Whether this is the repository at `url`, by whatever credentials.
    pub(super) fn is_at(&self, url: &str) -> bool {
        self.repository.is_at(url)
    }

    /// Has everything asked anew.
    pub(super) fn refresh(&self) {
        self.indexes.refresh();
        self.tags.refresh();
        self.manifests.refresh();
        self.files.refresh();
    }

    /// The digest that the index gives for a version of a chart now, as far as it was read; if it
    /// is old, it is read anew meanwhile.
    ///
    /// Nobody waits for that: what is fixed needs no repository.
    pub(super) fn published(self: &Arc<Self>, chart: &str, version: &str) -> Option<Digest> {
        if self.indexes.is_stale("", self.limits.interval)
            && !self.is_reading.swap(true, Ordering::AcqRel)
        {
            let remote = Arc::clone(self);
            tokio::spawn(async move {
                // Whoever needs the index is told what is wrong with it.
                let _ = remote.index().await;
                remote.is_reading.store(false, Ordering::Release);
            });
        }
        let index = self.indexes.good("")?.index;
        let mut versions = index.versions(chart)?.iter();
        versions
            .find(|known| known.version == version)?
            .digest
            .clone()
    }

    /// Makes one counted request, when it is its turn.
    async fn ask<T>(
        &self,
        kind: &'static str,
        request: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        // The semaphore is never closed, so a permit always comes.
        let _permit = self.door.running.acquire().await;
        let began = Instant::now();
        let answer = request.await;
        let (url, took) = (&self.repository.url, began.elapsed());
        self.door.counters.count(kind, url, took, answer.is_err());
        answer
    }

    /// Waits until nobody else downloads or unpacks something of this remote.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Where the package is at `revision`.
    pub(super) async fn locate(
        &self,
        package: &Package,
        revision: &str,
    ) -> Result<Located, SourceError> {
        match package {
            Package::Indexed { chart } => self.locate_indexed(package, chart, revision).await,
            Package::Chart { address } => {
                let tag = self.tag(package, address, revision).await?;
                let (_, place) = self.layer(address, &tag).await?;
                // A tag cannot hold the plus sign of build metadata.
                Ok(Located {
                    revision: tag.replacen('_', "+", 1),
                    place,
                })
            }
            Package::Artifact { address } => {
                let reference = if revision.starts_with("sha256:") {
                    revision.to_owned()
                } else {
                    self.tag(package, address, revision).await?
                };
                let (digest, place) = self.layer(address, &reference).await?;
                Ok(Located {
                    revision: digest.to_string(),
                    place,
                })
            }
        }
    }

    /// The archive, checked against its digest where that is known.
    pub(super) async fn download(
        &self,
        located: &Located,
        pass_credentials: bool,
    ) -> Result<Bytes, SourceError> {
        self.ask("archive", async {
            match &located.place {
                Place::Indexed(version) => self.helm(pass_credentials)?.archive(version).await,
                Place::Layer { address, layer, .. } => self.oci(address)?.blob(layer).await,
            }
            .map_err(|error| self.failed(&error))
        })
        .await
    }

    /// The repository's URL as a file.
    pub(super) async fn file(&self, limit: u64) -> Result<Arc<[u8]>, SourceError> {
        let ask = |_| {
            self.ask("file", async {
                let credentials = self.credentials()?;
                let text = file(
                    &mut self.http.clone(),
                    &self.repository.url,
                    &credentials,
                    limit,
                )
                .await;
                text.map(|text| Arc::from(text.as_ref()))
                    .map_err(|error| self.failed(&error))
            })
        };
        self.files.get("", self.limits.interval, ask).await
    }

    /// Asks whether the repository answers and accepts the credentials.
    pub(super) async fn test(&self) -> Result<(), SourceError> {
        let url = &self.repository.url;
        if url.starts_with("oci://") || self.repository.enable_oci || !url.contains("://") {
            return self
                .oci(url)?
                .ping()
                .await
                .map_err(|error| self.failed(&error));
        }
        self.indexes.refresh();
        self.index().await.map(drop)
    }

    async fn locate_indexed(
        &self,
        package: &Package,
        chart: &str,
        revision: &str,
    ) -> Result<Located, SourceError> {
        let index = self.index().await?;
        let versions = index.versions(chart).ok_or_else(|| {
            let near = crate::diagnostic::nearest(chart, index.charts());
            let hint = match near {
                Some(near) => {
                    format!(": there is no such chart in its index; did you mean `{near}`?")
                }
                None => ": there is no such chart in its index".to_owned(),
            };
            self.no_version(package, revision, hint)
        })?;
        let texts = || versions.iter().map(|version| version.version.as_str());
        let chosen = choose(revision, texts());
        let chosen =
            chosen.and_then(|text| versions.iter().find(|version| version.version == text));
        let version = chosen.ok_or_else(|| self.no_version(package, revision, newest(texts())))?;
        Ok(Located {
            revision: version.version.clone(),
            place: Place::Indexed(version.clone()),
        })
    }

    async fn index(&self) -> Result<Arc<Index>, SourceError> {
        let ask = |known: Option<Indexed>| async move {
            let etag = known.as_ref().and_then(|known| known.etag.as_deref());
            let fetched = self.ask("index", async {
                let fetched = self.helm(false)?.index(etag).await;
                fetched.map_err(|error| self.failed(&error))
            });
            let fetched = fetched.await?;
            let Some(fetched) = fetched else {
                return known.ok_or_else(|| {
                    self.unusable("its index is said not to have changed".to_owned())
                });
            };
            // An index may have tens of megabytes.
            let parsed = self.blocking.run(move || Index::parse(&fetched.text)).await;
            let parsed = parsed.unwrap_or_else(|panic| Err(panic.to_string()));
            let index =
                parsed.map_err(|why| self.unusable(format!("index.yaml cannot be read: {why}")))?;
            Ok(Indexed {
                index: Arc::new(index),
                etag: fetched.etag,
            })
        };
        let indexed = self.indexes.get("", self.limits.interval, ask).await?;
        Ok(indexed.index)
    }

    /// The tag that a revision means. One that is no constraint is taken as it is.
    async fn tag(
        &self,
        package: &Package,
        address: &str,
        revision: &str,
    ) -> Result<String, SourceError> {
        let wanted = revision.replacen('+', "_", 1);
        if crate::source::Version::parse(revision)
            .is_some_and(|_| revision.matches('.').count() >= 2)
            || crate::source::Constraint::parse(revision).is_none()
        {
            return Ok(if wanted.is_empty() {
                "latest".to_owned()
            } else {
                wanted
            });
        }
        let ask = |_| {
            self.ask("tags", async {
                let tags = self.oci(address)?.tags().await;
                tags.map(Arc::new).map_err(|error| self.failed(&error))
            })
        };
        let tags = self.tags.get(address, self.limits.interval, ask).await?;
        let versions: Vec<_> = tags.iter().map(|tag| tag.replacen('_', "+", 1)).collect();
        let texts = || versions.iter().map(String::as_str);
        match choose(revision, texts()) {
            Some(version) => Ok(version.replacen('+', "_", 1)),
            None => Err(self.no_version(package, revision, newest(texts()))),
        }
    }

    /// The digest of a manifest and its layer with content.
    async fn layer(&self, address: &str, reference: &str) -> Result<(Digest, Place), SourceError> {
        let ask = |_| {
            self.ask("manifest", async {
                let manifest = self.oci(address)?.manifest(reference).await;
                manifest.map(Arc::new).map_err(|error| self.failed(&error))
            })
        };
        let question = format!("{address}@{reference}");
        let answer = self
            .manifests
            .get(&question, self.limits.interval, ask)
            .await?;
        let (digest, manifest) = answer.as_ref();
        let layer = manifest.content();
        let layer = layer.map_err(|why| self.unusable(format!("{question}: {why}")))?;
        let place = Place::Layer {
            address: address.to_owned(),
            layer: layer.clone(),
            is_chart: manifest.is_chart(),
        };
        Ok((digest.clone(), place))
    }

    fn helm(&self, pass_credentials: bool) -> Result<HelmRepository<Http>, SourceError> {
        let credentials = self.credentials()?;
        HelmRepository::new(
            self.http.clone(),
            &self.repository.url,
            credentials,
            pass_credentials,
        )
        .map_err(|error| self.failed(&error))
    }

    fn oci(&self, address: &str) -> Result<OciRepository<Http>, SourceError> {
        let plain = self.repository.insecure_oci_http;
        OciRepository::new(self.http.clone(), address, plain, self.credentials()?)
            .map_err(|error| self.failed(&error))
    }

    fn credentials(&self) -> Result<Credentials, SourceError> {
        self.repository.registry_credentials("charts")
    }

    pub(super) fn unusable(&self, why: String) -> SourceError {
        SourceError::Content {
            url: self.repository.url.clone(),
            why,
        }
    }

    fn no_version(&self, package: &Package, revision: &str, hint: String) -> SourceError {
        SourceError::Version {
            url: self.repository.url.clone(),
            package: package.to_string(),
            revision: revision.to_owned(),
            hint,
        }
    }

    fn failed(&self, error: &Error) -> SourceError {
        SourceError::of_registry(&self.repository, error)
    }
}

/// What to say where no version fits.
fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> String {
    match choose("*", versions) {
        Some(newest) => format!(": the newest version is {newest}"),
        None => ": there is no version that is not a pre-release".to_owned(),
    }
}
