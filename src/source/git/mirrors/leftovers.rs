//! What a process leaves of its mirrors when it is killed in the midst of something, and how much
//! the rest holds.
//!
//! Only what no whole mirror has is removed: temporary files, locks, packs without their index,
//! mirrors that were being made or removed, and what connections were made with, keys above all.
//! Nobody else may use the folder meanwhile.

use std::{
    ffi::OsStr,
    fs, io,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use super::room::Held;

/// What the name of a mirror ends in, and that of one that is being removed.
pub(in crate::source::git) const MIRROR: &str = ".git";
pub(super) const GONE: &str = ".gone";

/// What the name of a folder ends in that one connection has for itself.
pub(super) const CONNECTION: &str = ".connection";

/// Clears a folder of mirrors, and tells of those that are whole.
pub(super) fn clear(folder: &Path) -> io::Result<Vec<(String, Held)>> {
    let mut whole = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        // `HEAD` is written last when a repository is made.
        let is_whole = name.ends_with(MIRROR) && path.join("HEAD").is_file();
        if is_whole {
            let used = entry.metadata()?.modified()?;
            let held = Held {
                bytes: measure(&path, true)?,
                used: used.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO),
                ..Held::default()
            };
            whole.push((name, held));
        } else if [MIRROR, GONE, CONNECTION]
            .iter()
            .any(|one| name.ends_with(one))
        {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(whole)
}

/// The bytes of all files of a mirror; what nobody finished is removed if `clear` says so.
pub(super) fn measure(folder: &Path, clear: bool) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A file may go while this looks.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let path = entry.path();
        if metadata.is_dir() {
            bytes += measure(&path, clear)?;
        } else if clear && is_unfinished(&path) {
            fs::remove_file(path)?;
        } else {
            bytes += metadata.len();
        }
    }
    Ok(bytes)
}

fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let lacks = |other: &str| !path.with_extension(other).is_file();
    let ending = path.extension().and_then(OsStr::to_str);
    let is_pack = name.starts_with("pack-");
    match ending {
        _ if name.starts_with(".tmp") || name.starts_with("tmp_") => true,
        Some("lock") => true,
        Some("keep") => is_pack,
        Some("pack") => is_pack && lacks("idx"),
        Some("idx") => is_pack && lacks("pack"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_finished_goes_and_the_rest_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: usize| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![0; bytes]).unwrap();
        };
        let whole = [
            ("a.git/HEAD", 20),
            ("a.git/objects/pack/pack-1.pack", 500),
            ("a.git/objects/pack/pack-1.idx", 50),
            ("a.git/refs/heads/main", 41),
            ("a.git/refs/heads/pack", 41),
        ];
        let unfinished = [
            "a.git/objects/pack/.tmpA1b2C3",
            "a.git/objects/pack/pack-2.pack",
            "a.git/objects/pack/pack-3.idx",
            "a.git/objects/pack/pack-1.keep",
            "a.git/shallow.lock",
            "a.git/refs/heads/main.lock",
            "half.git/config",
            "b.git.gone/HEAD",
            "ssh-A1b2C3.connection/key",
        ];
        for (name, bytes) in whole {
            write(name, bytes);
        }
        for name in unfinished {
            write(name, 7);
        }
        write("notes.txt", 1);
        let found = clear(folder.path()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, held)| (name.as_str(), held.bytes))
            .collect();
        assert_eq!(found, [("a.git", 652)]);
        assert!(
            whole
                .iter()
                .all(|(name, _)| folder.path().join(name).is_file())
        );
        assert!(
            unfinished
                .iter()
                .all(|name| !folder.path().join(name).exists())
        );
        assert!(folder.path().join("notes.txt").is_file());
        for name in ["half.git", "ssh-A1b2C3.connection"] {
            assert!(!folder.path().join(name).exists());
        }
    }
}
