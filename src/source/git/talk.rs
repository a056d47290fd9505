//! What a server says before it sends a pack: its capabilities and refs, of which git's library keeps all.
//! Bounded here, because a server may go on without end. Never looks at what is said.

use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse, reqwest as gix_reqwest,
};

/// HTTP as git's library speaks it, by the client that it is told to use.
type Remote = gix_reqwest::Remote;

/// How many bytes a server may say: about a million and a half of refs.
const LIMIT: u64 = 128 * 1024 * 1024;

/// The bytes that a server may still say in one conversation.
#[derive(Clone)]
pub(super) struct Talk(Arc<AtomicU64>);

impl Talk {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(LIMIT)))
    }

    /// What comes now is a pack, which is counted where it is written.
    pub(super) fn is_over(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// Has what a reader gives count.
    pub(super) fn heard<R>(&self, reader: R) -> Heard<R> {
        let talk = self.clone();
        Heard { reader, talk }
    }

    fn may_go_on(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) > 0 {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "the server lists more than {} MB of refs and capabilities",
            LIMIT / 1024 / 1024
        )))
    }

    fn count(&self, bytes: usize) {
        let rest = |left: u64| Some(left.saturating_sub(bytes as u64));
        // It always has a rest.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
    }
}

/// Bytes that count.
pub(super) struct Heard<R> {
    reader: R,
    talk: Talk,
}

impl<R: Read> Read for Heard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.talk.may_go_on()?;
        let read = self.reader.read(buffer)?;
        self.talk.count(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Heard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.talk.may_go_on()?;
        self.reader.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.talk.count(bytes);
        self.reader.consume(bytes);
    }
}

/// The same with answers that count.
pub(super) struct Counted {
    remote: Remote,
    talk: Talk,
}

impl Counted {
    pub(super) fn new(talk: &Talk) -> Self {
        Self {
            remote: Remote::default(),
            talk: talk.clone(),
        }
    }
}

impl Http for Counted {
    type Headers = <Remote as Http>::Headers;
    type ResponseBody = Heard<<Remote as Http>::ResponseBody>;
    type PostBody = <Remote as Http>::PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let GetResponse { headers, body } = self.remote.get(url, base_url, headers)?;
        let body = self.talk.heard(body);
        Ok(GetResponse { headers, body })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let PostResponse {
            post_body,
            headers,
            body,
        } = self.remote.post(url, base_url, headers, body)?;
        Ok(PostResponse {
            post_body,
            headers,
            body: self.talk.heard(body),
        })
    }

    fn configure(&mut self, config: &dyn std::any::Any) -> gix::Result {
        self.remote.configure(config)
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.remote.redirected_base_url()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_ends_is_cut_off() {
        let talk = Talk::new();
        let mut endless = talk.heard(io::repeat(b'0'));
        let mut kept = io::sink();
        let error = io::copy(&mut endless, &mut kept).unwrap_err();
        assert!(error.to_string().contains("more than 128 MB"), "{error}");
        let mut lines = talk.heard(io::BufReader::new(io::repeat(b'\n')));
        assert!(lines.fill_buf().is_err());
    }

    #[test]
    fn a_pack_may_be_longer() {
        let talk = Talk::new();
        talk.is_over();
        let pack = talk.heard(io::repeat(0)).take(2 * LIMIT);
        assert_eq!(io::copy(&mut { pack }, &mut io::sink()).unwrap(), 2 * LIMIT);
    }
}
