//! The tree of one document as written: aliases are references, scalars are text.
//! Never expands or interprets anything.

use std::borrow::Cow;

use crate::cursor::Mark;

/// Where a node stands in [`Tree::nodes`].
pub(crate) type NodeId = usize;

#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) content: Content<'a>,
    /// The full tag; empty if there is none.
    pub(crate) tag: String,
    pub(crate) mark: Mark,
}

#[derive(Debug)]
pub(crate) enum Content<'a> {
    Scalar {
        text: Cow<'a, str>,
        /// Whether it has neither quotes nor a tag (other than `!`), so that its form says what it is.
        implicit: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias {
        name: &'a str,
        target: NodeId,
    },
}

#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) root: NodeId,
}
