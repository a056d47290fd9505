//! Large files of a repository (git-lfs), by its own credentials or by what its server grants over
//! ssh.

use std::{collections::BTreeMap, fmt, sync::Mutex};

use argosy_registry::{Grant, LargeFile, LfsServer};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Sources, lock};
use crate::{
    http::{Redirects, Terms},
    source::{Repository, SourceError, git::beside},
};

/// What servers have granted, by registration, for as long as it lasts.
#[derive(Default)]
pub(super) struct Grants(Mutex<BTreeMap<String, Grant>>);

impl Grants {
    fn get(&self, repository: &Repository, now: Timestamp) -> Option<Grant> {
        let mut all = lock(&self.0);
        all.retain(|_, grant| grant.lasts(now));
        all.get(&repository.fingerprint()).cloned()
    }

    fn keep(&self, repository: &Repository, grant: Grant) {
        lock(&self.0).insert(repository.fingerprint(), grant);
    }

    fn forget(&self, repository: &Repository) {
        lock(&self.0).remove(&repository.fingerprint());
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grants")
    }
}

impl Sources {
    /// The contents of large files of a repository, in their order, checked against their digests.
    pub(crate) async fn large_files(
        &self,
        repository: &Repository,
        files: &[LargeFile],
    ) -> Result<Vec<Bytes>, SourceError> {
        let _permit = self.shared.running.acquire().await;
        let started = Instant::now();
        let fetched = self.fetch_large_files(repository, files).await;
        let (counters, took) = (&self.shared.counters, started.elapsed());
        counters.count("lfs", &repository.url, took, fetched.is_err());
        fetched
    }

    async fn fetch_large_files(
        &self,
        repository: &Repository,
        files: &[LargeFile],
    ) -> Result<Vec<Bytes>, SourceError> {
        let presented = self.shared.apps.present(repository).await?;
        let mut terms = presented.terms(self.shared.limits.fetch_timeout);
        let connect = |terms: &Terms| self.shared.apps.connect(&presented, terms);
        let Some(grant) = self.grant(&presented).await? else {
            let credentials = presented
                .registry_credentials("large files (git-lfs), which are fetched over https")?;
            let failed = |error| SourceError::of_registry(repository, &error);
            let server = LfsServer::new(connect(&terms)?, &presented.url, &credentials);
            let fetched = server.map_err(failed)?.fetch(files).await;
            return fetched.map_err(failed);
        };
        if !grant.is_authorization() {
            terms.redirects = Redirects::SameOrigin;
        }
        let mut server = LfsServer::granted(connect(&terms)?, &grant);
        server.fetch(files).await.map_err(|error| {
            // It may have been taken back.
            self.shared.grants.forget(&presented);
            let text = grant.redact(error.to_string());
            SourceError::of_registry_text(repository, &error, text)
        })
    }

    /// What the server of a repository grants that is reached over ssh.
    async fn grant(&self, repository: &Repository) -> Result<Option<Grant>, SourceError> {
        let asked = self.shared.clock.now();
        if let Some(grant) = self.shared.grants.get(repository, asked) {
            return Ok(Some(grant));
        }
        let limit = self.shared.limits.list_timeout;
        let answer = self.blocking(repository, move |remote| remote.large_files(limit));
        let Some(answer) = answer.await? else {
            return Ok(None);
        };
        let url = &repository.url;
        let grant = Grant::read(&answer, url, &beside(url), asked)
            .map_err(|error| SourceError::of_registry(repository, &error))?;
        if grant.lasts(self.shared.clock.now()) {
            self.shared.grants.keep(repository, grant.clone());
        }
        Ok(Some(grant))
    }
}
