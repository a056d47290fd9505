//! What is read of commits that are here: whether they are whole, what they say, how they differ.

use gix::{
    bstr::ByteSlice,
    diff::tree::{Recorder, State, recorder::Change},
    objs::{CommitRefIter, FindExt as _, FindHeader as _, TreeRefIter},
};

use super::{Objects, Sha};
use crate::signatures::Signed;

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// The commit.
    pub sha: Sha,
    /// `Name <address>` of the author.
    pub author: String,
    /// When it was authored, in seconds since 1970.
    pub authored_at: i64,
    /// The message, all of it.
    pub message: String,
}

/// Whether the commit is here with its tree.
pub(crate) fn is_here(objects: &Objects, sha: &Sha) -> bool {
    root(objects, sha).is_ok_and(|tree| matches!(objects.try_header(&tree), Ok(Some(_))))
}

/// What a commit that is here says about itself.
pub(crate) fn info(objects: &Objects, sha: &Sha) -> gix::Result<CommitInfo> {
    let mut buffer = Vec::new();
    let commit = objects.find_commit(&id(sha)?, &mut buffer)?;
    let author = commit.author()?;
    Ok(CommitInfo {
        sha: sha.clone(),
        author: format!(
            "{} <{}>",
            author.name.to_str_lossy(),
            author.email.to_str_lossy()
        ),
        authored_at: author.seconds(),
        message: commit.message.to_str_lossy().into_owned(),
    })
}

/// What of a commit that is here is signed, and its signature; `None` if it has none.
pub(crate) fn signed(objects: &Objects, sha: &Sha) -> gix::Result<Option<Signed>> {
    let (id, mut buffer) = (id(sha)?, Vec::new());
    let commit = objects.find(&id, &mut buffer)?;
    let found = CommitRefIter::signature(commit.data, id.kind())?;
    Ok(found.map(|(signature, content)| Signed {
        content: content.to_bstring().into(),
        signature: signature.into_owned().into(),
    }))
}

/// The files that were added, removed or changed from one commit to the other, sorted; a renamed
/// file is listed under both names. Only trees are compared, subtrees with equal ids are skipped,
/// and no history is needed.
pub(crate) fn changed_paths(objects: &Objects, from: &Sha, to: &Sha) -> gix::Result<Vec<String>> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut recorder = Recorder::default();
    gix::diff::tree(
        tree(objects, from, &mut before)?,
        tree(objects, to, &mut after)?,
        State::default(),
        objects,
        &mut recorder,
    )
    .map_err(|error| gix::Error::from_error(error))?;
    let mut paths: Vec<_> = recorder.records.iter().filter_map(changed_file).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The root tree's id of a commit that is here.
pub(super) fn root(objects: &Objects, sha: &Sha) -> gix::Result<gix::ObjectId> {
    let mut buffer = Vec::new();
    Ok(objects.find_commit(&id(sha)?, &mut buffer)?.tree())
}

fn id(sha: &Sha) -> gix::Result<gix::ObjectId> {
    gix::ObjectId::from_hex(sha.as_str().as_bytes())
}

fn tree<'a>(objects: &Objects, sha: &Sha, buffer: &'a mut Vec<u8>) -> gix::Result<TreeRefIter<'a>> {
    objects.find_tree_iter(&root(objects, sha)?, buffer)
}

fn changed_file(change: &Change) -> Option<String> {
    let (mode, path) = match change {
        Change::Addition {
            entry_mode, path, ..
        }
        | Change::Deletion {
            entry_mode, path, ..
        }
        | Change::Modification {
            entry_mode, path, ..
        } => (entry_mode, path),
    };
    (!mode.is_tree()).then(|| path.to_str_lossy().into_owned())
}
