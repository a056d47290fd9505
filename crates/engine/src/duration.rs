//! Durations as Go writes them: `1h30m`, `-1.5h`, `300ms`.

use jiff::SignedDuration;
use thiserror::Error;

/// A text that is no duration; the wording is Go's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// No number, or no sense at all.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// Nanoseconds in the units that Go knows.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration as Go's `time.ParseDuration`; what needs more than 64 bits of nanoseconds is
/// refused.
pub fn parse(text: &str) -> Result<SignedDuration, Error> {
    let invalid = || Error::Invalid(text.to_owned());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| c != '.' && !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(number);
        let unit_end = tail
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let amount = decimal(digits).ok_or_else(invalid)?;
        if unit.is_empty() {
            return Err(Error::MissingUnit(text.to_owned()));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(Error::UnknownUnit {
                unit: unit.to_owned(),
                text: text.to_owned(),
            });
        };
        let nanos = amount.scaled(*scale).ok_or_else(invalid)?;
        total = total.checked_add(nanos).ok_or_else(invalid)?;
        rest = tail;
    }
    Ok(SignedDuration::from_nanos(if negative {
        -total
    } else {
        total
    }))
}

/// A number with decimals, exactly.
struct Decimal {
    whole: i64,
    fraction: String,
}

impl Decimal {
    fn scaled(&self, scale: i64) -> Option<i64> {
        let mut nanos = self.whole.checked_mul(scale)?;
        let mut unit = i128::from(scale);
        let mut part: i128 = 0;
        let mut divisor: i128 = 1;
        for digit in self.fraction.bytes().take(18) {
            divisor *= 10;
            part = part * 10 + i128::from(digit - b'0');
        }
        unit *= part;
        nanos = nanos.checked_add(i64::try_from(unit / divisor).ok()?)?;
        Some(nanos)
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    Some(Decimal {
        whole: if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        },
        fraction: fraction.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let seconds = |text: &str| parse(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("-1.5h"), Ok(-5400.0));
        assert_eq!(seconds(".5s"), Ok(0.5));
        assert_eq!(seconds("0"), Ok(0.0));
        assert_eq!(
            parse("1d").map_err(|e| e.to_string()),
            Err("time: unknown unit \"d\" in duration \"1d\"".to_owned())
        );
        assert!(matches!(parse("90"), Err(Error::MissingUnit(_))));
        for text in ["", "-", "h", ".", "1..5h", "9999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
