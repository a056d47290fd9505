//! A Helm repository over HTTP: an index, and archives that it names.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::{
    ChartVersion, Credentials, Digest, Error, Transport,
    exchange::{expect, get, shown},
};

/// The largest index that is read: the largest public ones have 50 MB.
const INDEX_LIMIT: u64 = 128 * 1024 * 1024;

/// The largest archive of a chart: Helm refuses to unpack more.
pub(crate) const ARCHIVE_LIMIT: u64 = 100 * 1024 * 1024;

/// A Helm repository.
pub struct HelmRepository<T> {
    transport: T,
    base: Url,
    credentials: Credentials,
    /// Whether other hosts get the credentials too.
    pass_credentials: bool,
}

/// An index as it came, to be read with [`crate::Index::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedIndex {
    /// Its text.
    pub text: Bytes,
    /// By what to ask whether it has changed.
    pub etag: Option<String>,
}

impl<T: Transport> HelmRepository<T> {
    /// The repository at `url`, whose scheme must be http or https.
    pub fn new(
        transport: T,
        url: &str,
        credentials: Credentials,
        pass_credentials: bool,
    ) -> Result<Self, Error> {
        let refuse = |why: &str| Error::Url {
            url: url.to_owned(),
            why: why.to_owned(),
        };
        let mut base = Url::parse(url).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refuse(
                "a Helm repository's URL begins with https:// or http://",
            ));
        }
        // What is relative is relative to the repository, not to its parent.
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self {
            transport,
            base,
            credentials,
            pass_credentials,
        })
    }

    /// The index; `None` if it is still the one with the tag `known`.
    pub async fn index(&mut self, known: Option<&str>) -> Result<Option<FetchedIndex>, Error> {
        let url = self.resolve("index.yaml")?;
        let mut headers = self.authorization(&url)?;
        if let Some(known) = known.and_then(|tag| HeaderValue::from_str(tag).ok()) {
            headers.push((header::IF_NONE_MATCH, known));
        }
        let answer = get(&mut self.transport, &url, headers, INDEX_LIMIT).await?;
        if answer.status() == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(None);
        }
        let answer = expect(&url, answer)?;
        let etag = answer.headers().get(header::ETAG);
        Ok(Some(FetchedIndex {
            etag: etag.and_then(|tag| tag.to_str().ok()).map(str::to_owned),
            text: answer.into_body(),
        }))
    }

    /// The archive of one version, which has the digest that the index names.
    pub async fn archive(&mut self, version: &ChartVersion) -> Result<Bytes, Error> {
        let url = self.resolve(&version.url)?;
        let headers = self.authorization(&url)?;
        let answer = get(&mut self.transport, &url, headers, ARCHIVE_LIMIT).await?;
        let archive = expect(&url, answer)?.into_body();
        match &version.digest {
            Some(expected) => verified(&url, archive, expected),
            None => Ok(archive),
        }
    }

    /// A URL as the index means it; the query of the repository's own URL goes along.
    fn resolve(&self, reference: &str) -> Result<Url, Error> {
        let refuse = |why: String| Error::Url {
            url: reference.to_owned(),
            why,
        };
        let mut url = self
            .base
            .join(reference)
            .map_err(|error| refuse(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse(
                "charts are fetched by https and http alone".to_owned(),
            ));
        }
        if url.query().is_none() && url.origin() == self.base.origin() {
            url.set_query(self.base.query());
        }
        Ok(url)
    }

    fn authorization(&self, url: &Url) -> Result<Vec<(header::HeaderName, HeaderValue)>, Error> {
        if url.origin() != self.base.origin() && !self.pass_credentials {
            return Ok(Vec::new());
        }
        let value = self.credentials.header(&shown(url))?;
        Ok(value
            .map(|value| (header::AUTHORIZATION, value))
            .into_iter()
            .collect())
    }
}

/// `content`, if it has the digest that was promised.
pub(crate) fn verified(url: &Url, content: Bytes, expected: &Digest) -> Result<Bytes, Error> {
    let actual = Digest::of(&content);
    if actual == *expected {
        return Ok(content);
    }
    Err(Error::Digest {
        url: shown(url),
        expected: expected.to_string(),
        actual: actual.to_string(),
    })
}
