//! A git repository for tests, made and changed with the real git.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A work tree on the branch `main`, read by its `file:` URL.
#[derive(Debug)]
pub struct WorkTree {
    path: PathBuf,
}

impl WorkTree {
    /// Makes an empty repository in a folder, which is made where it is missing.
    ///
    /// # Panics
    ///
    /// Panics when git does not work.
    pub fn create(path: impl Into<PathBuf>) -> Self {
        let tree = Self { path: path.into() };
        std::fs::create_dir_all(&tree.path).expect("the folder of a repository can be made");
        tree.git(&["init", "--quiet", "--initial-branch=main"]);
        tree
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the URL to read it by.
    pub fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Writes a file; an empty text removes it.
    ///
    /// # Panics
    ///
    /// Panics when that cannot be done.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.path.join(path);
        if text.is_empty() {
            std::fs::remove_file(file).expect("a file that is removed is there");
            return;
        }
        let folder = file.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("a folder of the work tree can be made");
        std::fs::write(file, text).expect("a file of the work tree can be written");
    }

    /// Writes files as [`WorkTree::write`] does and commits everything; returns the commit.
    ///
    /// # Panics
    ///
    /// Panics when that cannot be done.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]);
        self.git(&[
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--message=change",
        ]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(&self.path)
            .output()
            .expect("git is installed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
