//! Decimal arithmetic on floats: 0.1 and 0.2 are 0.3.

use crate::error::FuncError;
use crate::value::Value;

use super::args::{Answer, fail};
use super::cast::to_float;

/// An operation on two decimals.
#[derive(Clone, Copy)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
}

/// Applies the operation from left to right, starting with `first`.
pub(super) fn fold(first: f64, others: &[Value], op: Op) -> Answer {
    let mut result = first;
    let mut exact = Some(Decimal::from_float(first)?);
    for other in others {
        let f = to_float(other);
        let d = Decimal::from_float(f)?;
        if matches!(op, Op::Div) && f == 0.0 {
            return fail("decimal division by 0");
        }
        // What does not fit the exact form goes on as a float.
        exact = exact.and_then(|e| e.apply(d, op));
        result = match (exact, op) {
            (Some(e), _) => e.to_float(),
            (None, Op::Add) => result + f,
            (None, Op::Sub) => result - f,
            (None, Op::Mul) => result * f,
            (None, Op::Div) => result / f,
        };
    }
    Ok(Value::Float(result))
}

/// mantissa × 10^exponent
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

/// How many places a division keeps.
const PLACES: i32 = 16;

impl Decimal {
    fn from_float(f: f64) -> Result<Self, FuncError> {
        if !f.is_finite() {
            return fail(format!("Cannot create a Decimal from {f}"));
        }
        let text = format!("{f:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let places = digits
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let exponent = exponent.parse::<i32>().unwrap_or(0) - i32::try_from(places).unwrap_or(0);
        Ok(Self {
            mantissa: digits.replace('.', "").parse().unwrap_or(0),
            exponent,
        })
    }

    fn to_float(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }

    fn scaled(self, exponent: i32) -> Option<i128> {
        let places = u32::try_from(self.exponent - exponent).ok()?;
        self.mantissa.checked_mul(10i128.checked_pow(places)?)
    }

    fn apply(self, other: Self, op: Op) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        Some(match op {
            Op::Add => Self {
                mantissa: self
                    .scaled(exponent)?
                    .checked_add(other.scaled(exponent)?)?,
                exponent,
            },
            Op::Sub => Self {
                mantissa: self
                    .scaled(exponent)?
                    .checked_sub(other.scaled(exponent)?)?,
                exponent,
            },
            Op::Mul => Self {
                mantissa: self.mantissa.checked_mul(other.mantissa)?,
                exponent: self.exponent + other.exponent,
            },
            Op::Div => self.divided(other)?,
        })
    }

    fn divided(self, by: Self) -> Option<Self> {
        let shift = PLACES + self.exponent - by.exponent;
        let power = 10i128.checked_pow(shift.unsigned_abs())?;
        let (numerator, denominator) = if shift >= 0 {
            (self.mantissa.checked_mul(power)?, by.mantissa)
        } else {
            (self.mantissa, by.mantissa.checked_mul(power)?)
        };
        let (quotient, rest) = (numerator / denominator, numerator % denominator);
        // Halves are rounded away from zero.
        let up = rest.unsigned_abs().checked_mul(2)? >= denominator.unsigned_abs();
        let sign = if (numerator < 0) == (denominator < 0) {
            1
        } else {
            -1
        };
        Some(Self {
            mantissa: quotient + if up { sign } else { 0 },
            exponent: -PLACES,
        })
    }
}
