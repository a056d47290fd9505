//! git's own protocol (`git://`): a plain connection to a git daemon, to which nobody tells a secret.
//!
//! Never connects to an address that was not checked, and never waits for a daemon longer than it may:
//! git's library does both.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use argosy_engine::addresses::Addresses;
use gix::protocol::transport::{
    Protocol,
    client::git::{ConnectMode, blocking_io::Connection},
};

use super::talk::{Heard, Talk};

/// The port of git daemons.
const PORT: u16 = 9418;

/// One end of a connection, which fails when the time of the conversation is over.
pub(super) struct Timed {
    stream: TcpStream,
    end: Instant,
}

/// Connects to the daemon of a URL; the conversation may take as long as `limit` says. Blocks.
pub(super) fn connect(
    url: &gix::Url,
    addresses: &Addresses,
    limit: Duration,
    talk: &Talk,
) -> io::Result<Connection<Heard<Timed>, Timed>> {
    let end = Instant::now() + limit;
    let Some(host) = url.host().filter(|_| url.user().is_none()) else {
        let message = "git's own protocol has a host and no user";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
    let port = url.port.unwrap_or(PORT);
    let stream = reach(host, port, addresses, end)?;
    let ends = (stream.try_clone()?, stream);
    let timed = |stream| Timed { stream, end };
    Ok(Connection::new(
        talk.heard(timed(ends.0)),
        timed(ends.1),
        Protocol::V2,
        url.path.clone(),
        Some((host, url.port)),
        ConnectMode::Daemon,
        false,
    ))
}

/// Connects to the first address of a host that answers. One that is refused ends the search.
fn reach(host: &str, port: u16, addresses: &Addresses, end: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host.trim_matches(['[', ']']), port).to_socket_addrs()? {
        addresses.check(address.ip()).map_err(io::Error::other)?;
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// How long the conversation may still take; an error when that is over.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.end)?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.end)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
