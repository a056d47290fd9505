//! Uids, generated names, addresses and service account tokens: all from the seed, so that a run
//! repeats, and through a hash, so that nothing given out tells what comes next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The source of everything that would be random.
#[derive(Debug)]
pub(crate) struct Identity {
    seed: u64,
    given: u64,
}

impl Identity {
    pub(super) fn new(seed: u64, given: u64) -> Self {
        Self { seed, given }
    }

    pub(super) fn given(&self) -> u64 {
        self.given
    }

    fn next(&mut self) -> [u8; 32] {
        self.given += 1;
        self.hash(&["next", &self.given.to_string()])
    }

    fn hash(&self, parts: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    /// A version 4 UUID.
    pub(crate) fn uid(&mut self) -> String {
        let b = self.next();
        let hex = |bytes: &[u8]| -> String {
            let digit = |b: u8| char::from_digit(u32::from(b), 16).unwrap_or('0');
            bytes
                .iter()
                .flat_map(|b| [digit(b >> 4), digit(b & 15)])
                .collect()
        };
        let third = [b[6] & 0x0f | 0x40, b[7]];
        let fourth = [b[8] & 0x3f | 0x80, b[9]];
        [&b[..4], &b[4..6], &third, &fourth, &b[10..16]]
            .map(hex)
            .join("-")
    }

    /// Five characters as the server appends to `generateName`.
    pub(crate) fn suffix(&mut self) -> String {
        let bytes = self.next();
        bytes[..5]
            .iter()
            .map(|b| ALPHABET[usize::from(*b) % ALPHABET.len()] as char)
            .collect()
    }

    /// Two numbers for an address.
    pub(crate) fn address(&mut self) -> (u8, u8) {
        let bytes = self.next();
        (bytes[0], bytes[1].clamp(2, 254))
    }

    /// A signed token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let head = BASE64.encode(r#"{"alg":"HS256","kid":"sim"}"#);
        let body = BASE64.encode(claims.to_string());
        let signature = BASE64.encode(self.hash(&["token", &head, &body]));
        format!("{head}.{body}.{signature}")
    }

    /// The claims of a token signed here, `None` for any other.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, body) = signed.split_once('.')?;
        let wanted = BASE64.encode(self.hash(&["token", head, body]));
        // Comparing hashes of both leaks nothing about the wanted one by its timing.
        if self.hash(&["compare", &wanted]) != self.hash(&["compare", signature]) {
            return None;
        }
        serde_json::from_slice(&BASE64.decode(body).ok()?).ok()
    }
}
