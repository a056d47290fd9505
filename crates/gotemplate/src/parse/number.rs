//! Number literals: which of Go's types a constant can have.

use super::lexer::Kind;
use super::unquote;

/// A constant, with its value in every type that can hold it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
    pub(crate) text: String,
}

/// Reads a literal; the error is Go's text.
pub(super) fn number(text: &str, kind: Kind) -> Result<Number, String> {
    let mut n = Number {
        int: None,
        uint: None,
        float: None,
        complex: None,
        text: text.to_owned(),
    };
    match kind {
        Kind::CharConstant => {
            let code = unquote::character(text)
                .ok_or_else(|| format!("malformed character constant: {text}"))?;
            n.int = Some(code);
            n.uint = u64::try_from(code).ok();
            #[expect(clippy::cast_precision_loss, reason = "codes of characters are small")]
            {
                n.float = Some(code as f64);
            }
            return Ok(n);
        }
        Kind::Complex => {
            let split = text.rfind(['+', '-']).filter(|i| *i > 0).unwrap_or(0);
            let (re, im) = text.split_at(split);
            let im = im.strip_suffix('i').and_then(float);
            n.complex = float(re).zip(im);
            simplify(&mut n);
            return if n.complex.is_some() {
                Ok(n)
            } else {
                Err(format!(
                    "illegal number syntax: {}",
                    crate::fmt::quote(text)
                ))
            };
        }
        _ => {}
    }
    if let Some(imaginary) = text.strip_suffix('i')
        && let Some(im) = float(imaginary)
    {
        n.complex = Some((0.0, im));
        simplify(&mut n);
        return Ok(n);
    }
    n.uint = unsigned(text);
    n.int = signed(text);
    if n.int == Some(0) {
        // In case of -0.
        n.uint = Some(0);
    }
    read_float(&mut n, text)?;
    if n.int.is_none() && n.uint.is_none() && n.float.is_none() {
        return Err(format!(
            "illegal number syntax: {}",
            crate::fmt::quote(text)
        ));
    }
    Ok(n)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "constants convert as Go converts them"
)]
fn read_float(n: &mut Number, text: &str) -> Result<(), String> {
    if let Some(int) = n.int {
        n.float = Some(int as f64);
        return Ok(());
    }
    if let Some(uint) = n.uint {
        n.float = Some(uint as f64);
        return Ok(());
    }
    if let Some(f) = float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", crate::fmt::quote(text)));
        }
        n.float = Some(f);
        whole(n, f);
    }
    Ok(())
}

/// A complex constant without an imaginary part is real.
fn simplify(n: &mut Number) {
    if let Some((re, im)) = n.complex
        && im == 0.0
    {
        n.float = Some(re);
        whole(n, re);
    }
}

/// A whole float can be an integer.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked by converting back"
)]
fn whole(n: &mut Number, f: f64) {
    if n.int.is_none() && (f as i64) as f64 == f && f.abs() < 9.3e18 {
        n.int = Some(f as i64);
    }
    if n.uint.is_none() && f >= 0.0 && (f as u64) as f64 == f && f < 1.9e19 {
        n.uint = Some(f as u64);
    }
}

/// The base of an integer literal, its digits without underscores; `None` when an underscore stands wrongly.
fn digits(text: &str) -> Option<(u32, String)> {
    let lower = text.to_ascii_lowercase();
    let (base, body, prefixed) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest, true)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?, true)
    } else {
        (10, lower.as_str(), false)
    };
    clean(body, prefixed).map(|body| (base, body))
}

/// Digits without their underscores, which must stand between digits (or after the prefix).
fn clean(body: &str, prefixed: bool) -> Option<String> {
    let misplaced = body.ends_with('_')
        || body.contains("__")
        || (!prefixed && body.starts_with('_'))
        || body.is_empty();
    (!misplaced && !body.contains(['+', '-'])).then(|| body.replace('_', ""))
}

/// `strconv.ParseUint(text, 0, 64)`
pub(crate) fn unsigned(text: &str) -> Option<u64> {
    let (base, body) = digits(text)?;
    u64::from_str_radix(&body, base).ok()
}

/// `strconv.ParseInt(text, 0, 64)`
pub(crate) fn signed(text: &str) -> Option<i64> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = i128::from(unsigned(body)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `strconv.ParseFloat(text, 64)` for what the lexer lets through.
pub(crate) fn float(text: &str) -> Option<f64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = body.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return hex_float(hex).map(|f| sign * f);
    }
    let digit = |c: Option<&u8>| c.is_some_and(u8::is_ascii_digit);
    let bytes = lower.as_bytes();
    let between = |i: usize| i > 0 && digit(bytes.get(i - 1)) && digit(bytes.get(i + 1));
    let misplaced = lower.match_indices('_').any(|(i, _)| !between(i));
    if misplaced || !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let lower = lower.replace('_', "");
    lower
        .parse::<f64>()
        .ok()
        .filter(|f| f.is_finite())
        .map(|f| sign * f)
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").replace('_', "");
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "fifteen digits are enough for templates"
    )]
    let value = u64::from_str_radix(&digits, 16).ok()? as f64;
    let shift = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(value * 2f64.powi(shift)).filter(|f| f.is_finite())
}
