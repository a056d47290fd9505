//! Renders on disk, so that a restart renders nothing anew.
//!
//! A render that holds a Secret is never written: it is rendered anew after a restart, which costs
//! time and shows nothing to whoever reads the disk. Neither is one that used a file from somewhere
//! without a version, because nobody could tell whether it still holds.

use std::io;

use argosy_render::{Fetched, Need, Render};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Kept;
use crate::disk;
use crate::disk_cache::DiskCache;
use crate::source::Version;

/// How many bytes of compressed renders are kept.
const QUOTA: u64 = 512 * 1024 * 1024;

/// The most bytes that a file may unpack to.
const LIMIT: usize = 256 * 1024 * 1024;

/// The renders on disk.
pub(super) struct Disk(DiskCache);

impl Disk {
    pub(super) fn open(disk: &disk::Disk) -> io::Result<Self> {
        DiskCache::new(disk.folder("renders")?, QUOTA).map(Self)
    }

    /// The renders that are kept under a key, the newest first.
    pub(super) fn get(&self, key: &str) -> Vec<Kept> {
        let name = name(key);
        let Some(packed) = self.0.get(&name) else {
            return Vec::new();
        };
        let unpacked = zstd::bulk::decompress(&packed, LIMIT);
        let kept = unpacked.and_then(|text| Ok(serde_json::from_slice(&text)?));
        kept.unwrap_or_else(|error| {
            tracing::warn!(%error, "a render on disk is damaged and is made anew");
            self.0.remove(&name);
            Vec::new()
        })
    }

    /// Keeps the renders of a key that may be written.
    pub(super) fn put(&self, key: &str, kept: &[Kept]) {
        let lasting: Vec<_> = kept.iter().filter(|one| one.lasts).collect();
        if lasting.is_empty() {
            return;
        }
        let packed = serde_json::to_vec(&lasting)
            .map_err(io::Error::from)
            .and_then(|text| zstd::bulk::compress(&text, zstd::DEFAULT_COMPRESSION_LEVEL));
        match packed {
            Ok(packed) => self.0.put(&name(key), &packed),
            Err(error) => tracing::warn!(%error, "a render cannot be kept on disk"),
        }
    }

    /// Forgets what is kept under a key, or everything.
    pub(super) fn forget(&self, key: Option<&str>) {
        match key {
            Some(key) => self.0.remove(&name(key)),
            None => self.0.clear(),
        }
    }
}

/// A shared render is written as if it were not shared.
pub(super) mod whole {
    use std::sync::Arc;

    use argosy_render::Render;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        render: &Arc<Render>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        render.as_ref().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Render>, D::Error> {
        Render::deserialize(deserializer).map(Arc::new)
    }
}

/// Whether a render may be written.
pub(super) fn lasts(render: &Render, fetched: &Fetched) -> bool {
    !render.manifests.iter().any(is_secret) && fetched.needs().all(is_fixed)
}

fn is_secret(manifest: &Value) -> bool {
    manifest["kind"] == "Secret"
}

/// Whether what was fetched is the same for ever.
fn is_fixed(need: &Need) -> bool {
    match need {
        Need::Chart(chart) => chart.locked.is_some() || Version::parse(&chart.version).is_some(),
        Need::LargeFile(_) => true,
        Need::File(_) => false,
    }
}

/// The file's name. The key itself is not written, as parameters of a source may hold anything.
fn name(key: &str) -> String {
    crate::source::hex(&Sha256::digest(key))
}
