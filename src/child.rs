//! Waits for programs that were started, and ends those that take too long. Never reads what they say.

use std::{
    io,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

/// How often a look is taken whether a program has ended.
const GLANCE: Duration = Duration::from_millis(5);

/// How a program ended; `None` if it did not within `limit` and was ended. Blocks.
pub(crate) fn ended(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
}
