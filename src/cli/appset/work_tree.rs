//! A local git work tree, read from its object database.
//!
//! Only what is committed counts. A link is followed within the tree and never out of it.

use std::collections::BTreeMap;
use std::path::Path;

use argosy_generators::offline::GitTree;
use gix::ObjectId;
use gix::bstr::ByteSlice as _;

/// How many links may lead from one to the next.
const MAX_LINKS: usize = 32;

/// A revision of a local repository.
pub(super) struct WorkTree {
    repository: gix::Repository,
    /// Files and links by path; the flag tells links.
    files: BTreeMap<String, (ObjectId, bool)>,
}

impl WorkTree {
    /// Opens the repository at a branch, tag or commit; `HEAD`, `main` and the empty revision mean
    /// what is checked out.
    pub(super) fn open(folder: &Path, revision: &str) -> Result<Self, String> {
        let repository = gix::open(folder)
            .map_err(|error| format!("cannot open the repository {}: {error}", folder.display()))?;
        let files = list(&repository, revision)?;
        Ok(Self { repository, files })
    }

    /// The commit that a revision means in a folder, where `main` is the branch of that name and not
    /// what is checked out.
    pub(super) fn commit(folder: &Path, revision: &str) -> Result<String, String> {
        let repository = gix::open(folder)
            .map_err(|error| format!("cannot open the repository {}: {error}", folder.display()))?;
        let found = repository.rev_parse_single(revision);
        let found = found
            .map_err(|error| format!("{} has no revision {revision}: {error}", folder.display()))?;
        Ok(found.to_string())
    }

    fn blob(&self, id: ObjectId) -> Result<Vec<u8>, String> {
        let object = self.repository.find_object(id);
        Ok(object.map_err(|error| error.to_string())?.detach().data)
    }
}

fn list(
    repository: &gix::Repository,
    revision: &str,
) -> Result<BTreeMap<String, (ObjectId, bool)>, String> {
    let unresolved = |error: &dyn std::fmt::Display| {
        format!("unable to resolve git revision {revision}: {error}")
    };
    let commit = match revision {
        "" | "HEAD" | "main" => repository
            .head_commit()
            .map_err(|error| unresolved(&error))?,
        named => match repository.find_reference(&format!("refs/heads/{named}")) {
            Ok(mut branch) => branch
                .peel_to_commit()
                .map_err(|error| unresolved(&error))?,
            Err(_) => repository
                .rev_parse_single(named)
                .map_err(|error| unresolved(&error))?
                .object()
                .map_err(|error| unresolved(&error))?
                .peel_to_commit()
                .map_err(|error| unresolved(&error))?,
        },
    };
    let tree = commit.tree().map_err(|error| unresolved(&error))?;
    let entries = tree.traverse().breadthfirst.files();
    let entries = entries.map_err(|error| unresolved(&error))?;
    Ok(entries
        .into_iter()
        .filter(|entry| entry.mode.is_blob_or_symlink())
        .map(|entry| {
            let path = entry.filepath.to_str_lossy().into_owned();
            (path, (entry.oid, entry.mode.is_link()))
        })
        .collect())
}

impl GitTree for WorkTree {
    fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let (id, is_link) = self
                .files
                .get(&path)
                .ok_or_else(|| format!("read /{path}: no such file in the repository"))?;
            let content = self.blob(*id)?;
            if !is_link {
                return Ok(content);
            }
            path = follow(&path, &content.to_str_lossy())
                .ok_or_else(|| format!("read /{path}: the link leaves the repository"))?;
        }
        Err(format!("read /{path}: too many links"))
    }

    fn leads_out(&self, path: &str) -> bool {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let Some((id, true)) = self.files.get(&path) else {
                return false;
            };
            let Ok(target) = self.blob(*id) else {
                return false;
            };
            match follow(&path, &target.to_str_lossy()) {
                Some(next) => path = next,
                None => return true,
            }
        }
        false
    }
}

/// Where a link leads; `None` if out of the tree.
fn follow(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut segments: Vec<&str> = link.split('/').collect();
    segments.pop();
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            segment => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::follow;

    #[test]
    fn links_stay_in_the_tree() {
        assert_eq!(follow("a/b/link", "../c").as_deref(), Some("a/c"));
        assert_eq!(follow("a/link", "../../etc/passwd"), None);
        assert_eq!(follow("link", "/etc/passwd"), None);
    }
}
