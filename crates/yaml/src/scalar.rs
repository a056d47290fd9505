//! Says what a scalar means: YAML 1.1 as Kubernetes' library reads it. Never applies a rule of YAML 1.2, and never
//! guesses: what matches no form is text.

use crate::{number, timestamp};

const CORE: &str = "tag:yaml.org,2002:";

/// A value as YAML has it: integers, floats and text apart, before JSON makes them one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above what an `Int` can hold.
    Uint(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Uint(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text(_) => "!!str",
        }
    }
}

/// Reads a scalar with its full tag; `implicit` says that neither quotes nor a tag make it text.
pub(crate) fn resolve(tag: &str, text: &str, implicit: bool) -> Result<Scalar, String> {
    if tag.is_empty() {
        let scalar = if implicit { plain(text) } else { None };
        return Ok(scalar.unwrap_or_else(|| Scalar::Text(text.to_owned())));
    }
    let as_text = || Ok(Scalar::Text(text.to_owned()));
    match tag.strip_prefix(CORE) {
        Some("binary") => binary(text).map(Scalar::Text),
        Some("timestamp") if timestamp::is_timestamp(text) => as_text(),
        Some(kind @ ("bool" | "int" | "float" | "null" | "timestamp")) => typed(kind, text),
        _ => as_text(),
    }
}

/// Whether a text without quotes and tag is something other than text.
pub(crate) fn is_other_than_text(text: &str) -> bool {
    plain(text).is_some()
}

/// A scalar that its tag says to be of a kind must have the form of that kind.
fn typed(kind: &str, text: &str) -> Result<Scalar, String> {
    let scalar = plain(text).unwrap_or_else(|| Scalar::Text(text.to_owned()));
    if scalar.kind().trim_start_matches('!') == kind {
        return Ok(scalar);
    }
    match scalar {
        #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
        Scalar::Int(int) if kind == "float" => Ok(Scalar::Float(int as f64)),
        other => Err(format!("cannot decode {} as a !!{kind}", other.kind())),
    }
}

/// What a plain scalar is other than text. The first character decides which forms are tried.
pub(crate) fn plain(text: &str) -> Option<Scalar> {
    match text.bytes().next() {
        None => Some(Scalar::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text)
        }
        Some(b'.') => special_float(text)
            .or_else(|| number::float(text))
            .map(Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => special_float(text)
            .map(Scalar::Float)
            .or_else(|| number::number(&text.replace('_', ""))),
        Some(_) => None,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => return None,
    })
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Decodes base64; bytes that are no UTF-8 become replacement characters, one each.
fn binary(text: &str) -> Result<String, String> {
    let invalid = || "!!binary value contains invalid base64 data".to_owned();
    let digits: Vec<u8> = text.bytes().filter(|&b| b != b'\n' && b != b'\r').collect();
    if !digits.len().is_multiple_of(4) {
        return Err(invalid());
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for (index, group) in digits.chunks(4).enumerate() {
        let last = (index + 1) * 4 == digits.len();
        let padding = group.iter().rev().take_while(|&&b| b == b'=').count();
        if padding > 2 || (padding > 0 && !last) {
            return Err(invalid());
        }
        let mut bits: u32 = 0;
        for &digit in &group[..4 - padding] {
            bits = (bits << 6) | sextet(digit).ok_or_else(invalid)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    let mut decoded = String::new();
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(decoded)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
