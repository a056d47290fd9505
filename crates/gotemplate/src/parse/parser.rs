//! From tokens to the tree, with Go's checks: known functions, known variables, well-nested controls.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::builtins::Builtin;
use crate::error::ParseError;
use crate::fmt::quote;
use crate::funcs::FuncMap;

use super::lexer::{self, Kind as Tk, Token};
use super::node::{Branch, Call, Callee, Command, Kind, Node, Operand, Pipe};
use super::number;
use super::scope::Scope;
use super::unquote;

/// A named template: its nodes and how many variables it needs room for.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Arc<str>,
    pub(crate) list: Vec<Node>,
    pub(crate) slots: usize,
}

/// All templates that a text defines, by name.
pub(crate) type Definitions = BTreeMap<Arc<str>, Arc<Definition>>;

/// How deeply controls and parentheses may be nested.
const MAX_DEPTH: usize = 100;

/// Parses a text; the template itself is defined under `name`.
pub(crate) fn parse(
    name: &str,
    text: &str,
    functions: &FuncMap,
) -> Result<Definitions, ParseError> {
    let keywords = [
        functions.get("break").is_none(),
        functions.get("continue").is_none(),
    ];
    let mut parser = Parser {
        name,
        functions,
        tokens: lexer::tokens(text, keywords),
        next: 0,
        action_line: None,
        depth: 0,
        scope: Scope::new(),
        definitions: Definitions::new(),
    };
    parser.top(name)?;
    Ok(parser.definitions)
}

struct Parser<'a> {
    name: &'a str,
    functions: &'a FuncMap,
    tokens: Vec<Token>,
    next: usize,
    action_line: Option<usize>,
    depth: usize,
    scope: Scope,
    definitions: Definitions,
}

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminator {
    End,
    Else,
}

impl Terminator {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    Terminator(Terminator),
}

type Parsed<T> = Result<T, ParseError>;

impl Parser<'_> {
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let line = self
            .tokens
            .get(self.next.saturating_sub(1))
            .map_or(1, |t| t.line);
        Err(ParseError {
            name: self.name.to_owned(),
            line,
            message: message.into(),
        })
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        if token.kind != Tk::Error {
            return self.fail(format!("unexpected {} in {context}", describe(token)));
        }
        let started = match self.action_line {
            Some(line) if line != token.line => {
                let within = if token.text.ends_with(" action") {
                    ""
                } else {
                    " in action"
                };
                format!("{within} started at {}:{line}", self.name)
            }
            _ => String::new(),
        };
        self.fail(format!("{}{started}", token.text))
    }

    /// The next token; the last one again and again.
    fn token(&mut self) -> Token {
        let token = self.peek().clone();
        if self.next < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn peek(&self) -> &Token {
        static EOF: Token = Token {
            kind: Tk::Eof,
            text: String::new(),
            pos: 0,
            line: 1,
        };
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .unwrap_or(&EOF)
    }

    fn peek_non_space(&mut self) -> &Token {
        while self.peek().kind == Tk::Space {
            self.next += 1;
        }
        self.peek()
    }

    fn token_non_space(&mut self) -> Token {
        self.peek_non_space();
        self.token()
    }

    fn expect(&mut self, kind: Tk, context: &str) -> Parsed<Token> {
        let token = self.token_non_space();
        if token.kind == kind {
            Ok(token)
        } else {
            self.unexpected(&token, context)
        }
    }

    fn top(&mut self, name: &str) -> Parsed<()> {
        let mut list = Vec::new();
        while self.peek().kind != Tk::Eof {
            if self.peek().kind == Tk::LeftDelim {
                let mark = self.next;
                self.next += 1;
                if self.token_non_space().kind == Tk::Define {
                    self.definition()?;
                    continue;
                }
                self.next = mark;
            }
            match self.text_or_action()? {
                Item::Node(node) => list.push(node),
                Item::Terminator(t) => return self.fail(format!("unexpected {}", t.text())),
            }
        }
        let slots = self.scope.slots();
        self.add(Definition {
            name: name.into(),
            list,
            slots,
        })
    }

    /// Adds a template; a second one of the same name is refused unless one of them is empty.
    fn add(&mut self, definition: Definition) -> Parsed<()> {
        match self.definitions.get(&definition.name) {
            Some(old) if !is_empty(&old.list) => {
                if !is_empty(&definition.list) {
                    let name = quote(&definition.name);
                    return self.fail(format!("template: multiple definition of template {name}"));
                }
            }
            _ => {
                self.definitions
                    .insert(definition.name.clone(), Arc::new(definition));
            }
        }
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let token = self.token_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Tk::RightDelim, CONTEXT)?;
        self.body(name, CONTEXT)
    }

    /// The nodes of a named template up to its end, in a scope of their own.
    fn body(&mut self, name: Arc<str>, context: &str) -> Parsed<()> {
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (list, end) = self.list()?;
        if end != Terminator::End {
            return self.fail(format!("unexpected {} in {context}", end.text()));
        }
        let inner = std::mem::replace(&mut self.scope, outer);
        self.add(Definition {
            name,
            list,
            slots: inner.slots(),
        })
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<Arc<str>> {
        if !matches!(token.kind, Tk::String | Tk::RawString) {
            return self.unexpected(token, context);
        }
        match unquote::string(&token.text) {
            Some(name) => Ok(name.into()),
            None => self.fail("invalid syntax"),
        }
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, Terminator)> {
        self.deeper()?;
        let mut list = Vec::new();
        while self.peek_non_space().kind != Tk::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.push(node),
                Item::Terminator(t) => {
                    self.depth -= 1;
                    return Ok((list, t));
                }
            }
        }
        self.fail("unexpected EOF")
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.fail("max expression depth exceeded")
        } else {
            Ok(())
        }
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.token_non_space();
        match token.kind {
            Tk::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Tk::LeftDelim => {
                self.action_line = Some(token.line);
                let item = self.action()?;
                self.action_line = None;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.token_non_space();
        let node = match token.kind {
            Tk::Block => self.block()?,
            Tk::Break => self.jump(Node::Break, "{{break}}")?,
            Tk::Continue => self.jump(Node::Continue, "{{continue}}")?,
            Tk::Else => {
                if !matches!(self.peek_non_space().kind, Tk::If | Tk::With) {
                    self.expect(Tk::RightDelim, "else")?;
                }
                return Ok(Item::Terminator(Terminator::Else));
            }
            Tk::End => {
                self.expect(Tk::RightDelim, "end")?;
                return Ok(Item::Terminator(Terminator::End));
            }
            Tk::If => Node::If(self.control("if")?),
            Tk::Range => Node::Range(self.control("range")?),
            Tk::With => Node::With(self.control("with")?),
            Tk::Template => self.call()?,
            _ => {
                self.next -= 1;
                Node::Action(self.pipeline("command", Tk::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, node: Node, name: &str) -> Parsed<Node> {
        self.expect(Tk::RightDelim, name)?;
        if self.scope.ranges == 0 {
            return self.fail(format!("{name} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn control(&mut self, context: &str) -> Parsed<Branch> {
        let mark = self.scope.mark();
        let pipe = self.pipeline(context, Tk::RightDelim)?;
        let declared = self.scope.mark();
        self.scope.ranges += usize::from(context == "range");
        let (list, end) = self.list()?;
        self.scope.ranges -= usize::from(context == "range");
        let otherwise = match end {
            Terminator::End => None,
            Terminator::Else => {
                // What the first list declared is known here but has no value.
                self.scope.bury(declared);
                Some(self.otherwise(context)?)
            }
        };
        self.scope.pop(mark);
        Ok(Branch {
            pipe,
            list,
            otherwise,
        })
    }

    /// The nodes after `else`; `else if` and `else with` share the end of what they follow.
    fn otherwise(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let chained = match (context, self.peek().kind) {
            ("if", Tk::If) => Some(Node::If as fn(Branch) -> Node),
            ("with", Tk::With) => Some(Node::With as fn(Branch) -> Node),
            _ => None,
        };
        if let Some(wrap) = chained {
            self.token();
            self.deeper()?;
            let branch = self.control(context)?;
            self.depth -= 1;
            return Ok(vec![wrap(branch)]);
        }
        let (list, end) = self.list()?;
        if end != Terminator::End {
            return self.fail(format!("expected end; found {}", end.text()));
        }
        Ok(list)
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.token_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Tk::RightDelim)?;
        self.body(name.clone(), CONTEXT)?;
        Ok(Node::Template(Call {
            pos: token.pos,
            name,
            pipe: Some(pipe),
        }))
    }

    fn call(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.token_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = if self.token_non_space().kind == Tk::RightDelim {
            None
        } else {
            self.next -= 1;
            Some(self.pipeline(CONTEXT, Tk::RightDelim)?)
        };
        Ok(Node::Template(Call {
            pos: token.pos,
            name,
            pipe,
        }))
    }

    fn pipeline(&mut self, context: &str, end: Tk) -> Parsed<Pipe> {
        let pos = self.peek_non_space().pos;
        let (names, assign) = self.declarations(context)?;
        let pending = self.scope.announce(&names, assign);
        let mut commands: Vec<Command> = Vec::new();
        loop {
            let token = self.token_non_space();
            match token.kind {
                kind if kind == end => break,
                Tk::Bool
                | Tk::CharConstant
                | Tk::Complex
                | Tk::Dot
                | Tk::Field
                | Tk::Identifier
                | Tk::Number
                | Tk::Nil
                | Tk::RawString
                | Tk::String
                | Tk::Variable
                | Tk::LeftParen => {
                    self.next -= 1;
                    commands.push(self.command()?);
                }
                _ => return self.unexpected(&token, context),
            }
        }
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (i, command) in commands.iter().enumerate().skip(1) {
            let first = command.args.first().map(|a| &a.kind);
            if matches!(
                first,
                Some(Kind::Bool(_) | Kind::Dot | Kind::Nil | Kind::Number(_) | Kind::Str(..))
            ) {
                return self.fail(format!(
                    "non executable command in pipeline stage {}",
                    i + 1
                ));
            }
        }
        let decl = self.scope.declare(names, pending, assign);
        Ok(Pipe {
            pos,
            assign,
            decl,
            commands,
        })
    }

    /// `$x :=`, `$x =` and, for ranges, `$i, $x :=`; the names and whether they are assigned rather than declared.
    fn declarations(&mut self, context: &str) -> Parsed<(Vec<Arc<str>>, bool)> {
        let mut names: Vec<Arc<str>> = Vec::new();
        loop {
            if self.peek_non_space().kind != Tk::Variable {
                return Ok((names, false));
            }
            let mark = self.next;
            let variable = self.token();
            let next = self.peek_non_space().clone();
            match next.kind {
                Tk::Assign | Tk::Declare => {
                    self.token();
                    names.push(variable.text.into());
                    return Ok((names, next.kind == Tk::Assign));
                }
                Tk::Char if next.text == "," => {
                    self.token();
                    names.push(variable.text.into());
                    if context != "range" || names.len() > 1 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek_non_space().kind,
                        Tk::Variable | Tk::RightDelim | Tk::RightParen
                    ) {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ => {
                    self.next = mark;
                    return Ok((names, false));
                }
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().pos;
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let token = self.token();
            match token.kind {
                Tk::Space => {}
                Tk::RightDelim | Tk::RightParen => {
                    self.next -= 1;
                    break;
                }
                Tk::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if args.is_empty() {
            self.fail("empty command")
        } else {
            Ok(Command { pos, args })
        }
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(operand) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != Tk::Field {
            return Ok(Some(operand));
        }
        let pos = self.peek().pos;
        let mut names = Vec::new();
        while self.peek().kind == Tk::Field {
            names.push(field_name(&self.token().text));
        }
        let kind = match operand.kind {
            Kind::Field(mut first) => {
                first.append(&mut names);
                Kind::Field(first)
            }
            Kind::Variable(v, mut first) => {
                first.append(&mut names);
                Kind::Variable(v, first)
            }
            Kind::Bool(_) | Kind::Str(..) | Kind::Number(_) | Kind::Nil | Kind::Dot => {
                return self.fail(format!(
                    "unexpected . after term {}",
                    quote(&operand.to_string())
                ));
            }
            _ => Kind::Chain(Box::new(operand), names),
        };
        Ok(Some(Operand { pos, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.token_non_space();
        let kind = match token.kind {
            Tk::Identifier => Kind::Function(token.text.as_str().into(), self.callee(&token.text)?),
            Tk::Dot => Kind::Dot,
            Tk::Nil => Kind::Nil,
            Tk::Variable => match self.scope.find(&token.text) {
                Some(variable) => Kind::Variable(variable, Vec::new()),
                None => return self.fail(format!("undefined variable {}", quote(&token.text))),
            },
            Tk::Field => Kind::Field(vec![field_name(&token.text)]),
            Tk::Bool => Kind::Bool(token.text == "true"),
            Tk::CharConstant | Tk::Complex | Tk::Number => {
                match number::number(&token.text, token.kind) {
                    Ok(number) => Kind::Number(number),
                    Err(message) => return self.fail(message),
                }
            }
            Tk::LeftParen => {
                self.deeper()?;
                let pipe = self.pipeline("parenthesized pipeline", Tk::RightParen)?;
                self.depth -= 1;
                Kind::Pipe(Box::new(pipe))
            }
            Tk::String | Tk::RawString => match unquote::string(&token.text) {
                Some(text) => Kind::Str(text.into(), token.text.as_str().into()),
                None => return self.fail("invalid syntax"),
            },
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand {
            pos: token.pos,
            kind,
        }))
    }

    fn callee(&self, name: &str) -> Parsed<Callee> {
        if let Some(function) = self.functions.get(name) {
            return Ok(Callee::Function(Arc::clone(function)));
        }
        match Builtin::named(name) {
            Some(builtin) => Ok(Callee::Builtin(builtin)),
            None => self.fail(format!("function {} not defined", quote(name))),
        }
    }
}

fn field_name(token: &str) -> Arc<str> {
    token.strip_prefix('.').unwrap_or(token).into()
}

/// A token within a message.
fn describe(token: &Token) -> String {
    match token.kind {
        Tk::Eof => "EOF".to_owned(),
        Tk::Dot
        | Tk::Nil
        | Tk::Block
        | Tk::Break
        | Tk::Continue
        | Tk::Define
        | Tk::Else
        | Tk::End
        | Tk::If
        | Tk::Range
        | Tk::Template
        | Tk::With => format!("<{}>", token.text),
        _ if token.text.len() > 10 => {
            let start: String = token.text.chars().take(10).collect();
            format!("{}...", quote(&start))
        }
        _ => quote(&token.text),
    }
}

/// Whether a template has nothing but blanks.
fn is_empty(list: &[Node]) -> bool {
    list.iter()
        .all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
