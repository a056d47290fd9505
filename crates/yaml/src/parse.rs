//! Builds the tree of a text's first document from its tokens. Never reads past that document's end, since the document
//! reader has already split the stream.

mod block;
mod flow;

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    Error,
    cursor::Mark,
    node::{Content, Node, NodeId, Tree},
    scan::{Scanner, Style, Token, TokenKind},
};

const CORE_PREFIX: &str = "tag:yaml.org,2002:";

/// Reads the first document; `None` if the text has none.
pub(crate) fn parse(text: &str, max_depth: usize) -> Result<Option<Tree<'_>>, Error> {
    let mut parser = Parser {
        scanner: Scanner::new(text, max_depth)?,
        nodes: Vec::new(),
        anchors: BTreeMap::new(),
        handles: BTreeMap::new(),
        depth: 0,
        max_depth,
    };
    parser.document()
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    nodes: Vec<Node<'a>>,
    anchors: BTreeMap<&'a str, NodeId>,
    /// What each tag handle stands for.
    handles: BTreeMap<String, String>,
    depth: usize,
    max_depth: usize,
}

/// Anchor and tag before a node.
#[derive(Default)]
struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: String,
    /// Where the first of them stands.
    mark: Option<Mark>,
}

/// Where a node stands, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    /// In a block mapping a sequence may stand in the column of its key.
    BlockMapping,
    Flow,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Option<Tree<'a>>, Error> {
        let directives = matches!(
            self.kind()?,
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart
        );
        if !directives {
            // `...` is only skipped between documents, so here it is content that cannot be.
            if *self.kind()? == TokenKind::StreamEnd {
                return Ok(None);
            }
        }
        self.directives()?;
        let root = if directives {
            let token = self.scanner.take()?;
            if token.kind != TokenKind::DocumentStart {
                let message = "did not find expected <document start> after the directives";
                return Err(Error::at(token.mark.position(), message));
            }
            self.document_content()?
        } else {
            self.node(Place::Block)?
        };
        // The token after the document is scanned, although nothing depends on it, because an error in it counts.
        self.kind()?;
        Ok(Some(Tree {
            nodes: std::mem::take(&mut self.nodes),
            root,
        }))
    }

    fn document_content(&mut self) -> Result<NodeId, Error> {
        let empty = matches!(
            self.kind()?,
            TokenKind::Version { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        );
        if empty {
            self.empty()
        } else {
            self.node(Place::Block)
        }
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut versioned = false;
        loop {
            let mark = self.mark()?;
            match self.kind()?.clone() {
                TokenKind::Version { major, minor } => {
                    if versioned {
                        return Err(Error::at(
                            mark.position(),
                            "found duplicate %YAML directive",
                        ));
                    }
                    if (major, minor) != (1, 1) {
                        let message =
                            "found incompatible YAML document: %YAML must be 1.1; leave it out";
                        return Err(Error::at(mark.position(), message));
                    }
                    versioned = true;
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.handles.insert(handle, prefix).is_some() {
                        return Err(Error::at(mark.position(), "found duplicate %TAG directive"));
                    }
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        self.handles
            .entry("!".to_owned())
            .or_insert_with(|| "!".to_owned());
        self.handles
            .entry("!!".to_owned())
            .or_insert_with(|| CORE_PREFIX.to_owned());
        Ok(())
    }

    fn node(&mut self, place: Place) -> Result<NodeId, Error> {
        let &Token { ref kind, mark } = self.scanner.peek()?;
        if let &TokenKind::Alias(name) = kind {
            self.scanner.take()?;
            let target = self.anchors.get(name).copied().ok_or_else(|| {
                Error::at(
                    mark.position(),
                    format!("unknown anchor '{name}' referenced"),
                )
            })?;
            return Ok(self.add(Content::Alias { name, target }, String::new(), mark));
        }
        self.depth += 1;
        if self.depth > self.max_depth + 1 {
            let message = format!("collections are nested deeper than {}", self.max_depth);
            return Err(Error::at(mark.position(), message));
        }
        let properties = self.properties()?;
        let id = self.content(place, properties)?;
        self.depth -= 1;
        Ok(id)
    }

    /// Reads an anchor and a tag, in either order.
    fn properties(&mut self) -> Result<Properties<'a>, Error> {
        let mut properties = Properties::default();
        let mut tagged = false;
        loop {
            let &Token { ref kind, mark } = self.scanner.peek()?;
            match kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                }
                TokenKind::Tag { handle, suffix } if !tagged => {
                    properties.tag = match self.handles.get(handle) {
                        _ if handle.is_empty() => suffix.clone(),
                        Some(prefix) => format!("{prefix}{suffix}"),
                        None => {
                            let message = format!("found undefined tag handle {handle}");
                            return Err(Error::at(mark.position(), message));
                        }
                    };
                    tagged = true;
                }
                _ => return Ok(properties),
            }
            properties.mark.get_or_insert(mark);
            self.scanner.take()?;
        }
    }

    fn content(&mut self, place: Place, properties: Properties<'a>) -> Result<NodeId, Error> {
        let &Token {
            ref kind,
            mark: here,
        } = self.scanner.peek()?;
        let mark = properties.mark.unwrap_or(here);
        let block = place != Place::Flow;
        match kind {
            TokenKind::BlockEntry if place == Place::BlockMapping => {
                self.collection(properties, mark, Self::indentless_sequence)
            }
            TokenKind::Scalar { .. } => self.scalar(properties, mark),
            TokenKind::FlowSequenceStart => self.collection(properties, mark, Self::flow_sequence),
            TokenKind::FlowMappingStart => self.collection(properties, mark, Self::flow_mapping),
            TokenKind::BlockSequenceStart if block => {
                self.collection(properties, mark, Self::block_sequence)
            }
            TokenKind::BlockMappingStart if block => {
                self.collection(properties, mark, Self::block_mapping)
            }
            _ if properties.mark.is_some() => {
                let implicit = properties.tag.is_empty();
                let content = Content::Scalar {
                    text: Cow::default(),
                    implicit,
                };
                Ok(self.add_named(content, properties, mark))
            }
            _ => Err(Error::at(
                here.position(),
                "did not find expected node content",
            )),
        }
    }

    fn scalar(&mut self, properties: Properties<'a>, mark: Mark) -> Result<NodeId, Error> {
        let TokenKind::Scalar { text, style } = self.scanner.take()?.kind else {
            return Err(Error::at(mark.position(), "did not find expected scalar"));
        };
        let plain = properties.tag.is_empty() && style == Style::Plain;
        let implicit = plain || properties.tag == "!";
        Ok(self.add_named(Content::Scalar { text, implicit }, properties, mark))
    }

    /// Adds the node before its items, so that an alias within can be seen to contain itself.
    fn collection(
        &mut self,
        properties: Properties<'a>,
        mark: Mark,
        read: fn(&mut Self) -> Result<Content<'a>, Error>,
    ) -> Result<NodeId, Error> {
        let id = self.add_named(Content::Sequence(Vec::new()), properties, mark);
        self.nodes[id].content = read(self)?;
        Ok(id)
    }

    fn add(&mut self, content: Content<'a>, tag: String, mark: Mark) -> NodeId {
        self.nodes.push(Node { content, tag, mark });
        self.nodes.len() - 1
    }

    fn add_named(
        &mut self,
        content: Content<'a>,
        properties: Properties<'a>,
        mark: Mark,
    ) -> NodeId {
        let id = self.add(content, properties.tag, mark);
        if let Some(name) = properties.anchor {
            self.anchors.insert(name, id);
        }
        id
    }

    fn empty(&mut self) -> Result<NodeId, Error> {
        let mark = self.mark()?;
        let content = Content::Scalar {
            text: Cow::default(),
            implicit: true,
        };
        Ok(self.add(content, String::new(), mark))
    }

    fn kind(&mut self) -> Result<&TokenKind<'a>, Error> {
        Ok(&self.scanner.peek()?.kind)
    }

    fn mark(&mut self) -> Result<Mark, Error> {
        Ok(self.scanner.peek()?.mark)
    }
}
