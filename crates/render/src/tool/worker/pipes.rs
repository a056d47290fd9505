//! The pipes to and from one worker: a question goes one way and a line comes the other way, within
//! limits, and neither ever blocks.

use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    os::fd::AsFd as _,
    process::{ChildStdin, ChildStdout},
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::tool::{
    group::Group,
    program::{Limits, exceeded},
};

/// How often a busy worker's memory is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How much is read at once: what a pipe holds.
const CHUNK: usize = 64 * 1024;

/// Why there is no answer.
pub(super) enum Silence {
    /// The worker is gone; with a worker of its own the job may succeed.
    Gone,
    /// The job reached a limit.
    Limit(String),
}

/// Both ends that are ours.
pub(super) struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
    chunk: Vec<u8>,
}

impl Pipes {
    pub(super) fn new(input: ChildStdin, output: ChildStdout) -> io::Result<Self> {
        for end in [input.as_fd(), output.as_fd()] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            input,
            output,
            chunk: vec![0; CHUNK],
        })
    }

    /// Sends a question, which comes in parts, and returns the line that answers it.
    pub(super) fn exchange(
        &mut self,
        question: &[&[u8]],
        group: &Group,
        limits: Limits,
    ) -> Result<Vec<u8>, Silence> {
        let started = Instant::now();
        let mut glanced = started;
        let mut parts: Vec<_> = question.iter().map(|part| IoSlice::new(part)).collect();
        let mut unsent = &mut parts[..];
        // Nothing but empty parts would look like a pipe that takes nothing.
        IoSlice::advance_slices(&mut unsent, 0);
        let mut line = Vec::new();
        loop {
            unsent = self.send(unsent).map_err(|_| Silence::Gone)?;
            self.receive(&mut line, limits)?;
            if line.ends_with(b"\n") {
                return Ok(line);
            }
            if glanced.elapsed() >= GLANCE {
                if let Some(limit) = exceeded(group, started, limits) {
                    return Err(Silence::Limit(limit));
                }
                glanced = Instant::now();
            }
            self.wait(!unsent.is_empty()).map_err(|_| Silence::Gone)?;
        }
    }

    /// Sends as much as there is room for, and returns the rest.
    fn send<'a, 'q>(
        &mut self,
        mut unsent: &'a mut [IoSlice<'q>],
    ) -> io::Result<&'a mut [IoSlice<'q>]> {
        while !unsent.is_empty() {
            match self.input.write_vectored(unsent) {
                Ok(sent) => IoSlice::advance_slices(&mut unsent, sent),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unsent)
    }

    /// Reads what has come, up to the end of the line.
    fn receive(&mut self, line: &mut Vec<u8>, limits: Limits) -> Result<(), Silence> {
        while !line.ends_with(b"\n") {
            match self.output.read(&mut self.chunk) {
                Ok(0) => return Err(Silence::Gone),
                Ok(read) => line.extend_from_slice(&self.chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Silence::Gone),
            }
            if line.len() as u64 > limits.output {
                let limit = format!("printed more than {} bytes", limits.output);
                return Err(Silence::Limit(limit));
            }
        }
        Ok(())
    }

    /// Waits until there is something to read, or room to send, or it is time for a glance.
    fn wait(&self, sending: bool) -> io::Result<()> {
        let mut ends = vec![PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
        if sending {
            ends.push(PollFd::new(self.input.as_fd(), PollFlags::POLLOUT));
        }
        let glance = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO);
        match poll(&mut ends, glance) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
