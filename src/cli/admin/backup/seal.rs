//! Secrets that only the holder of a key can read: AES-256-GCM, each value bound to its Secret and
//! its key, so that none can be put in another's place.

use std::path::Path;

use argosy_engine::object::ObjectExt as _;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::cli::output;
use crate::diagnostic::Diagnostic;

/// Where a sealed Secret has its values instead of in `data`, so that it cannot pass for an open one.
const SEALED: &str = "sealedData";

/// What seals and opens.
pub(super) struct Key(RandomizedNonceKey);

impl Key {
    /// Reads 32 bytes in base64.
    pub(super) fn read(file: &Path) -> Result<Self, Diagnostic> {
        let unusable = |why: &str| {
            Diagnostic::user("KeyUnusable", format!("the key cannot be used: {why}"))
                .at(file.display().to_string())
                .fix("make one with `openssl rand -base64 32 > FILE`")
        };
        let text = output::read(file)?;
        let bytes = BASE64
            .decode(text.trim())
            .map_err(|_| unusable("it is not base64"))?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes);
        key.map(Self)
            .map_err(|_| unusable("it does not have 32 bytes"))
    }

    /// Seals the values of a Secret.
    pub(super) fn seal(&self, secret: &mut Value) -> Result<(), Diagnostic> {
        self.turn(secret, ("data", SEALED), |key, place, mut value| {
            let nonce = key
                .0
                .seal_in_place_append_tag(Aad::from(place), &mut value)
                .map_err(drop)?;
            Ok([nonce.as_ref().as_slice(), &value].concat())
        })
    }

    /// Opens the values of a sealed Secret; an open one stays as it is.
    pub(super) fn open(&self, secret: &mut Value) -> Result<(), Diagnostic> {
        self.turn(secret, (SEALED, "data"), |key, place, value| {
            let (nonce, sealed) = value.split_at_checked(NONCE_LEN).ok_or(())?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(drop)?;
            let mut sealed = sealed.to_vec();
            let open = key.0.open_in_place(nonce, Aad::from(place), &mut sealed);
            Ok(open.map_err(drop)?.to_vec())
        })
    }

    fn turn(
        &self,
        secret: &mut Value,
        (from, to): (&str, &str),
        each: impl Fn(&Self, &[u8], Vec<u8>) -> Result<Vec<u8>, ()>,
    ) -> Result<(), Diagnostic> {
        let name = super::shown(secret);
        let Some(Value::Object(values)) = secret.get_mut(from).map(Value::take) else {
            return Ok(());
        };
        let mut turned = Map::new();
        for (key, value) in values {
            let place = format!("{name}/{key}");
            let value = value.as_str().and_then(|text| BASE64.decode(text).ok());
            let value = value.and_then(|value| each(self, place.as_bytes(), value).ok());
            let value = value.ok_or_else(|| {
                Diagnostic::user("SecretSealed", "a value cannot be sealed or opened")
                    .at(place)
                    .fix("is this the key that the export was sealed with, and the file as it was written?")
            })?;
            turned.insert(key, BASE64.encode(value).into());
        }
        if let Some(fields) = secret.as_object_mut() {
            fields.remove(from);
            fields.insert(to.to_owned(), Value::Object(turned));
        }
        Ok(())
    }
}

/// Whether an object is a Secret.
pub(super) fn is_secret(object: &Value) -> bool {
    object.kind() == "Secret" && object.api_version() == "v1"
}

/// Whether a Secret is sealed.
pub(super) fn is_sealed(secret: &Value) -> bool {
    secret.get(SEALED).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(byte: u8) -> Key {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, BASE64.encode([byte; 32])).unwrap();
        Key::read(&file).unwrap()
    }

    fn secret() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "argocd"},
            "data": {"password": BASE64.encode("hunter2"), "user": BASE64.encode("ada")},
        })
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone() {
        let mut sealed = secret();
        key(1).seal(&mut sealed).unwrap();
        assert!(is_sealed(&sealed) && sealed.get("data").is_none());
        assert!(!sealed.to_string().contains(&BASE64.encode("hunter2")));
        let mut open = sealed.clone();
        key(1).open(&mut open).unwrap();
        assert_eq!(open, secret());
        assert!(key(2).open(&mut sealed.clone()).is_err());
    }

    #[test]
    fn a_value_opens_in_its_own_place_alone() {
        let mut sealed = secret();
        key(1).seal(&mut sealed).unwrap();
        let mut moved = sealed.clone();
        moved["metadata"]["name"] = json!("b");
        assert!(key(1).open(&mut moved).is_err());
        let swapped = sealed[SEALED]["user"].take();
        sealed[SEALED]["password"] = swapped.clone();
        sealed[SEALED]["user"] = swapped;
        assert!(key(1).open(&mut sealed).is_err());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for (text, why) in [("AAAA", "32 bytes"), ("not base64!", "base64")] {
            std::fs::write(&file, text).unwrap();
            let error = Key::read(&file).err().unwrap().one_line();
            assert!(error.contains(why), "{error}");
        }
    }
}
