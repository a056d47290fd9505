//! Hashes, passwords and symmetric encryption.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::error::FuncError;
use crate::fmt::lossy;
use crate::funcs::FuncMap;
use crate::meter::Meter;
use crate::value::Value;

use super::args::{Answer, fail, int, text};
use super::encoding::decode64;
use super::random::Random;
use super::scrypt;

pub(super) fn register(m: &mut FuncMap, source: &Random) {
    m.add("sha1sum", "string", |a| Ok(hex::<Sha1>(text(a, 0)).into()));
    m.add("sha256sum", "string", |a| {
        Ok(hex::<Sha256>(text(a, 0)).into())
    });
    m.add("sha512sum", "string", |a| {
        Ok(hex::<Sha512>(text(a, 0)).into())
    });
    m.add("adler32sum", "string", |a| {
        Ok(adler32(text(a, 0).as_bytes()).to_string().into())
    });
    m.add_metered(
        "derivePassword",
        "int,string,string,string,string",
        |a, meter| {
            meter.charge(STEPS_TO_DERIVE)?;
            derive_password(a)
        },
    );
    let salts = source.clone();
    m.add_metered("bcrypt", "string", move |a, meter| {
        Ok(bcrypt(text(a, 0), &salts, meter)?.into())
    });
    let salts = source.clone();
    m.add_metered("htpasswd", "string,string", move |a, meter| {
        let user = text(a, 0);
        if user.contains(':') {
            return Ok(format!("invalid username: {user}").into());
        }
        Ok(format!("{user}:{}", bcrypt(text(a, 1), &salts, meter)?).into())
    });
    let vectors = source.clone();
    m.add("encryptAES", "string,string", move |a| {
        let mut iv = [0; 16];
        iv.copy_from_slice(&vectors.bytes(16));
        let cipher = cbc::Encryptor::<Aes256>::new(&key(text(a, 0)).into(), &iv.into());
        let encrypted = cipher.encrypt_padded_vec_mut::<Pkcs7>(text(a, 1).as_bytes());
        Ok(STANDARD.encode([iv.as_slice(), &encrypted].concat()).into())
    });
    m.add("decryptAES", "string,string", |a| {
        decrypt(text(a, 0), text(a, 1)).map(Value::from)
    });
}

fn hex<D: Digest>(text: &str) -> String {
    let mut out = String::new();
    for b in D::digest(text.as_bytes()) {
        out.push_str(&format!("{b:02x}"));
    }
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    b << 16 | a
}

/// Slow on purpose: a tenth of a second, of which a template may take a few.
const STEPS_TO_DERIVE: u64 = 40_000;

fn bcrypt(password: &str, source: &Random, meter: &mut Meter) -> Result<String, FuncError> {
    const COST: u32 = 10;
    if password.len() > 72 {
        return Ok(
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
                .to_owned(),
        );
    }
    meter.charge(STEPS_TO_DERIVE)?;
    let mut salt = [0; 16];
    salt.copy_from_slice(&source.bytes(16));
    Ok(match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    })
}

/// The password as a key: cut or filled with zeros to 32 bytes.
fn key(password: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.iter_mut()
        .zip(password.bytes())
        .for_each(|(k, b)| *k = b);
    key
}

fn decrypt(password: &str, encrypted: &str) -> Result<String, FuncError> {
    if encrypted.is_empty() {
        return Ok(String::new());
    }
    let Ok(bytes) = decode64(encrypted) else {
        return fail("illegal base64 data");
    };
    let Some((iv, body)) = bytes.split_first_chunk::<16>() else {
        return fail("the encrypted text is shorter than its initial vector");
    };
    let cipher = cbc::Decryptor::<Aes256>::new(&key(password).into(), iv.into());
    match cipher.decrypt_padded_vec_mut::<Pkcs7>(body) {
        Ok(plain) => Ok(lossy(&plain)),
        Err(_) => fail("the text cannot be decrypted with this password"),
    }
}

/// The shapes of passwords for a type, by the classes of their characters.
fn shapes(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(c: u8) -> &'static [u8] {
    match c {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm.
fn derive_password(args: &[Value]) -> Answer {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    let Ok(counter) = u32::try_from(int(args, 0)) else {
        return fail("expected unsigned integer");
    };
    let (kind, password, user, site) = (text(args, 1), text(args, 2), text(args, 3), text(args, 4));
    let Some(shapes) = shapes(kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    let length = |s: &str| u32::try_from(s.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SCOPE, &length(user), user.as_bytes()].concat();
    let key = scrypt::scrypt(password.as_bytes(), &salt, 32_768, 8, 2, 64);
    let seed = scrypt::hmac(
        &key,
        &[
            SCOPE,
            &length(site),
            site.as_bytes(),
            &counter.to_be_bytes(),
        ]
        .concat(),
    );
    let shape = shapes
        .get(usize::from(seed[0]) % shapes.len())
        .copied()
        .unwrap_or_default();
    let pick = |(c, seed): (u8, &u8)| {
        class(c)
            .get(usize::from(*seed) % class(c).len())
            .map_or('0', |b| char::from(*b))
    };
    Ok(shape
        .bytes()
        .zip(seed.iter().skip(1))
        .map(pick)
        .collect::<String>()
        .into())
}
