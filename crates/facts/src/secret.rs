//! Text that must not be seen.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A credential: it can be read from a Secret and handed to what authenticates, and nothing else.
///
/// It has no `Display` and no `Serialize`, and its `Debug` says only that something is there. A
/// search for [`Secret::expose`] lists every place where a credential leaves this type.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a credential in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The credential itself, for the one call that authenticates with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text of somebody else without any of these credentials, which it may quote.
    pub fn redact<'a>(secrets: impl IntoIterator<Item = &'a Self>, text: String) -> String {
        let told = secrets.into_iter().filter(|secret| !secret.is_empty());
        told.fold(text, |text, secret| text.replace(secret.expose(), "***"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "Secret(empty)"
        } else {
            "Secret(***)"
        })
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(***)");
    }
}
