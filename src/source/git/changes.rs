//! Which paths differ between two commits.
//!
//! Only trees are compared, subtrees with equal ids are skipped, and no history is needed.

use gix::{bstr::ByteSlice, object::tree::diff::ChangeDetached};

use super::{Mirror, Sha, tree::root_of};
use crate::source::SourceError;

impl Mirror {
    /// The files that were added, removed or changed from one commit to the other, sorted; a
    /// renamed file is listed under both names. Both commits must be here.
    pub(crate) fn changed_paths(&self, from: &Sha, to: &Sha) -> Result<Vec<String>, SourceError> {
        let local = self.open_shared()?.to_thread_local();
        let read = || -> gix::Result<Vec<String>> {
            let (Some(from), Some(to)) = (root_of(&local, from)?, root_of(&local, to)?) else {
                return Ok(Vec::new());
            };
            let (from, to) = (local.find_tree(from)?, local.find_tree(to)?);
            let options = gix::diff::Options::default().with_rewrites(None);
            let mut paths: Vec<String> = local
                .diff_tree_to_tree(Some(&from), Some(&to), options)?
                .iter()
                .filter(|change| !change.entry_mode().is_tree())
                .map(|change: &ChangeDetached| change.location().to_str_lossy().into_owned())
                .collect();
            paths.sort();
            paths.dedup();
            Ok(paths)
        };
        read().map_err(|error| self.damaged(&error))
    }
}
