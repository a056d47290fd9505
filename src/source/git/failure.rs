//! Why a conversation with a remote failed, by what git's library, ssh or the far side say of it.
//! Pure.

use crate::{diagnostic::chain, source::SourceError};

/// What failed, by what was said, which holds no credential any more; `is_refused` tells that who we
/// are was not accepted, whatever was said.
pub(super) fn failed(
    url: String,
    action: &'static str,
    why: String,
    is_refused: bool,
) -> SourceError {
    let says = |texts: &[&str]| mentions(&why, texts);
    if let Some(untrusted) = SourceError::untrusted(&url, &why) {
        untrusted
    } else if is_refused
        || says(&[
            "status 401",
            "status 403",
            "authentication",
            "credentials",
            "permission denied (",
        ])
    {
        SourceError::Authentication { url, why }
    } else if says(&[
        "status 404",
        "repository not found",
        "does not appear to be a git repository",
        "does not exist",
    ]) {
        SourceError::NotFound { url, why }
    } else {
        SourceError::Remote { url, action, why }
    }
}

/// Whether a text says any of these, which are in lower case.
pub(super) fn mentions(text: &str, any: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    any.iter().any(|one| text.contains(one))
}

/// An error and all its causes on one line.
pub(super) fn causes(error: &gix::Error) -> String {
    let mut text = String::new();
    for cause in error.iter_errors() {
        let part = chain(cause);
        if !part.is_empty() && !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}
