//! Random texts and numbers, from one generator whose seed comes from outside.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::error::FuncError;
use crate::funcs::FuncMap;

use super::args::{Answer, bounded, count, fail, int, text};

/// Where random functions draw from: one generator, shared by all functions of a map.
///
/// There is no randomness in here: equal seeds give equal sequences, so that a template gives the same text again for
/// as long as its user seeds alike.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<StdRng>>);

/// Parts of the names of all functions that draw from [`Random`]: a text with none of them calls none.
pub const RANDOM_NAMES: [&str; 7] = [
    "rand",
    "shuffle",
    "uuidv4",
    "bcrypt",
    "htpasswd",
    "encryptAES",
    "gen",
];

impl Random {
    /// A generator with this seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_seed(seed))))
    }

    /// Begins the sequence of another seed, for everybody who shares the generator.
    pub fn reseed(&self, seed: [u8; 32]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = StdRng::from_seed(seed);
    }

    /// A number from 0 up to but without `end`.
    pub(super) fn below(&self, end: usize) -> usize {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if end == 0 {
            0
        } else {
            rng.random_range(0..end)
        }
    }

    pub(super) fn bytes(&self, count: usize) -> Vec<u8> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (0..count).map(|_| rng.random()).collect()
    }

    fn text(&self, length: i64, alphabet: &[u8]) -> Result<String, FuncError> {
        // Sprig ignores the error that a negative length is.
        let length = usize::try_from(length).unwrap_or(0);
        bounded(Some(length))?;
        let pick = |_| {
            alphabet
                .get(self.below(alphabet.len()))
                .map_or('0', |b| char::from(*b))
        };
        Ok((0..length).map(pick).collect())
    }
}

pub(super) fn register(m: &mut FuncMap, source: &Random) {
    let ascii: Vec<u8> = (b' '..=b'~').collect();
    let alphabets: [(&str, Vec<u8>); 4] = [
        ("randAscii", ascii.clone()),
        (
            "randAlphaNum",
            ascii
                .iter()
                .copied()
                .filter(u8::is_ascii_alphanumeric)
                .collect(),
        ),
        (
            "randAlpha",
            ascii
                .iter()
                .copied()
                .filter(u8::is_ascii_alphabetic)
                .collect(),
        ),
        ("randNumeric", (b'0'..=b'9').collect()),
    ];
    for (name, alphabet) in alphabets {
        let source = source.clone();
        m.add(name, "int", move |a| {
            Ok(source.text(int(a, 0), &alphabet)?.into())
        });
    }
    let numbers = source.clone();
    m.add("randInt", "int,int", move |a| {
        random_int(&numbers, int(a, 0), int(a, 1))
    });
    let bytes = source.clone();
    m.add("randBytes", "int", move |a| {
        let length = count(int(a, 0))?;
        bounded(Some(length))?;
        Ok(base64::engine::general_purpose::STANDARD
            .encode(bytes.bytes(length))
            .into())
    });
    let shuffled = source.clone();
    m.add("shuffle", "string", move |a| {
        let mut chars: Vec<char> = text(a, 0).chars().collect();
        for i in (1..chars.len()).rev() {
            chars.swap(i, shuffled.below(i + 1));
        }
        Ok(chars.into_iter().collect::<String>().into())
    });
    let uuids = source.clone();
    m.add("uuidv4", "", move |_| Ok(uuid(uuids.bytes(16)).into()));
}

fn random_int(source: &Random, least: i64, end: i64) -> Answer {
    match end.checked_sub(least).and_then(|n| usize::try_from(n).ok()) {
        Some(span) if span > 0 => {
            let offset = i64::try_from(source.below(span)).unwrap_or(0);
            Ok(crate::Value::Int(least + offset))
        }
        _ => fail("invalid argument to Intn"),
    }
}

fn uuid(mut bytes: Vec<u8>) -> String {
    if let Some(version) = bytes.get_mut(6) {
        *version = *version & 0x0f | 0x40;
    }
    if let Some(variant) = bytes.get_mut(8) {
        *variant = *variant & 0x3f | 0x80;
    }
    let mut out = String::with_capacity(36);
    for (i, b) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{b:02x}");
    }
    out
}
