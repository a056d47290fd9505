//! Reading many objects.

use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::failure::Failure;
use super::selector::Selector;
use super::state::State;
use crate::registry::Kind;

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListOptions {
    pub(crate) selector: Selector,
    pub(crate) limit: usize,
    pub(crate) token: String,
}

/// One answer to a list.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Value>>,
    pub(crate) version: u64,
    /// Where the next page starts; empty at the end.
    pub(crate) token: String,
    pub(crate) remaining: Option<usize>,
}

impl State {
    /// The objects of a kind in order of namespace and name. Later pages keep the first page's
    /// version but see the present objects.
    pub(crate) fn list(
        &self,
        kind: &Kind,
        namespace: &str,
        options: &ListOptions,
    ) -> Result<Page, Failure> {
        let (version, after) = match options.token.as_str() {
            "" => (self.resource_version(), None),
            token => {
                let (version, place) = read_token(token)?;
                (version, Some(place))
            }
        };
        let table = kind.table();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = self
            .objects_after(&table, start)
            .filter(|((at, _), _)| namespace.is_empty() || at == namespace);
        if options.limit == 0 {
            let items = found
                .map(|(_, object)| object)
                .filter(|object| options.selector.matches(object))
                .cloned()
                .collect();
            return Ok(Page {
                items,
                version,
                token: String::new(),
                remaining: None,
            });
        }
        let mut last = None;
        let mut items = Vec::new();
        while items.len() < options.limit
            && let Some((place, object)) = found.next()
        {
            if options.selector.matches(object) {
                last = Some(place.clone());
                items.push(Arc::clone(object));
            }
        }
        // Whether more objects match is not known before the next page.
        let remaining = found.count();
        let token = match last {
            Some((namespace, name)) if remaining > 0 => {
                BASE64.encode(json!({"v": version, "n": namespace, "s": name}).to_string())
            }
            _ => String::new(),
        };
        let counted = (remaining > 0 && options.selector.is_empty()).then_some(remaining);
        Ok(Page {
            items,
            version,
            token,
            remaining: counted,
        })
    }
}

fn read_token(token: &str) -> Result<(u64, (String, String)), Failure> {
    let malformed = |detail: &str| {
        let message = format!("invalid continue token: continue key is not valid{detail}");
        Failure::bad_request(message)
    };
    if let Ok(decoded) = BASE64.decode(token)
        && let Some(first) = decoded.first()
        && *first != b'{'
    {
        let shown = match char::from(*first) {
            shown if shown.is_ascii_graphic() => shown.to_string(),
            other => format!("\\u{:04x}", u32::from(other)),
        };
        return Err(malformed(&format!(
            ": invalid character '{shown}' looking for beginning of value"
        )));
    }
    let read = || -> Option<(u64, (String, String))> {
        let token: Value = serde_json::from_slice(&BASE64.decode(token).ok()?).ok()?;
        let text = |key: &str| token[key].as_str().map(str::to_owned);
        Some((token["v"].as_u64()?, (text("n")?, text("s")?)))
    };
    read().ok_or_else(|| malformed(""))
}
