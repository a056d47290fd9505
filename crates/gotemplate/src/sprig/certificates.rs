//! Certificates, with keys that are new each time a template runs.
//!
//! What they say is decided by their arguments and the time that the template is told; their keys
//! and serial numbers come from the system's source of chance.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, RsaKeySize, SanType, SerialNumber,
};
use serde_json::{Value as Json, json};
use time::OffsetDateTime;

use crate::error::FuncError;
use crate::fmt::print;
use crate::funcs::FuncMap;
use crate::meter::Meter;
use crate::value::{Opaque, Value};

use super::Seams;
use super::args::{Answer, any, fail, int, items, text};
use super::encoding::decode64;
use super::keys::Key;
use super::x509::Signer;

/// Sprig's struct of a certificate and its key, both PEM.
#[derive(Debug)]
struct Certificate {
    cert: String,
    key: String,
}

pub(super) fn register(m: &mut FuncMap, seams: &Seams) {
    m.add_metered("genPrivateKey", "string", |a, meter| {
        let kind = text(a, 0);
        Ok(match Key::generate(kind, meter)? {
            Some(key) => key.pem.into(),
            None => format!("Unknown type {kind}").into(),
        })
    });
    m.add("buildCustomCert", "string,string", |a| {
        custom(text(a, 0), text(a, 1))
    });
    let made: [(&str, &str, Kind); 3] = [
        ("genCA", "string,int", Kind::Authority),
        (
            "genSelfSignedCert",
            "string,list,list,int",
            Kind::SelfSigned,
        ),
        (
            "genSignedCert",
            "string,list,list,int,certificate",
            Kind::Signed,
        ),
    ];
    for (name, params, kind) in made {
        let now = Arc::clone(&seams.now);
        m.add_metered(name, params, move |a, meter| {
            let key = |meter: &mut Meter| Key::rsa(RsaKeySize::_2048, meter);
            kind.make(a, now(), || key(meter))
        });
        let now = Arc::clone(&seams.now);
        let with_key = format!("{name}WithKey");
        m.add(&with_key, &format!("{params},string"), move |a| {
            let key = || {
                let parsed = Key::parse(text(a, a.len() - 1));
                parsed.map_err(|error| FuncError::new(format!("parsing private key: {error}")))
            };
            kind.make(a, now(), key)
        });
    }
}

/// Which function makes a certificate.
#[derive(Clone, Copy)]
enum Kind {
    Authority,
    SelfSigned,
    Signed,
}

impl Kind {
    fn make(
        self,
        args: &[Value],
        now: Timestamp,
        key: impl FnOnce() -> Result<Key, FuncError>,
    ) -> Answer {
        let name = text(args, 0);
        match self {
            Self::Authority => {
                let key = key()?;
                let mut params = params(name, &[], &[], int(args, 1), now)?;
                params.key_usages.push(KeyUsagePurpose::KeyCertSign);
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                signed_by_itself(&params, key)
            }
            Self::SelfSigned => {
                let key = key()?;
                let (ips, names) = (list(args, 1)?, list(args, 2)?);
                signed_by_itself(&params(name, ips, names, int(args, 3), now)?, key)
            }
            Self::Signed => {
                let key = key()?;
                let (ips, names) = (list(args, 1)?, list(args, 2)?);
                let mut params = params(name, ips, names, int(args, 3), now)?;
                let Some(authority) = any(args, 4).downcast::<Certificate>() else {
                    return fail("unable to decode certificate");
                };
                let signer = signer("decodedSignerCert.Bytes", &authority.cert)?;
                params.use_authority_key_identifier_extension = signer.has_key_identifier();
                let of_authority = Key::parse(&authority.key).map_err(|error| {
                    FuncError::new(format!("error parsing private key: {error}"))
                })?;
                let made = params.signed_by(&key.pair, &signer.issuer(of_authority.pair));
                made.map_or_else(
                    |error| cannot_make(&error),
                    |made| Ok(value(made.pem(), key.pem)),
                )
            }
        }
    }
}

fn signed_by_itself(params: &CertificateParams, key: Key) -> Answer {
    let made = params.self_signed(&key.pair);
    made.map_or_else(
        |error| cannot_make(&error),
        |made| Ok(value(made.pem(), key.pem)),
    )
}

fn cannot_make<T>(error: &rcgen::Error) -> Result<T, FuncError> {
    fail(format!("error creating certificate: {error}"))
}

fn value(cert: String, key: String) -> Value {
    Value::Opaque(Arc::new(Certificate { cert, key }))
}

/// A list, which may be nil.
fn list(args: &[Value], i: usize) -> Result<&[Value], FuncError> {
    match any(args, i) {
        nil if nil.is_nil() => Ok(&[]),
        list => items(list, "list"),
    }
}

/// What sprig says in every certificate.
fn params(
    name: &str,
    ips: &[Value],
    names: &[Value],
    days: i64,
    now: Timestamp,
) -> Result<CertificateParams, FuncError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if !name.is_empty() {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let ips: Vec<_> = ips.iter().map(address).collect::<Result<_, _>>()?;
    let names = names.iter().map(dns_name);
    params.subject_alt_names = names
        .chain(ips.into_iter().map(Ok))
        .collect::<Result<_, _>>()?;
    let until = days
        .checked_mul(24)
        .and_then(|hours| now.checked_add(hours.hours()).ok());
    let until = until.and_then(|until| OffsetDateTime::from_unix_timestamp(until.as_second()).ok());
    let since = OffsetDateTime::from_unix_timestamp(now.as_second()).ok();
    let (Some(since), Some(until)) = (since, until) else {
        return fail(format!("a certificate cannot last for {days} days"));
    };
    params.not_before = since;
    params.not_after = until;
    params.serial_number = Some(serial_number()?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

/// 127 random bits, as much as a positive number of 16 bytes holds.
fn serial_number() -> Result<SerialNumber, FuncError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| FuncError::new("failed to generate serial number"))?;
    bytes[0] &= 0x7f;
    Ok(SerialNumber::from_slice(&bytes))
}

fn address(value: &Value) -> Result<SanType, FuncError> {
    let Some(text) = value.as_str() else {
        return fail(format!(
            "error parsing ip: {} is not a string",
            print(value)
        ));
    };
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => fail(format!("error parsing ip: {text}")),
    }
}

fn dns_name(value: &Value) -> Result<SanType, FuncError> {
    let Some(text) = value.as_str() else {
        return fail(format!(
            "error processing alternate dns name: {} is not a string",
            print(value)
        ));
    };
    text.try_into().map(SanType::DnsName).or_else(|_| {
        fail(format!(
            "error creating certificate: x509: {text:?} cannot be encoded as an IA5String"
        ))
    })
}

/// A certificate and key of somebody's own, in base64.
fn custom(cert: &str, key: &str) -> Answer {
    let Ok(cert) = decode64(cert) else {
        return fail("unable to decode base64 certificate");
    };
    let Ok(key) = decode64(key) else {
        return fail("unable to decode base64 private key");
    };
    let (Ok(cert), Ok(key)) = (String::from_utf8(cert), String::from_utf8(key)) else {
        return fail("unable to decode certificate");
    };
    signer("decodedCert.Bytes", &cert)?;
    match pem::parse(&key) {
        Err(_) => fail("unable to decode key"),
        Ok(_) => match Key::parse(&key) {
            Ok(_) => Ok(value(cert, key)),
            Err(error) => fail(format!("error parsing private key: {error}")),
        },
    }
}

/// What a certificate says of who signs with it.
fn signer(what: &str, cert: &str) -> Result<Signer, FuncError> {
    let Ok(block) = pem::parse(cert) else {
        return fail("unable to decode certificate");
    };
    Signer::read(block.contents())
        .map_err(|error| FuncError::new(format!("error parsing certificate: {what}: {error}")))
}

impl Opaque for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn text(&self) -> String {
        format!("{{{} {}}}", self.cert, self.key)
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Answer> {
        let field = match name {
            "Cert" => &self.cert,
            "Key" => &self.key,
            _ => return None,
        };
        Some(if args.is_empty() {
            Ok(field.as_str().into())
        } else {
            fail(format!(
                "{name} has arguments but cannot be invoked as function"
            ))
        })
    }

    fn to_json(&self) -> Json {
        json!({"Cert": self.cert, "Key": self.key})
    }
}
