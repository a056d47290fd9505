//! A live object in few bytes.
//!
//! What an API server says of a Deployment takes three kilobytes, most of them the names of fields
//! that it says again of each. Nothing here decides what is kept.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;
use zstd::bulk::{Compressor, Decompressor};

/// What is smaller stays as it is.
const SMALL: usize = 512;

/// The quickest: what is kept is unpacked with each reconcile, and packed with each event.
const LEVEL: i32 = 1;

/// How many bytes at the front say how many there are unpacked; 0 for those that are not packed.
const HEAD: usize = size_of::<u32>();

thread_local! {
    // Each takes some 100 KiB, which is too much to be made anew for every object.
    static PACK: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
    static UNPACK: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

/// An object, packed.
pub(super) fn pack(object: &Value) -> Option<Arc<[u8]>> {
    let plain = serde_json::to_vec(object).ok()?;
    let packed = compressed(&plain).unwrap_or_else(|| [&[0; HEAD], plain.as_slice()].concat());
    Some(packed.into())
}

/// The object that was packed.
pub(super) fn unpack(packed: &[u8]) -> Option<Value> {
    let (head, rest) = packed.split_first_chunk::<HEAD>()?;
    match usize::try_from(u32::from_le_bytes(*head)).ok()? {
        0 => serde_json::from_slice(rest).ok(),
        size => {
            let plain =
                UNPACK.with_borrow_mut(|unpack| unpack.as_mut()?.decompress(rest, size).ok())?;
            serde_json::from_slice(&plain).ok()
        }
    }
}

fn compressed(plain: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(plain.len()).ok()?;
    if plain.len() < SMALL {
        return None;
    }
    let packed = PACK.with_borrow_mut(|pack| pack.as_mut()?.compress(plain).ok())?;
    Some([size.to_le_bytes().as_slice(), &packed].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_was_and_takes_less() {
        let small = json!({"kind": "ConfigMap", "data": {"a": "1"}});
        assert_eq!(unpack(&pack(&small).unwrap()), Some(small));
        let ports: Vec<_> = (0..100)
            .map(|port| json!({"name": "http", "containerPort": port}))
            .collect();
        let big = json!({"kind": "Deployment", "spec": {"ports": ports}});
        let packed = pack(&big).unwrap();
        assert!(packed.len() < big.to_string().len() / 4, "{}", packed.len());
        assert_eq!(unpack(&packed), Some(big));
    }

    #[test]
    fn what_is_broken_is_no_object() {
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(b"\0\0\0\0{"), None);
        assert_eq!(unpack(b"\xff\0\0\0nothing"), None);
    }
}
