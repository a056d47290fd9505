//! The keys and certificates that templates make, judged by a library that verifies certificates.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test that cannot go on has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use argosy_gotemplate::{Options, Random, Seams, Template, Value, sprig};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use serde_json::json;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// When the templates run.
const NOW: u64 = 1_700_000_000;

fn render(template: &str, data: &serde_json::Value) -> Result<String, String> {
    let functions = sprig::functions(&Seams {
        now: Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).unwrap()),
        random: Random::new([1; 32]),
    });
    let template = Template::parse("t", template, &functions, Options::default()).unwrap();
    template
        .execute(&Value::from(data))
        .map_err(|error| error.to_string())
}

/// The blocks that a template wrote, separated by bars.
fn blocks(template: &str) -> Vec<String> {
    let text = render(template, &json!({})).unwrap();
    text.split('|').map(str::to_owned).collect()
}

fn verify(leaf: &str, authority: &str, at: u64) -> Result<(), webpki::Error> {
    let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    let anchors = [anchor_from_trusted_cert(&authority).unwrap()];
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at));
    for usage in [KeyUsage::server_auth(), KeyUsage::client_auth()] {
        let leaf = EndEntityCert::try_from(&leaf)?;
        let algorithms = ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, &anchors, &[], time, usage, None, None)?;
    }
    Ok(())
}

fn is_valid_for(leaf: &str, name: &str) -> bool {
    let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let leaf = EndEntityCert::try_from(&leaf).unwrap();
    leaf.verify_is_valid_for_subject_name(&name).is_ok()
}

/// Whether a key, as PEM, is the one that the certificate is for.
fn belongs(key: &str, certificate: &str) -> bool {
    let key = KeyPair::from_pem(key).unwrap();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let certificate = EndEntityCert::try_from(&certificate).unwrap();
    let public = certificate.subject_public_key_info();
    rcgen::PublicKeyData::subject_public_key_info(&key) == public.as_ref()
}

#[test]
fn an_authority_signs_for_names_and_addresses_for_so_many_days() {
    let all = blocks(
        r#"{{ $ca := genCA "the authority" 10 -}}
        {{ $c := genSignedCert "web" (list "10.0.0.1" "::1") (list "web.example.com" "*.web.example.com") 3 $ca -}}
        {{ $ca.Cert }}|{{ $ca.Key }}|{{ $c.Cert }}|{{ $c.Key }}"#,
    );
    let [authority, authority_key, leaf, key] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----\n") && key.ends_with("-----\n"));
    assert!(belongs(key, leaf) && belongs(authority_key, authority));
    let day = 24 * 60 * 60;
    assert_eq!(verify(leaf, authority, NOW), Ok(()));
    assert_eq!(verify(leaf, authority, NOW + 3 * day), Ok(()));
    for outside in [NOW - 1, NOW + 3 * day + 1] {
        assert!(verify(leaf, authority, outside).is_err());
    }
    for name in ["web.example.com", "a.web.example.com", "10.0.0.1", "::1"] {
        assert!(is_valid_for(leaf, name), "{name}");
    }
    assert!(!is_valid_for(leaf, "other.example.com") && !is_valid_for(leaf, "10.0.0.2"));
    // No other authority of that name signed it.
    let other = blocks(r#"{{ (genCA "the authority" 10).Cert }}"#);
    assert!(verify(leaf, &other[0], NOW).is_err());
    // What it signed may not sign in its turn.
    assert!(verify(authority, leaf, NOW).is_err());
}

#[test]
fn keys_are_of_the_kind_that_is_asked_for() {
    let of = |kind: &str| render(&format!("{{{{ genPrivateKey {kind:?} }}}}"), &json!({}));
    let kinds = [
        ("ecdsa", "EC PRIVATE KEY", &PKCS_ECDSA_P256_SHA256),
        ("ed25519", "PRIVATE KEY", &PKCS_ED25519),
        ("rsa", "RSA PRIVATE KEY", &PKCS_RSA_SHA256),
    ];
    for (kind, tag, algorithm) in kinds {
        let key = of(kind).unwrap();
        assert!(
            key.starts_with(&format!("-----BEGIN {tag}-----\n")),
            "{key}"
        );
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        assert!(KeyPair::try_from(&der).unwrap().is_compatible(algorithm));
    }
    // 4096 bits make 512 bytes of modulus, and five halves of that of the rest.
    let rsa = PrivateKeyDer::from_pem_slice(of("").unwrap().as_bytes()).unwrap();
    assert!((2300..2400).contains(&rsa.secret_der().len()));
    assert_ne!(of("ecdsa"), of("ecdsa"));
    assert_eq!(of("other").unwrap(), "Unknown type other");
    assert!(of("dsa").unwrap_err().contains("use rsa, ecdsa or ed25519"));
}

#[test]
fn keys_of_ones_own_are_used_and_written_in_go_s_form() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let data = json!({"key": key.serialize_pem()});
        let template = r#"{{ $ca := genCAWithKey "own" 2 .key -}}
            {{ $c := genSignedCertWithKey "web" nil (list "web.example.com") 1 $ca .key -}}
            {{ $s := genSelfSignedCertWithKey "self" (list "10.0.0.1") nil 1 .key -}}
            {{ $ca.Cert }}|{{ $c.Cert }}|{{ $c.Key }}|{{ $s.Cert }}"#;
        let text = render(template, &data).unwrap();
        let all: Vec<_> = text.split('|').collect();
        assert_eq!(verify(all[1], all[0], NOW), Ok(()));
        assert!(belongs(all[2], all[0]) && belongs(all[2], all[1]) && belongs(all[2], all[3]));
        assert!(is_valid_for(all[3], "10.0.0.1"));
        assert_eq!(
            KeyPair::from_pem(all[2]).unwrap().public_key_raw(),
            key.public_key_raw()
        );
    }
}

#[test]
fn an_authority_of_ones_own_signs_under_its_name_and_mark() {
    let ca = blocks(r#"{{ $ca := genCA "somebody else" 10 }}{{ $ca.Cert }}|{{ $ca.Key }}"#);
    let data = json!({"cert": STANDARD.encode(&ca[0]), "key": STANDARD.encode(&ca[1])});
    let template = r#"{{ $ca := buildCustomCert .cert .key -}}
        {{ eq $ca.Cert (b64dec .cert) }}|{{ (genSignedCert "web" nil nil 1 $ca).Cert }}"#;
    let text = render(template, &data).unwrap();
    let (is_same, leaf) = text.split_once('|').unwrap();
    assert_eq!(is_same, "true");
    assert_eq!(verify(leaf, &ca[0], NOW), Ok(()));
}

#[test]
fn what_cannot_be_used_is_refused_as_sprig_refuses_it() {
    let cases = [
        (
            r#"{{ genCAWithKey "x" 1 "nothing" }}"#,
            "parsing private key: no PEM data in input",
        ),
        (
            r#"{{ buildCustomCert "%" "x" }}"#,
            "unable to decode base64 certificate",
        ),
        (
            r#"{{ buildCustomCert "eA==" "%" }}"#,
            "unable to decode base64 private key",
        ),
        (
            r#"{{ buildCustomCert "eA==" "eA==" }}"#,
            "unable to decode certificate",
        ),
        (
            r#"{{ genSelfSignedCert "x" (list "nowhere") nil 1 }}"#,
            "error parsing ip: nowhere",
        ),
        (
            r#"{{ genSelfSignedCert "x" (list 1) nil 1 }}"#,
            "error parsing ip: 1 is not a string",
        ),
        (
            r#"{{ genSelfSignedCert "x" nil (list 1) 1 }}"#,
            "error processing alternate dns name: 1 is not a string",
        ),
        (
            r#"{{ genSignedCert "x" nil nil 1 "x" }}"#,
            "can't handle \"x\" for arg of type sprig.certificate",
        ),
        // A template may not spend all day on keys.
        (
            r#"{{ range until 20 }}{{ genPrivateKey "rsa" }}{{ end }}"#,
            "takes more than 1000000 steps",
        ),
    ];
    for (template, wanted) in cases {
        let why = render(template, &json!({})).unwrap_err();
        assert!(why.contains(wanted), "{template}: {why}");
    }
}
