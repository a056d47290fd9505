//! The tree of a document as it is written, with its aliases and the places of its nodes. Never a value: what scalars
//! mean is decided later.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    Error,
    cursor::Mark,
    parse::{self, Compose, Given},
};

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

impl<'a> Tree<'a> {
    /// Reads the first document; `None` if the text has none.
    pub(crate) fn read(text: &'a str, max_depth: usize) -> Result<Option<Self>, Error> {
        let mut composer = Composer {
            nodes: Vec::new(),
            anchors: BTreeMap::new(),
        };
        let root = parse::parse(text, max_depth, &mut composer)?;
        Ok(root.map(|root| Self {
            nodes: composer.nodes,
            root,
        }))
    }
}

struct Composer<'a> {
    nodes: Vec<Node<'a>>,
    anchors: BTreeMap<&'a str, NodeId>,
}

impl<'a> Composer<'a> {
    fn add(&mut self, content: Content<'a>, properties: Given<'a>, mark: Mark) -> NodeId {
        let id = self.nodes.len();
        let mut tag = String::new();
        if let Some(given) = properties {
            tag = given.tag;
            if let Some(name) = given.anchor {
                self.anchors.insert(name, id);
            }
        }
        self.nodes.push(Node { content, tag, mark });
        id
    }
}

impl<'a> Compose<'a> for Composer<'a> {
    type Node = NodeId;
    type Open = NodeId;
    type Entries = Vec<(NodeId, NodeId)>;

    fn alias(&mut self, name: &'a str, mark: Mark) -> Result<NodeId, Error> {
        let target = self.anchors.get(name).copied().ok_or_else(|| {
            let message = format!("unknown anchor '{name}' referenced");
            Error::at(mark.position(), message)
        })?;
        Ok(self.add(Content::Alias { name, target }, None, mark))
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        implicit: bool,
        properties: Given<'a>,
        mark: Mark,
    ) -> Result<NodeId, Error> {
        Ok(self.add(Content::Scalar { text, implicit }, properties, mark))
    }

    /// Adds the node before its items, so that an alias within can be seen to contain itself.
    fn open(&mut self, properties: Given<'a>, mark: Mark) -> Result<NodeId, Error> {
        Ok(self.add(Content::Sequence(Vec::new()), properties, mark))
    }

    fn sequence(&mut self, open: NodeId, items: Vec<NodeId>) -> NodeId {
        self.nodes[open].content = Content::Sequence(items);
        open
    }

    fn entry(
        &mut self,
        entries: &mut Self::Entries,
        key: NodeId,
        value: NodeId,
    ) -> Result<(), Error> {
        entries.push((key, value));
        Ok(())
    }

    fn mapping(&mut self, open: NodeId, entries: Self::Entries) -> NodeId {
        self.nodes[open].content = Content::Mapping(entries);
        open
    }
}
