//! Who we are to a repository.

use argosy_facts::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

use crate::Error;

/// How to show a repository who we are.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Anonymously.
    #[default]
    None,
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

impl Credentials {
    /// The value of the `Authorization` header; `None` for anonymous.
    pub(crate) fn header(&self, url: &str) -> Result<Option<HeaderValue>, Error> {
        let text = match self {
            Self::None => return Ok(None),
            Self::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                format!("Basic {pair}")
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
        };
        sensitive(&text, url).map(Some)
    }
}

/// A header value that no `Debug` shows.
pub(crate) fn sensitive(text: &str, url: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Unauthorized {
        url: url.to_owned(),
        why: "the token or password holds a character that HTTP cannot carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
