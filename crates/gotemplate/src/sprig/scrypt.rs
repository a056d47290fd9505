//! The scrypt key derivation (RFC 7914) over HMAC-SHA256, for derived passwords.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// HMAC-SHA256.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // Keys of any length are fine, so that this cannot fail.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |mut mac| {
        mac.update(message);
        mac.finalize().into_bytes().into()
    })
}

/// PBKDF2 with one round.
fn pbkdf2(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    let mut block: u32 = 1;
    while out.len() < length {
        out.extend_from_slice(&hmac(password, &[salt, &block.to_be_bytes()].concat()));
        block += 1;
    }
    out.truncate(length);
    out
}

fn salsa(block: &mut [u32; 16]) {
    const ROUNDS: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [5, 9, 13, 1],
        [10, 14, 2, 6],
        [15, 3, 7, 11],
        [0, 1, 2, 3],
        [5, 6, 7, 4],
        [10, 11, 8, 9],
        [15, 12, 13, 14],
    ];
    let mut x = *block;
    for _ in 0..4 {
        for [a, b, c, d] in ROUNDS {
            x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
            x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
            x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
            x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
        }
    }
    for (word, mixed) in block.iter_mut().zip(x) {
        *word = word.wrapping_add(mixed);
    }
}

/// One mix over blocks of 16 words; even blocks come first in the result.
fn block_mix(blocks: &[u32]) -> Vec<u32> {
    let mut x = [0; 16];
    x.copy_from_slice(&blocks[blocks.len() - 16..]);
    let half = blocks.len() / 2;
    let mut out = vec![0; blocks.len()];
    for (i, block) in blocks.chunks_exact(16).enumerate() {
        x.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
        salsa(&mut x);
        let at = i / 2 * 16 + if i % 2 == 0 { 0 } else { half };
        out[at..at + 16].copy_from_slice(&x);
    }
    out
}

/// scrypt with cost `n` (a power of two), block size `r` and parallelism `p`.
pub(super) fn scrypt(
    password: &[u8],
    salt: &[u8],
    n: usize,
    r: usize,
    p: usize,
    length: usize,
) -> Vec<u8> {
    let mut derived = pbkdf2(password, salt, p * 128 * r);
    for part in derived.chunks_exact_mut(128 * r) {
        let mut x: Vec<u32> = part
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let mut memory = Vec::with_capacity(n);
        for _ in 0..n {
            let next = block_mix(&x);
            memory.push(std::mem::replace(&mut x, next));
        }
        for _ in 0..n {
            let index = usize::try_from(x[x.len() - 16]).unwrap_or(0) & (n - 1);
            x.iter_mut().zip(&memory[index]).for_each(|(a, b)| *a ^= b);
            x = block_mix(&x);
        }
        for (bytes, word) in part.chunks_exact_mut(4).zip(x) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }
    pbkdf2(password, &derived, length)
}
