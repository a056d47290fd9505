//! The pipes to and from one worker: a question goes one way and an answer comes the other way, within
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

/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// How much a pipe holds, where the system allows it: most jobs and answers, so that neither side
/// waits for the other in the middle.
const CAPACITY: i32 = 1024 * 1024;

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
            // A smaller pipe does the same in more steps.
            let _ = fcntl(end, FcntlArg::F_SETPIPE_SZ(CAPACITY));
        }
        Ok(Self {
            input,
            output,
            chunk: vec![0; CHUNK],
        })
    }

    /// Sends a question, which comes in parts, and returns the answer as `read` finds it in the bytes that
    /// have come; it finds `None` as long as more has to come.
    pub(super) fn exchange<T>(
        &mut self,
        question: &[&[u8]],
        read: impl Fn(&[u8]) -> io::Result<Option<T>>,
        group: &Group,
        limits: Limits,
    ) -> Result<T, Silence> {
        let started = Instant::now();
        let mut glanced = started;
        let mut parts: Vec<_> = question.iter().map(|part| IoSlice::new(part)).collect();
        let mut unsent = &mut parts[..];
        // Nothing but empty parts would look like a pipe that takes nothing.
        IoSlice::advance_slices(&mut unsent, 0);
        let mut answer = Vec::new();
        loop {
            unsent = self.send(unsent).map_err(|_| Silence::Gone)?;
            while self.receive(&mut answer).map_err(|_| Silence::Gone)? {
                if answer.len() as u64 > limits.output {
                    let limit = format!("printed more than {} bytes", limits.output);
                    return Err(Silence::Limit(limit));
                }
                if let Some(answer) = read(&answer).map_err(|_| Silence::Gone)? {
                    return Ok(answer);
                }
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

    /// Reads once of what has come, if anything has.
    fn receive(&mut self, answer: &mut Vec<u8>) -> io::Result<bool> {
        match self.output.read(&mut self.chunk) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                answer.extend_from_slice(&self.chunk[..read]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
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
