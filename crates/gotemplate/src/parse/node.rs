//! The tree of a template. Variables are slots, functions are resolved; printing a node gives its source in Go's normal form.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use crate::builtins::Builtin;
use crate::fmt::quote;
use crate::funcs::Function;

pub(crate) use super::number::Number;

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(Arc<str>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(Call),
    Break,
    Continue,
}

/// `if`, `with` and `range`.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

/// `{{template "name" pipe}}`
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) pos: usize,
    pub(crate) name: Arc<str>,
    pub(crate) pipe: Option<Pipe>,
}

/// Commands that feed each other, and the variables that take the result.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    pub(crate) assign: bool,
    pub(crate) decl: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

/// A variable and the place in the frame where its value lives; none when no declaration is in force.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: Arc<str>,
    pub(crate) slot: Option<usize>,
}

/// An operand and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) pos: usize,
    pub(crate) args: Vec<Operand>,
}

/// An operand and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) pos: usize,
    pub(crate) kind: Kind,
}

/// What an operand is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// The text and how it was written.
    Str(Arc<str>, Arc<str>),
    Field(Vec<Arc<str>>),
    Variable(Variable, Vec<Arc<str>>),
    Chain(Box<Operand>, Vec<Arc<str>>),
    Pipe(Box<Pipe>),
    Function(Arc<str>, Callee),
}

/// What an identifier stands for.
#[derive(Clone, Debug)]
pub(crate) enum Callee {
    Builtin(Builtin),
    Function(Arc<Function>),
}

fn fields(f: &mut Formatter<'_>, names: &[Arc<str>]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Dot => f.write_str("."),
            Kind::Nil => f.write_str("nil"),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::Number(n) => f.write_str(&n.text),
            Kind::Str(_, written) => f.write_str(written),
            Kind::Field(names) => fields(f, names),
            Kind::Variable(v, names) => {
                f.write_str(&v.name)?;
                fields(f, names)
            }
            Kind::Chain(inner, names) => {
                if matches!(inner.kind, Kind::Pipe(_)) {
                    write!(f, "({inner})")?;
                } else {
                    write!(f, "{inner}")?;
                }
                fields(f, names)
            }
            Kind::Pipe(pipe) => write!(f, "{pipe}"),
            Kind::Function(name, _) => f.write_str(name),
        }
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, arg) in self.args.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            if matches!(arg.kind, Kind::Pipe(_)) {
                write!(f, "({arg})")?;
            } else {
                write!(f, "{arg}")?;
            }
        }
        Ok(())
    }
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, v) in self.decl.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, v.name)?;
        }
        if !self.decl.is_empty() {
            f.write_str(if self.assign { " = " } else { " := " })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if i > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}
