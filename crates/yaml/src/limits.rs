//! How much one text may cost. Never a matter of taste about content: only size, depth and expansion.

use crate::Error;

/// Bounds that hold while a text is read; exceeding one is an [`Error`](crate::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes. Default 64 MiB, several times what an API server would accept in one object.
    pub bytes: usize,
    /// The deepest nesting of collections. Default 128: serde_json, which reads what API servers answer, knows no deeper
    /// value, the deepest schemas of custom resources stay below half of it, and every reader fits in a thread's stack.
    pub depth: usize,
    /// The most nodes one document may have after its aliases are expanded. Default 4,000,000. The ratio of expanded to
    /// written nodes is bounded besides, as Kubernetes does it.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 128,
            nodes: 4_000_000,
        }
    }
}

impl Limits {
    pub(crate) fn check_size(&self, text: &str) -> Result<(), Error> {
        if text.len() > self.bytes {
            return Err(Error::new(format!(
                "the text is longer than {} bytes",
                self.bytes
            )));
        }
        Ok(())
    }
}
