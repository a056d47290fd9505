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
            .filter(|((at, _), _)| namespace.is_empty() || at == namespace)
            .filter(|(_, object)| options.selector.matches(object));
        if options.limit == 0 {
            let items = found.map(|(_, object)| Arc::clone(object)).collect();
            return Ok(Page {
                items,
                version,
                token: String::new(),
                remaining: None,
            });
        }
        let mut last = None;
        let mut items = Vec::new();
        for (place, object) in found.by_ref().take(options.limit) {
            last = Some(place.clone());
            items.push(Arc::clone(object));
        }
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
    let read = || -> Option<(u64, (String, String))> {
        let token: Value = serde_json::from_slice(&BASE64.decode(token).ok()?).ok()?;
        let text = |key: &str| token[key].as_str().map(str::to_owned);
        Some((token["v"].as_u64()?, (text("n")?, text("s")?)))
    };
    read().ok_or_else(|| Failure::bad_request("continue key is not valid"))
}
