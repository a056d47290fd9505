//! YAML of any bytes: it is refused, or what was read can be printed and is then read as the same.

use argosy_yaml::{Limits, decode, from_str_with, parse_documents_with, to_string};

/// Reads bytes as a file with manifests.
pub(super) fn read(bytes: &[u8]) {
    let limits = Limits {
        nodes: 100_000,
        ..Limits::default()
    };
    let Ok(text) = decode(bytes) else { return };
    let Ok(documents) = parse_documents_with(&text, &limits) else {
        return;
    };
    for document in documents {
        let printed = to_string(&document.value);
        let again = from_str_with(&printed, &limits);
        assert_eq!(
            again.as_ref(),
            Ok(&document.value),
            "printed as {printed:?}"
        );
    }
}
