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
        unpack(key, &packed).unwrap_or_else(|error| {
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
        match pack(key, &lasting) {
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

/// What a file holds: a digest, and compressed renders.
fn pack(key: &str, kept: &[&Kept]) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(kept)?;
    let compressed = zstd::bulk::compress(&text, zstd::DEFAULT_COMPRESSION_LEVEL)?;
    Ok([&digest(key, &compressed)[..], &compressed].concat())
}

/// The renders in a file. What is damaged, or was another key's, is an error and never a render.
fn unpack(key: &str, packed: &[u8]) -> io::Result<Vec<Kept>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its digest is another");
    let (named, compressed) = packed.split_first_chunk::<32>().ok_or_else(damaged)?;
    if *named != digest(key, compressed) {
        return Err(damaged());
    }
    let text = zstd::bulk::decompress(compressed, LIMIT)?;
    Ok(serde_json::from_slice(&text)?)
}

fn digest(key: &str, compressed: &[u8]) -> [u8; 32] {
    let own = Sha256::digest(key);
    Sha256::new()
        .chain_update(own)
        .chain_update(compressed)
        .finalize()
        .into()
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
        Need::LargeFile(_) | Need::GitAccess => true,
        Need::File(_) => false,
    }
}

/// The file's name. The key itself is not written, as parameters of a source may hold anything.
fn name(key: &str) -> String {
    crate::source::hex(&Sha256::digest(key))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use argosy_render::{Reads, SourceType};
    use serde_json::json;

    use super::*;

    /// Files that somebody else wrote or moved are no renders, as with CVE-2024-31989.
    #[test]
    fn a_damaged_or_exchanged_file_is_a_miss() {
        let render = Render {
            manifests: vec![json!({"kind": "ConfigMap"})],
            warnings: Vec::new(),
            reads: Reads::default(),
            ref_reads: std::collections::BTreeMap::new(),
            source_type: SourceType::Directory,
        };
        let kept = Kept {
            content: "commit".to_owned(),
            render: Arc::new(render),
            bytes: 1,
            lasts: true,
        };
        let packed = pack("key", &[&kept]).unwrap();
        let unpacked = unpack("key", &packed).unwrap();
        assert_eq!(unpacked[0].render.manifests, kept.render.manifests);
        assert!(unpack("other", &packed).is_err());
        assert!(unpack("key", &[]).is_err());
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            assert!(unpack("key", &damaged).is_err(), "byte {at}");
        }
    }
}
