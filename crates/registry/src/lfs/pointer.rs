//! The text that stands for a large file in a repository.

use crate::Digest;

/// The largest text that can stand for a file.
pub const POINTER_LIMIT: u64 = 1024;

/// A large file, as the text that stands for it names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LargeFile {
    /// Of its content.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
}

impl LargeFile {
    /// Reads the text that stands for a file; `None` if it is any other.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() as u64 > POINTER_LIMIT {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let rest = text.strip_prefix("version https://git-lfs.github.com/spec/v1\n")?;
        let value = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key));
        let digest = value("oid ").filter(|oid| oid.starts_with("sha256:"))?;
        Some(Self {
            digest: Digest::parse(digest)?,
            size: value("size ")?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    #[test]
    fn only_what_git_lfs_writes_stands_for_a_file() {
        let file = LargeFile::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(file.size, 12345);
        assert!(file.digest.hex().starts_with("4d7a"));
        let extended = TEXT.replacen("oid", "ext-0-foo sha256:00\noid", 1);
        assert_eq!(LargeFile::parse(extended.as_bytes()), Some(file));
        for other in [
            "",
            "a: 1\n",
            &TEXT.replace("sha256:4d", "sha1:4d"),
            &TEXT.replace("12345", "-1"),
            &TEXT.replace("size 12345\n", ""),
            &TEXT.replace("v1", "v2"),
            &format!("\n{TEXT}"),
            &format!("{TEXT}{}", " ".repeat(1024)),
        ] {
            assert_eq!(LargeFile::parse(other.as_bytes()), None, "{other}");
        }
    }
}
