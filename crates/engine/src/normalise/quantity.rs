//! Amounts as Kubernetes reads and writes them: `500m`, `1Gi`, `1e3`.
//!
//! Two different equalities are needed: [`Quantity::amount`] tells whether the API server would see
//! the same amount, [`canonical`] gives the text that Argo CD compares.

use std::cmp::Ordering;

/// An amount: `value × 10^exponent`, and the family of suffix it was written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    value: i128,
    exponent: i32,
    format: Format,
    /// The text itself where Kubernetes takes it to be canonical already, even when it is not.
    verbatim: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    DecimalExponent,
    DecimalSi,
    BinarySi,
}

/// The finest part that is kept; what is finer is rounded away from zero.
const NANO: i32 = -9;
/// Kubernetes rounds resource amounts of a pod up to this.
const MILLI: i32 = -3;

const DECIMAL: [(&str, i32); 9] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
];
const BINARY: [(&str, u32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];

impl Quantity {
    /// Reads an amount; `None` if it is none, or if it is beyond what a hundred and twenty-eight
    /// bits hold (such a text then only equals itself).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let number_end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if number.is_empty() || number == "." || fraction.contains('.') {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let digits = format!("{}{fraction}", if whole.is_empty() { "0" } else { whole });
        let mut value: i128 = digits.parse().ok()?;
        let (format, shift, exponent) = interpret(suffix)?;
        value = value.checked_mul(1_i128.checked_shl(shift)?)?;
        if text.starts_with('-') {
            value = -value;
        }
        let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let verbatim =
            looks_canonical(format, &digits, fraction, shift, exponent).then(|| text.to_owned());
        let parsed = Self {
            value,
            exponent,
            format,
            verbatim,
        };
        Some(if exponent < NANO {
            parsed.rounded_up(NANO)
        } else {
            parsed
        })
    }

    /// The amount alone, comparable with others.
    pub fn amount(&self) -> (i128, i32) {
        let (mut value, mut exponent) = (self.value, self.exponent);
        if value == 0 {
            return (0, 0);
        }
        while value % 10 == 0 {
            value /= 10;
            exponent += 1;
        }
        (value, exponent)
    }

    /// The same amount, rounded away from zero to thousandths, as pods' resources are stored.
    #[must_use]
    pub fn rounded_to_milli(self) -> Self {
        if self.exponent >= MILLI {
            self
        } else {
            self.rounded_up(MILLI)
        }
    }

    fn rounded_up(self, to: i32) -> Self {
        let mut value = self.value;
        for _ in self.exponent..to {
            let rest = value % 10;
            value /= 10;
            value += match rest.cmp(&0) {
                Ordering::Greater => 1,
                Ordering::Less => -1,
                Ordering::Equal => 0,
            };
        }
        Self {
            value,
            exponent: to,
            format: self.format,
            verbatim: None,
        }
    }

    /// The text that Kubernetes writes for it.
    pub fn to_text(&self) -> String {
        if let Some(text) = &self.verbatim {
            return text.clone();
        }
        let (value, exponent) = self.amount();
        if value == 0 {
            return "0".to_owned();
        }
        if self.format == Format::BinarySi
            && exponent >= 0
            && let Some(whole) = 10_i128
                .checked_pow(exponent.unsigned_abs())
                .and_then(|power| value.checked_mul(power))
            && whole.abs() >= 1024
        {
            return binary(whole);
        }
        self.decimal(value, exponent)
    }

    fn decimal(&self, mut value: i128, mut exponent: i32) -> String {
        while exponent.rem_euclid(3) != 0 {
            value *= 10;
            exponent -= 1;
        }
        if self.format == Format::DecimalExponent {
            return if exponent == 0 {
                value.to_string()
            } else {
                format!("{value}e{exponent}")
            };
        }
        let suffix = DECIMAL
            .iter()
            .chain(&[("E", 18)])
            .find(|(_, power)| *power == exponent);
        match suffix {
            Some((suffix, _)) => format!("{value}{suffix}"),
            None => format!("{value}e{exponent}"),
        }
    }
}

fn binary(mut whole: i128) -> String {
    let mut suffix = "";
    for (name, _) in BINARY {
        if whole % 1024 != 0 {
            break;
        }
        whole /= 1024;
        suffix = name;
    }
    format!("{whole}{suffix}")
}

/// The family, the power of two and the power of ten that a suffix stands for.
fn interpret(suffix: &str) -> Option<(Format, u32, i32)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::DecimalSi, 0, *exponent));
    }
    if let Some((_, shift)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::BinarySi, *shift, 0));
    }
    if suffix == "E" {
        return Some((Format::DecimalSi, 0, 18));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Format::DecimalExponent, 0, exponent))
}

/// Kubernetes keeps the text it read where a quick look finds it canonical; the quick look also
/// passes `+1` and `5.`, which therefore differ from `1` and `5` wherever texts are compared.
fn looks_canonical(
    format: Format,
    digits: &str,
    fraction: &str,
    shift: u32,
    exponent: i32,
) -> bool {
    const QUICK_DIGITS: usize = 18;
    let length = digits.len();
    match format {
        Format::BinarySi => {
            let last = digits.parse::<u64>().unwrap_or_default() & 7;
            let room = 14_usize.saturating_sub(length) >= (shift as usize * 3 / 10);
            fraction.is_empty() && room && length < 15 && last != 0
        }
        Format::DecimalExponent | Format::DecimalSi => {
            length <= QUICK_DIGITS
                && exponent >= NANO
                && exponent.rem_euclid(3) == 0
                && !digits.ends_with("000")
                && !digits.starts_with('0')
        }
    }
}

/// The text that Kubernetes would write for an amount; `None` if it is none.
pub fn canonical(text: &str) -> Option<String> {
    Quantity::parse(text).map(|quantity| quantity.to_text())
}

/// Whether two texts are the same amount; texts that are no amounts only equal themselves.
pub fn same(one: &str, other: &str) -> bool {
    one == other
        || match (Quantity::parse(one), Quantity::parse(other)) {
            (Some(one), Some(other)) => one.amount() == other.amount(),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn writes_the_largest_suffix_without_a_fraction() {
        for (text, expected) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("0m", "0"),
            ("0.5Gi", "512Mi"),
            ("1000Ki", "1000Ki"),
            ("512", "512"),
            ("100u", "100u"),
            ("0.0001", "100u"),
            ("-1500m", "-1500m"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn keeps_what_looks_canonical() {
        check("+1", "+1");
        check("5.", "5.");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", "1 Gi", "1GB", "1e2m", "Gi", ".", "1..2"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn compares_amounts_across_families() {
        assert!(same("1Gi", "1073741824"));
        assert!(same("0.1", "100m"));
        assert!(!same("1G", "1Gi"));
    }
}
