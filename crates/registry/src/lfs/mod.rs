//! Large files of git repositories: the batch API of git-lfs, downloads alone.
//!
//! A repository holds a small text in the place of such a file, which names it by its digest. The
//! server says where each one is and what to show there; the repository's own credentials go to its
//! own host and nowhere else, and what a server granted over ssh to the host that it named.

mod grant;
mod pointer;

use std::collections::BTreeMap;

use argosy_facts::Secret;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::{
    Credentials, Error, Transport,
    credentials::sensitive,
    exchange::{expect, get, post, shown},
    helm::verified,
};

pub use grant::Grant;
pub use pointer::{LargeFile, POINTER_LIMIT};

/// The largest file that is fetched.
const FILE_LIMIT: u64 = 100 * 1024 * 1024;

/// How many files are asked for at once, and how large the answer may be.
const BATCH: usize = 100;
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.git-lfs+json");

/// Where the large files of one repository are.
pub struct LfsServer<T> {
    transport: T,
    base: Url,
    /// What the base's own host is shown.
    shown: Headers,
}

/// Headers that say who we are.
type Headers = Vec<(HeaderName, HeaderValue)>;

#[derive(Deserialize)]
struct Answer {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    actions: Option<Actions>,
    error: Option<Refused>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, Secret>,
}

#[derive(Deserialize)]
struct Refused {
    code: u16,
    #[serde(default)]
    message: String,
}

impl<T: Transport> LfsServer<T> {
    /// The server beside the repository at `url`, whose scheme must be http or https.
    pub fn new(transport: T, url: &str, credentials: &Credentials) -> Result<Self, Error> {
        let refuse = |why: &str| Error::Url {
            url: url.to_owned(),
            why: why.to_owned(),
        };
        let trimmed = url.trim_end_matches('/');
        let name = trimmed.strip_suffix(".git").unwrap_or(trimmed);
        let base = Url::parse(&format!("{name}.git/info/lfs/"));
        let base = base.map_err(|error| refuse(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refuse(
                "large files (git-lfs) are fetched over https, or where a server says over ssh; register the repository by such a URL",
            ));
        }
        let authorization = credentials.header(&shown(&base))?;
        let authorization = authorization.map(|value| (header::AUTHORIZATION, value));
        Ok(Self {
            transport,
            base,
            shown: authorization.into_iter().collect(),
        })
    }

    /// The server that a grant names.
    pub fn granted(transport: T, grant: &Grant) -> Self {
        Self {
            transport,
            base: grant.base.clone(),
            shown: grant.headers.clone(),
        }
    }

    /// The contents of `files`, in their order, each checked against its digest.
    pub async fn fetch(&mut self, files: &[LargeFile]) -> Result<Vec<Bytes>, Error> {
        let mut contents = Vec::new();
        for some in files.chunks(BATCH) {
            let answer = self.locate(some).await?;
            for file in some {
                let action = self.action(&answer, file)?;
                contents.push(self.download(file, action).await?);
            }
        }
        Ok(contents)
    }

    async fn locate(&mut self, files: &[LargeFile]) -> Result<Answer, Error> {
        let url = self.join("objects/batch")?;
        for file in files {
            if file.size > FILE_LIMIT {
                return Err(Error::TooLarge {
                    url: format!("the large file {} of {}", file.digest, shown(&self.base)),
                    limit: FILE_LIMIT,
                });
            }
        }
        let object = |file: &LargeFile| json!({"oid": file.digest.hex(), "size": file.size});
        let question = json!({
            "operation": "download",
            "transfers": ["basic"],
            "objects": files.iter().map(object).collect::<Vec<_>>(),
            "hash_algo": "sha256",
        });
        let mut headers = vec![
            (header::ACCEPT, MEDIA_TYPE),
            (header::CONTENT_TYPE, MEDIA_TYPE),
        ];
        headers.extend(self.shown.iter().cloned());
        let question = Bytes::from(question.to_string());
        let answer = post(&mut self.transport, &url, headers, question, ANSWER_LIMIT).await?;
        let answer = expect(&url, answer)?.into_body();
        serde_json::from_slice(&answer).map_err(|error| Error::Malformed {
            url: shown(&url),
            why: format!(
                "the answer is not that of a git-lfs server ({})",
                place(&error)
            ),
        })
    }

    /// Where a file is.
    fn action<'a>(&self, answer: &'a Answer, file: &LargeFile) -> Result<&'a Action, Error> {
        let lacks = |why: String| Error::Malformed {
            url: shown(&self.base),
            why: format!("the large file {}: {why}", file.digest),
        };
        let mut objects = answer.objects.iter();
        let object = objects.find(|object| object.oid == file.digest.hex());
        let object = object.ok_or_else(|| lacks("the server does not speak of it".to_owned()))?;
        if let Some(Refused { code, message }) = &object.error {
            return Err(lacks(format!("the server answers {code} {message}")));
        }
        let actions = object.actions.as_ref();
        let download = actions.and_then(|actions| actions.download.as_ref());
        download.ok_or_else(|| lacks("the server does not say where it is".to_owned()))
    }

    async fn download(&mut self, file: &LargeFile, action: &Action) -> Result<Bytes, Error> {
        let url = self.join(&action.href)?;
        let mut headers = wanted(&action.header, &shown(&url))?;
        let is_shown = headers
            .iter()
            .any(|(name, _)| *name == header::AUTHORIZATION);
        if !is_shown && url.origin() == self.base.origin() {
            headers.extend(self.shown.iter().cloned());
        }
        let answer = get(&mut self.transport, &url, headers, file.size).await?;
        verified(&url, expect(&url, answer)?.into_body(), &file.digest)
    }

    fn join(&self, reference: &str) -> Result<Url, Error> {
        let refuse = |why: String| Error::Url {
            url: shown(&self.base),
            why,
        };
        let url = self.base.join(reference);
        let url = url.map_err(|error| refuse(error.to_string()))?;
        let is_safe = url.scheme() == "https" || url.scheme() == self.base.scheme();
        if is_safe {
            return Ok(url);
        }
        Err(refuse(format!(
            "the server sends us to {}, which is not reached over https",
            shown(&url)
        )))
    }
}

/// The headers that a server wants to be shown at `url`.
fn wanted(headers: &BTreeMap<String, Secret>, url: &str) -> Result<Headers, Error> {
    let read = |(name, value): (&String, &Secret)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Error::Malformed {
            url: url.to_owned(),
            why: "the server wants a header with a name that is none".to_owned(),
        })?;
        Ok((name, sensitive(value.expose(), url)?))
    };
    headers.iter().map(read).collect()
}

/// Where an answer is of another form than it should. What serde says besides may quote it, and it
/// holds what is to be shown.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}
