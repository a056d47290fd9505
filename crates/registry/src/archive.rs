//! Archives, unpacked in memory.
//!
//! Nothing is written anywhere. An archive that holds a link, a device or a path that leaves it is
//! refused as a whole, and so is one that unpacks to more than allowed, however small it came.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

/// The files of an archive by their path, in which `/` separates and neither `.` nor `..` stands.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What an archive may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes, the archive's own headers included.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
}

impl Default for Limits {
    /// What Helm unpacks at most, 100 MB, and 10,000 entries.
    fn default() -> Self {
        Self {
            bytes: 100 * 1024 * 1024,
            entries: 10_000,
        }
    }
}

/// Why an archive is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is not an archive, or damaged.
    #[error("the archive cannot be read: {0}")]
    Malformed(String),
    /// It is too large.
    #[error("the archive unpacks to more than the allowed {} MB", .0 / 1024 / 1024)]
    TooLarge(u64),
    /// It has too many entries.
    #[error("the archive has more than the allowed {0} entries")]
    TooMany(usize),
    /// It names a place outside of itself.
    #[error("the archive contains an out-of-bounds path: {0:?}")]
    Outside(String),
    /// It holds a link, a device or something else that is no file.
    #[error("the archive contains a link or device, which are not allowed: {0:?}")]
    NotAFile(String),
    /// A file lies beside the directory that should hold all.
    #[error("chart illegally contains content outside the base directory: {0:?}")]
    OutsideBase(String),
}

/// Unpacks a tar archive, compressed by gzip or not at all.
pub fn unpack(archive: &[u8], limits: Limits) -> Result<Files, ArchiveError> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if archive.starts_with(&GZIP) {
        untar(MultiGzDecoder::new(archive), limits)
    } else {
        untar(archive, limits)
    }
}

/// The files of a packaged chart without the directory that holds them all.
pub fn without_base(files: Files) -> Result<Files, ArchiveError> {
    let strip = |(path, content): (String, Vec<u8>)| match path.split_once('/') {
        Some((_, rest)) => Ok((rest.to_owned(), content)),
        None => Err(ArchiveError::OutsideBase(path)),
    };
    files.into_iter().map(strip).collect()
}

fn untar(content: impl Read, limits: Limits) -> Result<Files, ArchiveError> {
    let mut left = Bounded {
        content,
        left: limits.bytes,
        exhausted: false,
    };
    let mut files = Files::new();
    // A sparse file unpacks to more than is read for it, so that both count.
    let mut unpacked = 0;
    let mut archive = tar::Archive::new(&mut left);
    let result = read_entries(&mut archive, limits, &mut files, &mut unpacked);
    match result {
        Err(ArchiveError::Malformed(_)) if left.exhausted => {
            Err(ArchiveError::TooLarge(limits.bytes))
        }
        Err(error) => Err(error),
        Ok(()) => Ok(files),
    }
}

fn read_entries(
    archive: &mut tar::Archive<impl Read>,
    limits: Limits,
    files: &mut Files,
    unpacked: &mut u64,
) -> Result<(), ArchiveError> {
    let malformed = |error: io::Error| ArchiveError::Malformed(error.to_string());
    for (number, entry) in archive.entries().map_err(malformed)?.enumerate() {
        if number >= limits.entries {
            return Err(ArchiveError::TooMany(limits.entries));
        }
        let mut entry = entry.map_err(malformed)?;
        let raw = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|error| ArchiveError::Outside(error.to_string()))?;
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => continue,
            EntryType::Directory => {
                inside(&raw)?;
                continue;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            _ => return Err(ArchiveError::NotAFile(raw)),
        }
        let path = inside(&raw)?;
        let mut content = Vec::new();
        let allowed = limits.bytes - *unpacked;
        let read = entry
            .by_ref()
            .take(allowed + 1)
            .read_to_end(&mut content)
            .map_err(malformed)? as u64;
        if read > allowed {
            return Err(ArchiveError::TooLarge(limits.bytes));
        }
        *unpacked += read;
        if !path.is_empty() {
            files.insert(path, content);
        }
    }
    Ok(())
}

/// The path as files have it; an error if it is absolute or leads upwards.
fn inside(raw: &str) -> Result<String, ArchiveError> {
    let outside = || ArchiveError::Outside(raw.to_owned());
    let drive = raw.as_bytes().get(1) == Some(&b':');
    if raw.starts_with('/') || drive || raw.contains(['\\', '\0']) {
        return Err(outside());
    }
    let segments: Vec<_> = raw
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."))
        .collect();
    if segments.contains(&"..") {
        return Err(outside());
    }
    Ok(segments.join("/"))
}

/// A reader that ends in an error, and remembers it, where there is more than allowed.
struct Bounded<R> {
    content: R,
    left: u64,
    exhausted: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        if let Some(left) = self.left.checked_sub(read as u64) {
            self.left = left;
            return Ok(read);
        }
        self.exhausted = true;
        Err(io::Error::other("too large"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn header(path: &str, kind: EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        // The checked setter refuses what is tested here.
        let name = path.as_bytes();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.set_cksum();
        header
    }

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = header(path, *kind, content.len() as u64);
            if *kind == EntryType::Symlink || *kind == EntryType::Link {
                header.set_link_name_literal("/etc/passwd").unwrap();
                header.set_cksum();
            }
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_come_out_with_clean_paths_and_without_their_base() {
        let packed = gzip(&archive(&[
            ("web/", EntryType::Directory, b""),
            ("web/Chart.yaml", EntryType::Regular, b"name: web"),
            ("./web//templates/a.yaml", EntryType::Regular, b"a"),
        ]));
        let files = unpack(&packed, Limits::default()).unwrap();
        let files = without_base(files).unwrap();
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            ["Chart.yaml", "templates/a.yaml"]
        );
        assert_eq!(files["Chart.yaml"], b"name: web");
        let beside = unpack(
            &archive(&[("x", EntryType::Regular, b"")]),
            Limits::default(),
        )
        .unwrap();
        assert_eq!(
            without_base(beside),
            Err(ArchiveError::OutsideBase("x".into()))
        );
    }

    /// CVE-2019-18658, CVE-2020-4053, CVE-2024-25620, CVE-2026-50162.
    #[test]
    fn what_leads_out_refuses_the_whole_archive() {
        for path in ["/etc/passwd", "a/../../b", "..", "a\\..\\b", "C:/x"] {
            let error = unpack(
                &archive(&[(path, EntryType::Regular, b"x")]),
                Limits::default(),
            );
            assert!(
                matches!(error, Err(ArchiveError::Outside(_))),
                "{path}: {error:?}"
            );
        }
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Fifo,
        ] {
            let error = unpack(&archive(&[("a/b", kind, b"")]), Limits::default());
            assert!(
                matches!(error, Err(ArchiveError::NotAFile(_))),
                "{kind:?}: {error:?}"
            );
        }
    }

    /// CVE-2026-50163: where a hard link leads is looked at by nobody, because there are none, beside
    /// files that are fine and to files of the archive itself, too.
    #[test]
    fn a_hard_link_refuses_the_whole_archive_wherever_it_leads() {
        for target in ["victim.secret", "a/b", "../b", "/etc/passwd"] {
            let mut builder = tar::Builder::new(Vec::new());
            let file = header("a/b", EntryType::Regular, 1);
            builder.append(&file, b"x".as_slice()).unwrap();
            let mut link = header("a/link", EntryType::Link, 0);
            link.set_link_name_literal(target).unwrap();
            link.set_cksum();
            builder.append(&link, io::empty()).unwrap();
            let packed = gzip(&builder.into_inner().unwrap());
            let refused = unpack(&packed, Limits::default());
            assert_eq!(
                refused,
                Err(ArchiveError::NotAFile("a/link".into())),
                "{target}"
            );
        }
    }

    /// CVE-2023-40584, CVE-2025-32386.
    #[test]
    fn bombs_are_stopped_at_the_limit() {
        let limits = Limits {
            bytes: 256 * 1024,
            entries: 100,
        };
        let zeros = vec![0; 4 * 1024 * 1024];
        let bomb = gzip(&archive(&[("a/zeros", EntryType::Regular, &zeros)]));
        assert!(bomb.len() < 32 * 1024);
        assert_eq!(
            unpack(&bomb, limits),
            Err(ArchiveError::TooLarge(limits.bytes))
        );
        let name = |number: usize| format!("a/{number}");
        let names: Vec<_> = (0..200).map(name).collect();
        let many: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), EntryType::Regular, b"".as_slice()))
            .collect();
        assert_eq!(
            unpack(&archive(&many), limits),
            Err(ArchiveError::TooMany(100))
        );
    }

    #[test]
    fn what_is_no_archive_or_broke_off_is_an_error() {
        assert!(matches!(
            unpack(b"<html>", Limits::default()),
            Err(ArchiveError::Malformed(_))
        ));
        let whole = gzip(&archive(&[("a/b", EntryType::Regular, &[7; 4000])]));
        let error = unpack(&whole[..whole.len() / 2], Limits::default());
        assert!(
            matches!(error, Err(ArchiveError::Malformed(_))),
            "{error:?}"
        );
    }
}
