//! The arguments of calls: constants take the type that is wanted, everything else must already have it.

use crate::compare::assignable;
use crate::exec::{Done, Run};
use crate::funcs::Param;
use crate::parse::node::{Kind, Number, Operand};
use crate::value::Value;

/// The value of a constant where nothing says which type it should have.
pub(crate) fn ideal(n: &Number) -> Result<Value, String> {
    if let Some((re, im)) = n.complex {
        return Ok(Value::Complex(re, im));
    }
    let lower = n.text.to_ascii_lowercase();
    let hex = lower.starts_with("0x") && !lower.contains('p');
    let looks_float = !hex && !n.text.starts_with('\'') && lower.contains(['.', 'e', 'p']);
    match (n.float, n.int) {
        (Some(f), _) if looks_float => Ok(Value::Float(f)),
        (_, Some(i)) => Ok(Value::Int(i)),
        _ if n.uint.is_some() => Err(format!("{} overflows int", n.text)),
        _ => Ok(Value::Absent),
    }
}

/// Whether nil can stand for the type.
fn can_be_nil(want: Param) -> bool {
    matches!(
        want,
        Param::Any | Param::Reflect | Param::List | Param::Strings | Param::Map
    )
}

impl<'t> Run<'t> {
    /// Evaluates an operand as an argument of the wanted type.
    pub(crate) fn argument(
        &mut self,
        dot: &Value,
        want: Param,
        operand: &'t Operand,
    ) -> Done<Value> {
        self.at(operand);
        match &operand.kind {
            Kind::Nil if can_be_nil(want) => Ok(if want == Param::Any {
                Value::Nil
            } else {
                Value::Absent
            }),
            Kind::Nil => self.fail(format!("cannot assign nil to {}", want.type_name())),
            Kind::Bool(_) | Kind::Number(_) | Kind::Str(..) => self.constant(dot, want, operand),
            _ => {
                let value = self.operand(dot, operand)?;
                self.checked(value, want)
            }
        }
    }

    fn constant(&mut self, dot: &Value, want: Param, operand: &'t Operand) -> Done<Value> {
        match (want, &operand.kind) {
            (Param::Any | Param::Reflect, _) => self.operand(dot, operand),
            (Param::Bool, Kind::Bool(b)) => Ok(Value::Bool(*b)),
            (Param::Str, Kind::Str(text, _)) => Ok(Value::Str(text.clone())),
            (Param::Int, Kind::Number(Number { int: Some(n), .. })) => Ok(Value::Int(*n)),
            (Param::Int64, Kind::Number(Number { int: Some(n), .. })) => Ok(Value::Int64(*n)),
            (Param::Float, Kind::Number(Number { float: Some(f), .. })) => Ok(Value::Float(*f)),
            (Param::Bool, _) => self.fail(format!("expected bool; found {operand}")),
            (Param::Str, _) => self.fail(format!("expected string; found {operand}")),
            (Param::Int | Param::Int64, _) => {
                self.fail(format!("expected integer; found {operand}"))
            }
            (Param::Float, _) => self.fail(format!("expected float; found {operand}")),
            _ => self.fail(format!(
                "can't handle {operand} for arg of type {}",
                want.type_name()
            )),
        }
    }

    /// Checks that a value can be given where a type is wanted.
    pub(crate) fn checked(&self, value: Value, want: Param) -> Done<Value> {
        if assignable(&value, want) {
            return Ok(match value {
                Value::Absent if want == Param::Any => Value::Nil,
                value => value,
            });
        }
        match value {
            Value::Absent if can_be_nil(want) => Ok(Value::Absent),
            Value::Absent => self.fail(format!("invalid value; expected {}", want.type_name())),
            other => {
                let got = if other.is_nil() {
                    "interface {}"
                } else {
                    other.type_name()
                };
                self.fail(format!(
                    "wrong type for value; expected {}; got {got}",
                    want.type_name()
                ))
            }
        }
    }
}
