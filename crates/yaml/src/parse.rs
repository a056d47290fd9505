//! Reads a text's first document by the grammar of its tokens, and has a [`Compose`] make something of it: a tree or a
//! value. Never reads past that document's end, since the document reader has already split the stream.

mod block;
mod flow;

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    Error,
    cursor::Mark,
    scan::{Scanner, Style, Token, TokenKind},
};

const CORE_PREFIX: &str = "tag:yaml.org,2002:";

/// What is made of the nodes of a document, each after those that it consists of.
pub(crate) trait Compose<'a> {
    type Node;
    /// A collection that has been met, before its items.
    type Open;
    /// What a mapping has so far.
    type Entries: Default;

    fn alias(&mut self, name: &'a str, mark: Mark) -> Result<Self::Node, Error>;

    /// `implicit` says that it has neither quotes nor a tag (other than `!`), so that its form says what it is.
    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        implicit: bool,
        properties: Given<'a>,
        mark: Mark,
    ) -> Result<Self::Node, Error>;

    fn open(&mut self, properties: Given<'a>, mark: Mark) -> Result<Self::Open, Error>;

    fn sequence(&mut self, open: Self::Open, items: Vec<Self::Node>) -> Self::Node;

    fn entry(
        &mut self,
        entries: &mut Self::Entries,
        key: Self::Node,
        value: Self::Node,
    ) -> Result<(), Error>;

    fn mapping(&mut self, open: Self::Open, entries: Self::Entries) -> Self::Node;
}

/// Reads the first document and gives its root; `None` if the text has none.
pub(crate) fn parse<'a, C: Compose<'a>>(
    text: &'a str,
    max_depth: usize,
    composer: &mut C,
) -> Result<Option<C::Node>, Error> {
    let mut parser = Parser {
        scanner: Scanner::new(text, max_depth)?,
        composer,
        handles: BTreeMap::new(),
        depth: 0,
        max_depth,
    };
    parser.document()
}

struct Parser<'a, 'c, C> {
    scanner: Scanner<'a>,
    composer: &'c mut C,
    /// What each tag handle stands for.
    handles: BTreeMap<String, String>,
    depth: usize,
    max_depth: usize,
}

/// What stands before a node. Most have nothing there.
pub(crate) type Given<'a> = Option<Box<Properties<'a>>>;

/// Anchor and tag before a node.
pub(crate) struct Properties<'a> {
    pub(crate) anchor: Option<&'a str>,
    /// The full tag; empty if there is none.
    pub(crate) tag: String,
    /// Where the first of them stands.
    mark: Mark,
}

/// Where a node stands, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    /// In a block mapping a sequence may stand in the column of its key.
    BlockMapping,
    Flow,
}

impl<'a, C: Compose<'a>> Parser<'a, '_, C> {
    fn document(&mut self) -> Result<Option<C::Node>, Error> {
        let directives = matches!(
            self.kind()?,
            TokenKind::Version { .. } | TokenKind::TagDirective(_) | TokenKind::DocumentStart
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
        Ok(Some(root))
    }

    fn document_content(&mut self) -> Result<C::Node, Error> {
        let empty = matches!(
            self.kind()?,
            TokenKind::Version { .. }
                | TokenKind::TagDirective(_)
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
                TokenKind::TagDirective(parts) => {
                    let (handle, prefix) = *parts;
                    if self.handles.insert(handle, prefix).is_some() {
                        return Err(Error::at(mark.position(), "found duplicate %TAG directive"));
                    }
                }
                _ => break,
            }
            self.scanner.skip()?;
        }
        self.handles
            .entry("!".to_owned())
            .or_insert_with(|| "!".to_owned());
        self.handles
            .entry("!!".to_owned())
            .or_insert_with(|| CORE_PREFIX.to_owned());
        Ok(())
    }

    fn node(&mut self, place: Place) -> Result<C::Node, Error> {
        let &Token { ref kind, mark } = self.scanner.peek()?;
        if let &TokenKind::Alias(name) = kind {
            self.scanner.skip()?;
            return self.composer.alias(name, mark);
        }
        self.depth += 1;
        if self.depth > self.max_depth + 1 {
            let message = format!("collections are nested deeper than {}", self.max_depth);
            return Err(Error::at(mark.position(), message));
        }
        let properties = match kind {
            TokenKind::Anchor(_) | TokenKind::Tag(_) => self.properties()?,
            _ => None,
        };
        let node = self.content(place, properties)?;
        self.depth -= 1;
        Ok(node)
    }

    /// Reads an anchor and a tag, in either order.
    fn properties(&mut self) -> Result<Given<'a>, Error> {
        let mut properties = Given::None;
        let mut tagged = false;
        loop {
            let &Token { ref kind, mark } = self.scanner.peek()?;
            let named = properties.as_ref().is_some_and(|p| p.anchor.is_some());
            let (anchor, tag) = match kind {
                TokenKind::Anchor(name) if !named => (Some(*name), None),
                TokenKind::Tag(parts) if !tagged => {
                    (None, Some(full_tag(&self.handles, parts, mark)?))
                }
                _ => return Ok(properties),
            };
            let given = properties.get_or_insert_with(|| Box::new(Properties::at(mark)));
            given.anchor = given.anchor.or(anchor);
            if let Some(tag) = tag {
                given.tag = tag;
                tagged = true;
            }
            self.scanner.skip()?;
        }
    }

    fn content(&mut self, place: Place, properties: Given<'a>) -> Result<C::Node, Error> {
        let &Token {
            ref kind,
            mark: here,
        } = self.scanner.peek()?;
        let mark = properties.as_ref().map_or(here, |given| given.mark);
        let block = place != Place::Flow;
        let read = match kind {
            TokenKind::Scalar { .. } => return self.scalar(properties, mark),
            TokenKind::BlockEntry if place == Place::BlockMapping => Self::indentless_sequence,
            TokenKind::FlowSequenceStart => Self::flow_sequence,
            TokenKind::FlowMappingStart => Self::flow_mapping,
            TokenKind::BlockSequenceStart if block => Self::block_sequence,
            TokenKind::BlockMappingStart if block => Self::block_mapping,
            _ => return self.absent(properties, mark),
        };
        let open = self.composer.open(properties, mark)?;
        read(self, open)
    }

    fn scalar(&mut self, properties: Given<'a>, mark: Mark) -> Result<C::Node, Error> {
        let TokenKind::Scalar { text, style } = self.scanner.take()?.kind else {
            return Err(Error::at(mark.position(), "did not find expected scalar"));
        };
        let tag = properties.as_ref().map_or("", |given| &given.tag);
        let implicit = tag == "!" || tag.is_empty() && style == Style::Plain;
        self.composer.scalar(text, implicit, properties, mark)
    }

    /// An anchor or a tag may stand alone, before nothing.
    fn absent(&mut self, properties: Given<'a>, mark: Mark) -> Result<C::Node, Error> {
        let Some(given) = properties else {
            let message = "did not find expected node content";
            return Err(Error::at(mark.position(), message));
        };
        let implicit = given.tag.is_empty();
        self.composer
            .scalar(Cow::default(), implicit, Some(given), mark)
    }

    fn empty(&mut self) -> Result<C::Node, Error> {
        let mark = self.mark()?;
        self.composer.scalar(Cow::default(), true, None, mark)
    }

    #[inline]
    fn kind(&mut self) -> Result<&TokenKind<'a>, Error> {
        Ok(&self.scanner.peek()?.kind)
    }

    fn mark(&mut self) -> Result<Mark, Error> {
        Ok(self.scanner.peek()?.mark)
    }
}

impl Properties<'_> {
    fn at(mark: Mark) -> Self {
        Self {
            anchor: None,
            tag: String::new(),
            mark,
        }
    }
}

fn full_tag(
    handles: &BTreeMap<String, String>,
    (handle, suffix): &(String, String),
    mark: Mark,
) -> Result<String, Error> {
    if handle.is_empty() {
        return Ok(suffix.clone());
    }
    let prefix = handles.get(handle).ok_or_else(|| {
        let message = format!("found undefined tag handle {handle}");
        Error::at(mark.position(), message)
    })?;
    Ok(format!("{prefix}{suffix}"))
}
