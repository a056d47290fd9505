//! The trees that one render may read: its own, and those that `$ref/…` paths lead into.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    needs::Need,
    path::TreePath,
    reads::Reads,
    tree::{ObjectId, Tree, TreeError},
    view::View,
};

/// The trees of an application's sources that have a `ref`, by that name without the dollar sign.
///
/// An application with one source has none, and `$name/…` in it is a variable like any other.
#[derive(Clone, Default)]
pub struct Refs {
    trees: BTreeMap<String, Arc<dyn Tree>>,
}

impl Refs {
    /// Makes `tree` known as `$name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, tree: Arc<dyn Tree>) -> Self {
        self.trees.insert(name.into(), tree);
        self
    }

    /// Names all files of all trees: where it is the same, so are they.
    pub fn identity(&self) -> Result<String, TreeError> {
        let identities = self.trees.iter().map(|(name, tree)| {
            let id = tree.id(&TreePath::root())?;
            Ok(format!(
                "{name}={}",
                id.as_ref().map_or("", ObjectId::as_str)
            ))
        });
        let identities: Result<Vec<_>, TreeError> = identities.collect();
        Ok(identities?.join(" "))
    }

    /// The tree behind `$name`.
    pub fn tree(&self, name: &str) -> Option<&Arc<dyn Tree>> {
        self.trees.get(name)
    }
}

impl fmt::Debug for Refs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.trees.keys()).finish()
    }
}

/// One render's views of its trees.
pub struct Views {
    own: View,
    refs: BTreeMap<String, View>,
}

impl Views {
    pub(crate) fn new(tree: Arc<dyn Tree>, refs: Option<&Refs>) -> Self {
        let trees = refs.iter().flat_map(|refs| &refs.trees);
        Self {
            own: View::new(tree),
            refs: trees
                .map(|(name, tree)| (name.clone(), View::new(Arc::clone(tree))))
                .collect(),
        }
    }

    /// The source's own tree.
    pub fn own(&self) -> &View {
        &self.own
    }

    /// The tree behind `$name`.
    pub fn reference(&self, name: &str) -> Option<&View> {
        self.refs.get(name)
    }

    /// The names of all references.
    pub fn reference_names(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().map(String::as_str)
    }

    /// What has to be fetched before all that was read is what it stands for.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let views = std::iter::once(&self.own).chain(self.refs.values());
        views.flat_map(View::needs).collect()
    }

    /// What was read through references, by their names.
    pub(crate) fn reference_reads(&self) -> BTreeMap<String, Reads> {
        let reads = self.refs.iter();
        reads
            .map(|(name, view)| (name.clone(), view.reads()))
            .filter(|(_, reads)| !reads.is_empty())
            .collect()
    }
}
