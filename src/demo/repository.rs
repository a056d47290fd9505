//! The demonstration's git repository: a work tree with a commit of `examples/fleet`, and below
//! `faults/` of `examples/faults`, made with the user's own git. It is the user's to change; a later
//! start leaves it as it finds it.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use argosy_yaml as yaml;
use include_dir::{Dir, include_dir};
use serde_json::Value;
use tokio::process::Command;

use crate::diagnostic::Diagnostic;

static EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/fleet");
static FAULTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/faults");

/// The repository's address in the example, which the real one takes the place of.
const PLACEHOLDER: &str = "https://git.example.com/platform/fleet.git";

/// A work tree with commits on `main`.
pub struct Repository {
    path: PathBuf,
    url: String,
    found: bool,
}

/// Fails if there is no usable git.
pub(super) async fn require_git() -> Result<(), Diagnostic> {
    match Command::new("git").arg("--version").output().await {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(no_git().because(&io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ))),
        Err(error) => Err(no_git().because(&error)),
    }
}

fn no_git() -> Diagnostic {
    Diagnostic::config("GitMissing", "the demo needs `git` for its repository")
        .fix("install git 2.28 or newer, and see that it is on PATH")
}

impl Repository {
    /// Opens the repository, or makes it from the example if there is none.
    pub async fn open(path: &Path) -> Result<Self, Diagnostic> {
        let url = url::Url::from_file_path(path)
            .map_err(|()| damaged(path, &io::Error::other("the path is not absolute")))?
            .to_string();
        let found = path.join(".git").exists();
        let repository = Self {
            path: path.to_owned(),
            url,
            found,
        };
        if !found {
            repository
                .write(path, &EXAMPLE)
                .and_then(|()| repository.write(&path.join("faults"), &FAULTS))
                .map_err(|error| damaged(path, &error))?;
            repository.first_commit().await?;
        }
        Ok(repository)
    }

    /// The work tree.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The root application as the work tree has it.
    pub(super) fn root(&self) -> Result<Value, Diagnostic> {
        let path = self.path.join("root.yaml");
        let text = std::fs::read_to_string(&path).map_err(|error| damaged(&path, &error))?;
        yaml::from_str(&text).map_err(|error| damaged(&path, &error))
    }

    pub(super) fn description(&self) -> String {
        let path = self.path.display();
        if self.found {
            format!("repository {path}, as an earlier run left it")
        } else {
            format!("repository {path}, made from the example")
        }
    }

    /// Lets git tell the hub at `address` about each commit, so that it need not wait for its poll.
    pub(super) fn install_hook(&self, address: SocketAddr) -> Result<(), Diagnostic> {
        let program = std::env::current_exe()
            .map_err(|error| damaged(&self.path, &error))?
            .display()
            .to_string();
        let script = format!(
            "#!/bin/sh\n# Tells the demo's hub about the commit. Without a running demo nothing happens.\n\
             exec {} demo notify --hub http://{address} --repository {} --ref \"$(git symbolic-ref HEAD)\"\n",
            quoted(&program),
            quoted(&self.url),
        );
        let hooks = self.path.join(".git/hooks");
        let write = || {
            std::fs::create_dir_all(&hooks)?;
            for event in ["post-commit", "post-merge"] {
                write_executable(&hooks.join(event), &script)?;
            }
            Ok(())
        };
        write().map_err(|error: io::Error| damaged(&hooks, &error))
    }

    fn write(&self, to: &Path, folder: &Dir<'_>) -> io::Result<()> {
        std::fs::create_dir_all(to.join(folder.path()))?;
        for file in folder.files() {
            let path = to.join(file.path());
            // What is written for people goes on naming the address that they have to replace.
            let is_manifest = path
                .extension()
                .is_some_and(|extension| extension == "yaml");
            match file.contents_utf8().filter(|_| is_manifest) {
                Some(text) => std::fs::write(path, text.replace(PLACEHOLDER, &self.url))?,
                None => std::fs::write(path, file.contents())?,
            }
        }
        folder.dirs().try_for_each(|folder| self.write(to, folder))
    }

    async fn first_commit(&self) -> Result<(), Diagnostic> {
        self.git(&["init", "--quiet", "--initial-branch=main"])
            .await?;
        self.git(&["add", "--all"]).await?;
        let identity = ["user.name=Argosy", "user.email=argosy@example.com"];
        let [name, email] = identity;
        let sign = "commit.gpgsign=false";
        let commit = ["commit", "--quiet", "--no-verify", "--message=The fleet"];
        let arguments = [&["-c", name, "-c", email, "-c", sign][..], &commit].concat();
        self.git(&arguments).await?;
        // Who has not told git a name yet could not commit in the repository.
        if self.git(&["config", "user.email"]).await.is_err() {
            self.git(&["config", "user.name", "Argosy"]).await?;
            self.git(&["config", "user.email", "argosy@example.com"])
                .await?;
        }
        Ok(())
    }

    async fn git(&self, arguments: &[&str]) -> Result<(), Diagnostic> {
        let failed = || {
            Diagnostic::config("GitFailed", format!("`git {}` failed", arguments.join(" ")))
                .at(self.path.display().to_string())
        };
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.path)
            .args(arguments)
            // A caller's repository must not take the place of this one.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .await
            .map_err(|error| failed().because(&error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(failed()
            .because(&io::Error::other(said))
            .fix("the demo needs git 2.28 or newer"))
    }
}

fn write_executable(path: &Path, content: &str) -> io::Result<()> {
    use std::io::Write as _;
    // An earlier file keeps its mode when it is truncated.
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(path)?;
    file.write_all(content.as_bytes())
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn damaged(path: &Path, error: &(dyn std::error::Error + 'static)) -> Diagnostic {
    Diagnostic::config("RepositoryUnusable", "cannot use the demo's repository")
        .at(path.display().to_string())
        .because(error)
        .fix("remove it to start afresh, or name another directory with --data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_example_becomes_a_repository_that_names_itself_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("fleet");
        let made = Repository::open(&path).await.unwrap();
        let root = made.root().unwrap();
        assert_eq!(root["spec"]["source"]["repoURL"], made.url);
        let leftover = Command::new("git")
            .arg("-C")
            .arg(&path)
            .args(["grep", "--quiet", PLACEHOLDER, "--", "*.yaml"])
            .status()
            .await;
        assert_eq!(leftover.unwrap().code(), Some(1));

        std::fs::write(path.join("clusters/dev.yaml"), "cluster: dev\n").unwrap();
        let again = Repository::open(&path).await.unwrap();
        assert!(again.description().contains("earlier run"));
        let kept = std::fs::read_to_string(path.join("clusters/dev.yaml")).unwrap();
        assert_eq!(kept, "cluster: dev\n");
    }

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_is() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
