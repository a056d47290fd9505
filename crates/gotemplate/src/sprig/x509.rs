//! What an issuer's certificate says that stands in what it signs: its name and the mark of its key.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "yasna's methods cannot be passed by name: they are of one lifetime"
)]

use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyIdMethod, KeyPair};
use yasna::models::ObjectIdentifier;
use yasna::tags::{TAG_BMPSTRING, TAG_IA5STRING, TAG_PRINTABLESTRING, TAG_UTF8STRING};
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag};

/// The extension that marks a certificate's key.
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];

/// A certificate, as far as it matters for what it signs.
pub(super) struct Signer {
    subject: DistinguishedName,
    key_identifier: Option<Vec<u8>>,
}

impl Signer {
    /// Reads a certificate.
    pub(super) fn read(der: &[u8]) -> ASN1Result<Self> {
        yasna::parse_der(der, |reader| {
            reader.read_sequence(|whole| {
                let signer = whole.next().read_sequence(to_be_signed)?;
                skip_rest(whole)?;
                Ok(signer)
            })
        })
    }

    /// Whether what it signs can name its key.
    pub(super) fn has_key_identifier(&self) -> bool {
        self.key_identifier.is_some()
    }

    /// The one who signs with the certificate's key.
    pub(super) fn issuer(self, key: KeyPair) -> Issuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject;
        let identifier = self.key_identifier.unwrap_or_default();
        params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        Issuer::new(params, key)
    }
}

fn to_be_signed(fields: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Signer> {
    let explicit = |number| Tag::context(number);
    fields.read_optional(|version| version.read_tagged(explicit(0), |reader| reader.read_i64()))?;
    for _serial_algorithm_issuer_validity in 0..4 {
        fields.next().read_der()?;
    }
    let subject = name(fields.next())?;
    let _key = fields.next().read_der()?;
    for unique_identifier in [1, 2] {
        let tag = explicit(unique_identifier);
        fields.read_optional(|id| {
            id.read_tagged_implicit(tag, |reader| reader.read_bitvec_bytes())
        })?;
    }
    let mut key_identifier = None;
    fields.read_optional(|reader| {
        reader.read_tagged(explicit(3), |all| {
            all.read_sequence_of(|extension| {
                if let Some(found) = extension.read_sequence(key_identifier_in)? {
                    key_identifier = Some(found);
                }
                Ok(())
            })
        })
    })?;
    Ok(Signer {
        subject,
        key_identifier,
    })
}

fn key_identifier_in(extension: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Option<Vec<u8>>> {
    let id = extension.next().read_oid()?;
    extension.read_optional(|reader| reader.read_bool())?;
    let value = extension.next().read_bytes()?;
    if *id.components() != SUBJECT_KEY_IDENTIFIER {
        return Ok(None);
    }
    yasna::parse_der(&value, |reader| reader.read_bytes()).map(Some)
}

fn name(reader: BERReader<'_, '_>) -> ASN1Result<DistinguishedName> {
    let mut name = DistinguishedName::new();
    reader.read_sequence_of(|relative| {
        relative.read_set_of(|attribute| {
            attribute.read_sequence(|attribute| {
                let id: ObjectIdentifier = attribute.next().read_oid()?;
                let kind = DnType::CustomDnType(id.components().clone());
                // A name has one value of a kind here, and a shorter one would be somebody else's.
                if name.get(&kind).is_some() {
                    return Err(ASN1Error::new(ASN1ErrorKind::Extra));
                }
                name.push(kind, value(attribute.next())?);
                Ok(())
            })
        })
    })?;
    Ok(name)
}

fn value(reader: BERReader<'_, '_>) -> ASN1Result<DnValue> {
    let invalid = |_| ASN1Error::new(ASN1ErrorKind::Invalid);
    match reader.lookahead_tag()? {
        TAG_UTF8STRING => reader.read_utf8string().map(DnValue::Utf8String),
        TAG_PRINTABLESTRING => {
            let text = reader.read_printable_string()?.try_into();
            text.map(DnValue::PrintableString).map_err(invalid)
        }
        TAG_IA5STRING => {
            let text = reader.read_ia5_string()?.try_into();
            text.map(DnValue::Ia5String).map_err(invalid)
        }
        TAG_BMPSTRING => {
            let text = reader.read_bmp_string()?;
            let text = text.as_str().try_into();
            text.map(DnValue::BmpString).map_err(invalid)
        }
        _ => Err(ASN1Error::new(ASN1ErrorKind::Invalid)),
    }
}

/// The algorithm's own form of a private key, which PKCS #8 wraps.
pub(super) fn private_key_in(pkcs8: &[u8]) -> ASN1Result<Vec<u8>> {
    yasna::parse_der(pkcs8, |reader| {
        reader.read_sequence(|fields| {
            let _version = fields.next().read_i64()?;
            let _algorithm = fields.next().read_der()?;
            let key = fields.next().read_bytes()?;
            skip_rest(fields)?;
            Ok(key)
        })
    })
}

fn skip_rest(fields: &mut BERReaderSeq<'_, '_>) -> ASN1Result<()> {
    while fields.read_optional(|reader| reader.read_der())?.is_some() {}
    Ok(())
}
