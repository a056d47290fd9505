//! Private keys as PEM, in the forms that Go writes.
//!
//! They come from the system's source of chance and never from [`Random`](super::Random), whose
//! seed is no secret: a key that a seed decides could be made again by anybody.

use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair,
};
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use rustls_pki_types::PrivateKeyDer;

use crate::error::FuncError;
use crate::meter::Meter;

use super::args::fail;
use super::x509::private_key_in;

/// What making a key costs a template: a step is about the time of a node.
const STEPS_OF_RSA_2048: u64 = 60_000;
const STEPS_OF_RSA_4096: u64 = 400_000;
const STEPS_OF_A_CURVE: u64 = 500;

/// A private key.
pub(super) struct Key {
    /// What signs.
    pub(super) pair: KeyPair,
    /// What Go would write.
    pub(super) pem: String,
}

impl Key {
    /// A new key of a kind that sprig knows; `None` if it does not.
    pub(super) fn generate(kind: &str, meter: &mut Meter) -> Result<Option<Self>, FuncError> {
        let made = match kind {
            "" | "rsa" => Self::rsa(RsaKeySize::_4096, meter),
            "ecdsa" => {
                meter.charge(STEPS_OF_A_CURVE)?;
                KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
                    .map_err(|error| failed(&error))
                    .and_then(|pair| Self::made(&pair))
            }
            "ed25519" => {
                meter.charge(STEPS_OF_A_CURVE)?;
                KeyPair::generate_for(&PKCS_ED25519)
                    .map_err(|error| failed(&error))
                    .and_then(|pair| Self::made(&pair))
            }
            "dsa" => fail(
                "DSA keys are not made: nothing that is still maintained accepts them; use rsa, ecdsa or ed25519",
            ),
            _ => return Ok(None),
        };
        made.map(Some)
    }

    /// A new RSA key.
    pub(super) fn rsa(size: RsaKeySize, meter: &mut Meter) -> Result<Self, FuncError> {
        meter.charge(match size {
            RsaKeySize::_2048 => STEPS_OF_RSA_2048,
            _ => STEPS_OF_RSA_4096,
        })?;
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size);
        Self::made(&pair.map_err(|error| failed(&error))?)
    }

    fn made(pair: &KeyPair) -> Result<Self, FuncError> {
        let der = PrivateKeyDer::Pkcs8(pair.serialized_der().into());
        Self::of(&der)
            .map_err(|why| FuncError::new(format!("failed to generate private key: {why}")))
    }

    /// The key in a text.
    pub(super) fn parse(text: &str) -> Result<Self, FuncError> {
        let Ok(block) = pem::parse(text) else {
            return fail("no PEM data in input");
        };
        let bytes = block.contents();
        let (der, doing) = match block.tag() {
            "PRIVATE KEY" => (PrivateKeyDer::Pkcs8(bytes.into()), "decoding PEM as PKCS#8"),
            "RSA PRIVATE KEY" => {
                let doing = "parsing RSA private key from PEM";
                (PrivateKeyDer::Pkcs1(bytes.into()), doing)
            }
            "EC PRIVATE KEY" => {
                let doing = "parsing EC private key from PEM";
                (PrivateKeyDer::Sec1(bytes.into()), doing)
            }
            tag => {
                return fail(match tag.strip_suffix(" PRIVATE KEY") {
                    Some(kind) => format!("invalid private key type {kind}"),
                    None => format!("no private key data in PEM block of type {tag}"),
                });
            }
        };
        Self::of(&der).map_err(|why| FuncError::new(format!("{doing}: {why}")))
    }

    fn of(der: &PrivateKeyDer<'_>) -> Result<Self, String> {
        let pair = KeyPair::try_from(der).map_err(|error| error.to_string())?;
        let unreadable = || "the key cannot be read".to_owned();
        let bytes = der.secret_der();
        let pem = if pair.is_compatible(&PKCS_RSA_SHA256) {
            let inner = match der {
                PrivateKeyDer::Pkcs8(_) => private_key_in(bytes).map_err(|_| unreadable())?,
                _ => bytes.to_vec(),
            };
            written("RSA PRIVATE KEY", inner)
        } else if pair.is_compatible(&PKCS_ED25519) {
            let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes);
            let key = key.ok().and_then(|key| key.to_pkcs8v1().ok());
            let key = key.ok_or_else(unreadable)?;
            written("PRIVATE KEY", key.as_ref().to_vec())
        } else {
            written("EC PRIVATE KEY", named_curve(bytes).ok_or_else(unreadable)?)
        };
        Ok(Self { pair, pem })
    }
}

fn failed(error: &rcgen::Error) -> FuncError {
    FuncError::new(format!("failed to generate private key: {error}"))
}

/// A key of an elliptic curve together with the curve's name.
fn named_curve(der: &[u8]) -> Option<Vec<u8>> {
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let mut keys = curves.into_iter();
    let key = keys.find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok())?;
    let key: EcPrivateKeyRfc5915Der<'_> = key.private_key().as_der().ok()?;
    Some(key.as_ref().to_vec())
}

/// A block of PEM as Go writes it.
fn written(tag: &str, bytes: Vec<u8>) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new(tag, bytes), config)
}
