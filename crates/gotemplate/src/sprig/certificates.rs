//! Private keys and certificates: known by name, refused when called.
//!
//! A template runs again and again; each run would give other keys, and the secret would end up in the manifest's source of truth.

use crate::funcs::FuncMap;

use super::args::{fail, text};

pub(super) fn register(m: &mut FuncMap) {
    let refused = [
        ("buildCustomCert", "string,string"),
        ("genCA", "string,int"),
        ("genCAWithKey", "string,int,string"),
        ("genSelfSignedCert", "string,list,list,int"),
        ("genSelfSignedCertWithKey", "string,list,list,int,string"),
        ("genSignedCert", "string,list,list,int,certificate"),
        (
            "genSignedCertWithKey",
            "string,list,list,int,certificate,string",
        ),
    ];
    for (name, params) in refused {
        m.add(name, params, move |_| fail(reason(name)));
    }
    m.add("genPrivateKey", "string", |a| match text(a, 0) {
        "" | "rsa" | "dsa" | "ecdsa" | "ed25519" => fail(reason("genPrivateKey")),
        other => Ok(format!("Unknown type {other}").into()),
    });
}

fn reason(name: &str) -> String {
    format!(
        "{name} is not available: keys made by a template change with every run; keep them in a Secret or let cert-manager issue them"
    )
}
