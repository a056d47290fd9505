//! Running a template: the walk over its nodes and the rules of pipelines, fields and calls.

use std::sync::Arc;

use crate::arguments;
use crate::builtins::{self, Builtin};
use crate::containers::Elem;
use crate::error::{ExecError, FuncError};
use crate::fmt::{MAX_TEXT, print, print_into, quote};
use crate::funcs::{Function, Param};
use crate::meter::Meter;
use crate::options::MissingKey;
use crate::parse::Definition;
use crate::parse::node::{Branch, Call, Callee, Command, Kind, Node, Operand, Pipe, Variable};
use crate::template::Template;
use crate::value::Value;

/// Where the template is, for messages.
#[derive(Clone, Copy)]
pub(crate) enum At<'t> {
    Start,
    Operand(&'t Operand),
    Command(&'t Command),
    Pipe(&'t Pipe),
    Call(&'t Call),
}

/// What comes after a node.
enum Flow {
    Next,
    Break,
    Continue,
}

pub(crate) type Done<T> = Result<T, Box<ExecError>>;

/// A template that is running.
pub(crate) struct Run<'t> {
    template: &'t Template,
    definition: &'t Definition,
    /// The variables of the template that is running; the dollar comes first.
    frame: Vec<Option<Value>>,
    out: String,
    meter: Meter,
    /// How many templates call each other.
    depth: usize,
    /// How many blocks are open, those of the calling templates included.
    blocks: usize,
    at: At<'t>,
}

/// Lists may not grow beyond this.
const MAX_ITEMS: usize = 1_000_000;

/// Blocks may not be open in greater number, since each takes room on the stack.
const MAX_BLOCKS: usize = 256;

#[expect(
    clippy::too_many_arguments,
    reason = "a call is its place, its name, its arguments and the piped one"
)]
impl<'t> Run<'t> {
    pub(crate) fn start(
        template: &'t Template,
        definition: &'t Definition,
        data: &Value,
    ) -> Done<String> {
        let mut run = Self {
            template,
            definition,
            frame: frame(definition, data.clone()),
            out: String::new(),
            meter: Meter::new(template.options().limits.steps),
            depth: 0,
            blocks: 0,
            at: At::Start,
        };
        run.list(data, &definition.list)?;
        Ok(run.out)
    }

    /// An error at the current place.
    #[cold]
    pub(crate) fn fail<T>(&self, message: impl Into<String>) -> Done<T> {
        let (pos, context) = match self.at {
            At::Start => (0, String::new()),
            At::Operand(o) => (o.pos, o.to_string()),
            At::Command(c) => (c.pos, c.to_string()),
            At::Pipe(p) => (p.pos, p.to_string()),
            At::Call(c) => (c.pos, c.to_string()),
        };
        Err(Box::new(self.template.error_at(
            pos,
            context,
            &self.definition.name,
            message.into(),
        )))
    }

    pub(crate) fn at(&mut self, operand: &'t Operand) {
        self.at = At::Operand(operand);
    }

    fn step(&mut self) -> Done<()> {
        let charged = self.meter.charge(1);
        charged.or_else(|error| self.fail(error.to_string()))
    }

    fn check_output(&self) -> Done<()> {
        let limit = self.template.options().limits.output;
        if self.out.len() > limit {
            return self.fail(format!("the template writes more than {limit} bytes"));
        }
        Ok(())
    }

    fn list(&mut self, dot: &Value, list: &'t [Node]) -> Done<Flow> {
        if self.blocks >= MAX_BLOCKS {
            return self.fail(format!("more than {MAX_BLOCKS} blocks are open at once"));
        }
        self.blocks += 1;
        let mut flow = Flow::Next;
        for node in list {
            self.step()?;
            flow = self.node(dot, node)?;
            if !matches!(flow, Flow::Next) {
                break;
            }
        }
        self.blocks -= 1;
        Ok(flow)
    }

    fn node(&mut self, dot: &Value, node: &'t Node) -> Done<Flow> {
        match node {
            Node::Text(text) => {
                self.out.push_str(text);
                self.check_output()?;
            }
            Node::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.decl.is_empty() {
                    self.print(pipe, &value)?;
                }
            }
            Node::If(branch) => {
                let value = self.pipeline(dot, &branch.pipe)?;
                return self.branch(dot, dot, branch, value.is_true());
            }
            Node::With(branch) => {
                let value = self.pipeline(dot, &branch.pipe)?;
                return self.branch(&value, dot, branch, value.is_true());
            }
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template(call) => self.call_template(dot, call)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, pipe: &'t Pipe, value: &Value) -> Done<()> {
        self.at = At::Pipe(pipe);
        if let Value::Func(_) = value {
            return self.fail(format!("can't print {pipe} of type {}", value.type_name()));
        }
        let limit = self.template.options().limits.output;
        print_into(&mut self.out, value, limit);
        self.check_output()
    }

    fn branch(
        &mut self,
        inner: &Value,
        outer: &Value,
        branch: &'t Branch,
        truth: bool,
    ) -> Done<Flow> {
        match (&branch.otherwise, truth) {
            (_, true) => self.list(inner, &branch.list),
            (Some(list), false) => self.list(outer, list),
            (None, false) => Ok(Flow::Next),
        }
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Done<Flow> {
        let value = self.pipeline(dot, &branch.pipe)?;
        self.at = At::Pipe(&branch.pipe);
        let ran = match &value {
            Value::Int(n) => self.count(branch, *n, Value::Int)?,
            Value::Int64(n) => self.count(branch, *n, Value::Int64)?,
            Value::Byte(n) => self.count(branch, i64::from(*n), |i| {
                Value::Byte(u8::try_from(i).unwrap_or(u8::MAX))
            })?,
            Value::Uint(n) => self.count(branch, i64::try_from(*n).unwrap_or(i64::MAX), |i| {
                Value::Uint(i.unsigned_abs())
            })?,
            Value::List(list) => {
                for (i, item) in list.iter().enumerate() {
                    let index = Value::Int(i64::try_from(i).unwrap_or(i64::MAX));
                    if let Flow::Break = self.iteration(branch, Some(index), item)? {
                        break;
                    }
                }
                !list.is_empty()
            }
            Value::Map(map) => {
                let entries = map.entries();
                for (key, item) in &entries {
                    if let Flow::Break =
                        self.iteration(branch, Some(Value::Str(key.clone())), item)?
                    {
                        break;
                    }
                }
                !entries.is_empty()
            }
            Value::Absent | Value::Nil => false,
            other => {
                let text = print(other);
                return self.fail(format!("range can't iterate over {text}"));
            }
        };
        match &branch.otherwise {
            Some(list) if !ran => self.list(dot, list),
            _ => Ok(Flow::Next),
        }
    }

    /// A range over an integer.
    fn count(&mut self, branch: &'t Branch, end: i64, wrap: impl Fn(i64) -> Value) -> Done<bool> {
        if branch.pipe.decl.len() > 1 {
            return self.fail(format!(
                "can't use {end} to iterate over more than one variable"
            ));
        }
        for i in 0..end {
            if let Flow::Break = self.iteration(branch, None, &wrap(i))? {
                break;
            }
        }
        Ok(end > 0)
    }

    fn iteration(&mut self, branch: &'t Branch, index: Option<Value>, item: &Value) -> Done<Flow> {
        self.step()?;
        let pipe = &branch.pipe;
        match (pipe.decl.as_slice(), index) {
            ([], _) => {}
            // One variable takes the element, two take the index as well.
            ([only], _) => self.set(only, item.clone())?,
            ([first, second, ..], index) => {
                self.set(first, index.unwrap_or(Value::Absent))?;
                self.set(second, item.clone())?;
            }
        }
        self.list(item, &branch.list)
    }

    fn call_template(&mut self, dot: &Value, call: &'t Call) -> Done<()> {
        self.at = At::Call(call);
        let Some(definition) = self.template.definition(&call.name) else {
            return self.fail(format!("template {} not defined", quote(&call.name)));
        };
        let limit = self.template.options().limits.depth;
        if self.depth >= limit {
            return self.fail(format!("exceeded maximum template depth ({limit})"));
        }
        let data = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Absent,
        };
        let outer = (
            self.definition,
            std::mem::replace(&mut self.frame, frame(definition, data.clone())),
        );
        self.definition = definition;
        self.depth += 1;
        self.list(&data, &definition.list)?;
        self.depth -= 1;
        (self.definition, self.frame) = outer;
        Ok(())
    }

    fn set(&mut self, variable: &Variable, value: Value) -> Done<()> {
        match variable.slot.and_then(|slot| self.frame.get_mut(slot)) {
            Some(place) => {
                *place = Some(value);
                Ok(())
            }
            None => self.fail(format!("undefined variable: {}", variable.name)),
        }
    }

    pub(crate) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Done<Value> {
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?.dug());
        }
        let value = value.unwrap_or(Value::Absent);
        for variable in &pipe.decl {
            self.set(variable, value.clone())?;
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Done<Value> {
        let Some(first) = command.args.first() else {
            return self.fail("empty command");
        };
        let args = command.args.get(1..).unwrap_or_default();
        self.at(first);
        match &first.kind {
            Kind::Field(names) => return self.chain(dot, dot.clone(), first, names, args, last),
            Kind::Chain(inner, names) => {
                let receiver = self.chain_start(dot, inner)?;
                return self.chain(dot, receiver, first, names, args, last);
            }
            Kind::Function(name, callee) => {
                return self.function(dot, At::Command(command), name, callee, args, last);
            }
            Kind::Variable(variable, names) if !names.is_empty() => {
                let receiver = self.variable(variable)?;
                return self.chain(dot, receiver, first, names, args, last);
            }
            _ => {}
        }
        if !args.is_empty() || last.is_some() {
            return self.fail(format!("can't give argument to non-function {first}"));
        }
        match &first.kind {
            Kind::Pipe(pipe) => self.pipeline(dot, pipe),
            Kind::Nil => self.fail("nil is not a command"),
            _ => self.operand(dot, first),
        }
    }

    /// The value that an operand has by itself, without arguments.
    pub(crate) fn operand(&mut self, dot: &Value, operand: &'t Operand) -> Done<Value> {
        self.at(operand);
        match &operand.kind {
            Kind::Dot => Ok(dot.clone()),
            Kind::Nil => Ok(Value::Nil),
            Kind::Bool(b) => Ok(Value::Bool(*b)),
            Kind::Number(n) => arguments::ideal(n).or_else(|message| self.fail(message)),
            Kind::Str(text, _) => Ok(Value::Str(text.clone())),
            Kind::Field(names) => self.chain(dot, dot.clone(), operand, names, &[], None),
            Kind::Variable(variable, names) => {
                let receiver = self.variable(variable)?;
                self.chain(dot, receiver, operand, names, &[], None)
            }
            Kind::Chain(inner, names) => {
                let receiver = self.chain_start(dot, inner)?;
                self.chain(dot, receiver, operand, names, &[], None)
            }
            Kind::Pipe(pipe) => self.pipeline(dot, pipe),
            Kind::Function(name, callee) => {
                self.function(dot, At::Operand(operand), name, callee, &[], None)
            }
        }
    }

    fn chain_start(&mut self, dot: &Value, inner: &'t Operand) -> Done<Value> {
        if let Kind::Nil = inner.kind {
            return self.fail("indirection through explicit nil in nil");
        }
        self.operand(dot, inner)
    }

    fn variable(&self, variable: &Variable) -> Done<Value> {
        match variable.slot.and_then(|slot| self.frame.get(slot)) {
            Some(Some(value)) => Ok(value.clone()),
            _ => self.fail(format!("undefined variable: {}", variable.name)),
        }
    }

    /// `.a.b.c` from a receiver; only the last name can be a method with arguments.
    fn chain(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        node: &'t Operand,
        names: &'t [Arc<str>],
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Done<Value> {
        self.at(node);
        let Some((end, before)) = names.split_last() else {
            return Ok(receiver);
        };
        for name in before {
            receiver = self.field(dot, &receiver, node, name, &[], None)?;
        }
        self.field(dot, &receiver, node, end, args, last)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        node: &'t Operand,
        name: &str,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Done<Value> {
        let has_args = !args.is_empty() || last.is_some();
        match receiver {
            Value::Absent if self.template.options().missing_key == MissingKey::Error => {
                self.fail(format!("nil data; no entry for key {}", quote(name)))
            }
            Value::Absent => Ok(Value::Absent),
            Value::Nil => self.fail(format!("nil pointer evaluating interface {{}}.{name}")),
            Value::Map(_) if has_args => {
                self.fail(format!("{name} is not a method but has arguments"))
            }
            Value::Map(map) => match (map.get(name), self.template.options().missing_key) {
                (Some(value), _) => Ok(value),
                (None, MissingKey::Default) => Ok(Value::Absent),
                (None, MissingKey::Zero) => Ok(if map.elem() == Elem::Str {
                    Value::str("")
                } else {
                    Value::Nil
                }),
                (None, MissingKey::Error) => {
                    self.fail(format!("map has no entry for key {}", quote(name)))
                }
            },
            Value::Opaque(opaque) => {
                let args = self.collect(dot, None, args, last)?;
                match opaque.member(name, &args) {
                    Some(Ok(value)) => Ok(value),
                    Some(Err(error)) => {
                        self.at(node);
                        self.fail(format!("error calling {name}: {error}"))
                    }
                    None => self.fail(format!(
                        "can't evaluate field {name} in type {}",
                        receiver.type_name()
                    )),
                }
            }
            other => self.fail(format!(
                "can't evaluate field {name} in type {}",
                interface_type(other)
            )),
        }
    }

    fn function(
        &mut self,
        dot: &Value,
        place: At<'t>,
        name: &str,
        callee: &'t Callee,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Done<Value> {
        self.step()?;
        let (fixed, variadic) = match callee {
            Callee::Builtin(builtin) => builtin.arity(),
            Callee::Function(function) => (function.fixed(), function.is_variadic()),
        };
        let got = args.len() + usize::from(last.is_some());
        if variadic && got < fixed {
            return self.fail(format!(
                "wrong number of args for {name}: want at least {fixed} got {}",
                args.len()
            ));
        }
        if !variadic && got != fixed {
            return self.fail(format!(
                "wrong number of args for {name}: want {fixed} got {got}"
            ));
        }
        let result = match callee {
            Callee::Builtin(Builtin::And) => return self.short_circuit(dot, args, last, false),
            Callee::Builtin(Builtin::Or) => return self.short_circuit(dot, args, last, true),
            Callee::Builtin(builtin) => {
                let values = self.builtin_args(dot, *builtin, args, last)?;
                match (builtin, values.split_first()) {
                    (Builtin::Call, Some((function, rest))) => {
                        let name = args
                            .first()
                            .map_or_else(|| print(function), ToString::to_string);
                        builtins::call(&name, function, rest, &mut self.meter)
                    }
                    _ => self
                        .meter
                        .charge_values(&values)
                        .and_then(|()| builtin.run(&values)),
                }
            }
            Callee::Function(function) => {
                let values = self.collect(dot, Some(function), args, last)?;
                let charged = self.meter.charge_values(&values);
                charged.and_then(|()| function.run(&values, &mut self.meter))
            }
        };
        self.result(place, name, result)
    }

    fn result(
        &mut self,
        place: At<'t>,
        name: &str,
        result: Result<Value, FuncError>,
    ) -> Done<Value> {
        let output = self.template.options().limits.output.min(MAX_TEXT);
        let result = result.and_then(|value| {
            self.meter.charge_values(std::slice::from_ref(&value))?;
            Ok(value)
        });
        let message = match result {
            Ok(Value::Str(s)) if s.len() > output => {
                format!("the result is longer than {output} bytes")
            }
            Ok(Value::List(list)) if list.len() > MAX_ITEMS => {
                format!("the result has more than {MAX_ITEMS} elements")
            }
            Ok(value) => return Ok(value),
            Err(error) => error.to_string(),
        };
        self.at = place;
        self.fail(format!("error calling {name}: {message}"))
    }

    fn short_circuit(
        &mut self,
        dot: &Value,
        args: &'t [Operand],
        last: Option<Value>,
        stop: bool,
    ) -> Done<Value> {
        let mut value = Value::Absent;
        for arg in args {
            value = self.argument(dot, Param::Reflect, arg)?;
            if value.is_true() == stop {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn builtin_args(
        &mut self,
        dot: &Value,
        builtin: Builtin,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Done<Vec<Value>> {
        let want = |i: usize| {
            if builtin == Builtin::Printf && i == 0 {
                Param::Str
            } else {
                Param::Reflect
            }
        };
        let mut values = Vec::with_capacity(args.len() + 1);
        for (i, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, want(i), arg)?);
        }
        if let Some(last) = last {
            values.push(self.checked(last, want(args.len()))?);
        }
        Ok(values)
    }

    /// The arguments of a function, checked against its parameters.
    fn collect(
        &mut self,
        dot: &Value,
        function: Option<&'t Function>,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Done<Vec<Value>> {
        let want = |i: usize| function.map_or(Param::Any, |f| f.param(i));
        let mut values = Vec::with_capacity(args.len() + 1);
        for (i, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, want(i), arg)?);
        }
        if let Some(last) = last {
            values.push(self.checked(last, want(args.len()))?);
        }
        Ok(values)
    }
}

/// Room for the variables of a template, with the dollar set.
fn frame(definition: &Definition, data: Value) -> Vec<Option<Value>> {
    let mut frame = vec![None; definition.slots.max(1)];
    if let Some(dollar) = frame.first_mut() {
        *dollar = Some(data);
    }
    frame
}

/// How Go names the type of something found in a list or map.
fn interface_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) | Value::Float(_) | Value::Str(_) | Value::List(_) => "interface {}",
        other => other.type_name(),
    }
}

impl Value {
    /// What a pipeline passes on: a nil within an interface becomes no value.
    fn dug(self) -> Self {
        if let Self::Nil = self {
            Self::Absent
        } else {
            self
        }
    }
}
