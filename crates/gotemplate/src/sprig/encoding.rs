//! Base64 and base32. Decoding errors are returned as the result, as sprig does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fmt::lossy;
use crate::funcs::FuncMap;

use super::args::text;

pub(super) fn register(m: &mut FuncMap) {
    m.add("b64enc", "string", |a| {
        Ok(STANDARD.encode(text(a, 0)).into())
    });
    m.add("b64dec", "string", |a| {
        Ok(shown(decode64(text(a, 0)), "base64").into())
    });
    m.add("b32enc", "string", |a| {
        Ok(encode32(text(a, 0).as_bytes()).into())
    });
    m.add("b32dec", "string", |a| {
        Ok(shown(decode32(text(a, 0)), "base32").into())
    });
}

fn shown(decoded: Result<Vec<u8>, usize>, name: &str) -> String {
    match decoded {
        Ok(bytes) => lossy(&bytes),
        Err(at) => format!("illegal {name} data at input byte {at}"),
    }
}

fn value64(c: u8) -> Option<u32> {
    Some(u32::from(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Decodes as Go does, newlines skipped; the error is the position of the first wrong byte.
pub(super) fn decode64(text: &str) -> Result<Vec<u8>, usize> {
    let bytes: Vec<(usize, u8)> = text
        .bytes()
        .enumerate()
        .filter(|(_, b)| !matches!(b, b'\r' | b'\n'))
        .collect();
    let end = text.len();
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut at = 0;
    while at < bytes.len() {
        let mut bits = 0;
        let mut count = 0;
        while count < 4 {
            let Some((pos, c)) = bytes.get(at).copied() else {
                return Err(end - count);
            };
            at += 1;
            if let Some(value) = value64(c) {
                bits = bits << 6 | value;
                count += 1;
                continue;
            }
            if c != b'=' || count < 2 {
                return Err(pos);
            }
            if count == 2 {
                match bytes.get(at) {
                    None => return Err(end),
                    Some((_, b'=')) => at += 1,
                    Some((pos, _)) => return Err(pos - 1),
                }
            }
            if let Some((pos, _)) = bytes.get(at) {
                return Err(*pos);
            }
            break;
        }
        bits <<= 6 * (4 - count);
        let three = bits.to_be_bytes();
        out.extend_from_slice(three.get(1..count).unwrap_or_default());
    }
    Ok(out)
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits =
            chunk.iter().fold(0u64, |bits, b| bits << 8 | u64::from(*b)) << (8 * (5 - chunk.len()));
        let used = (chunk.len() * 8).div_ceil(5);
        for i in 0..8 {
            let index = usize::try_from(bits >> (35 - 5 * i) & 31).unwrap_or(0);
            let c = ALPHABET
                .get(index)
                .filter(|_| i < used)
                .copied()
                .unwrap_or(b'=');
            out.push(char::from(c));
        }
    }
    out
}

/// Decodes as Go does, newlines removed beforehand.
fn decode32(text: &str) -> Result<Vec<u8>, usize> {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    let total = bytes.len();
    let mut out = Vec::with_capacity(total / 8 * 5);
    let mut at = 0;
    while at < total {
        let mut bits = 0u64;
        let mut count = 0;
        let mut ended = false;
        while count < 8 && !ended {
            let Some(c) = bytes.get(at).copied() else {
                return Err(total - count);
            };
            at += 1;
            let left = total - at;
            if c == b'=' && count >= 2 && left < 8 {
                padding(&bytes, at, count)?;
                ended = true;
            } else {
                let value = ALPHABET.iter().position(|a| *a == c).ok_or(at - 1)?;
                bits = bits << 5 | u64::try_from(value).unwrap_or(0);
                count += 1;
            }
        }
        bits <<= 5 * (8 - count);
        let five = bits.to_be_bytes();
        out.extend_from_slice(five.get(3..3 + count * 5 / 8).unwrap_or_default());
        if ended {
            break;
        }
    }
    Ok(out)
}

/// Checks the padding that follows `count` characters of the last group; `at` is behind the first sign.
fn padding(bytes: &[u8], at: usize, count: usize) -> Result<(), usize> {
    let left = bytes.len() - at;
    if left + count < 7 {
        return Err(bytes.len());
    }
    for k in 0..7 - count {
        if bytes.get(at + k).is_some_and(|c| *c != b'=') {
            return Err(at + k - 1);
        }
    }
    if matches!(count, 1 | 3 | 6) {
        Err(at - 1)
    } else {
        Ok(())
    }
}
