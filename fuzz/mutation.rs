//! Bytes for tests that have no fuzzer: what is well-formed, with a few places changed.

/// A change at a place: which kind, where, and a byte or length for it.
pub(super) type Change = (u8, u16, u8);

/// `seed` with all changes, one after the other.
pub(super) fn mutated(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for &(kind, place, byte) in changes {
        let at = usize::from(place) % (bytes.len() + 1);
        let end = bytes.len().min(at + usize::from(byte % 16));
        match kind % 5 {
            0 => bytes.insert(at, byte),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            _ => {
                if let Some(old) = bytes.get_mut(at) {
                    *old ^= 1 << (byte % 8);
                }
            }
        }
    }
    bytes
}
