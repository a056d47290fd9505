//! Answers: objects and lists written without copying them, Status objects, text.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Response, header};
use http_body_util::{BodyExt as _, Full};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use super::convert;
use crate::registry::Kind;
use crate::service::{Refused, SimBody};
use crate::store::{Failure, Page};

/// An object with the apiVersion and kind of the version it is read in.
pub(super) struct Shown<'a> {
    pub(super) api_version: &'a str,
    /// `None` leaves both out, as lists of built-in kinds do.
    pub(super) kind: Option<&'a str>,
    pub(super) value: Cow<'a, Value>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(kind) = self.kind {
            map.serialize_entry("apiVersion", self.api_version)?;
            map.serialize_entry("kind", kind)?;
        }
        let fields = self.value.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|(name, _)| *name != "apiVersion" && *name != "kind") {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A list of objects.
struct List<'a> {
    kind: &'a Kind,
    page: &'a Page,
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let api_version = self.kind.api_version();
        let named = self
            .kind
            .custom
            .is_some()
            .then_some(self.kind.kind.as_str());
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", &format!("{}List", self.kind.kind))?;
        map.serialize_entry("apiVersion", &api_version)?;
        let mut metadata = list_metadata(self.page);
        if self.kind.custom.is_some() && self.page.token.is_empty() {
            // Lists of custom objects are written without a Go type, which would leave it out.
            metadata["continue"] = "".into();
        }
        map.serialize_entry("metadata", &metadata)?;
        map.serialize_entry(
            "items",
            &Items {
                api_version: &api_version,
                kind: self.kind,
                named,
                page: self.page,
            },
        )?;
        map.end()
    }
}

struct Items<'a> {
    api_version: &'a str,
    kind: &'a Kind,
    named: Option<&'a str>,
    page: &'a Page,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            api_version,
            kind,
            named,
            page,
        } = *self;
        serializer.collect_seq(page.items.iter().map(|value| Shown {
            api_version,
            kind: named,
            value: convert::shown(kind, value),
        }))
    }
}

pub(super) fn list_metadata(page: &Page) -> Value {
    let mut metadata = serde_json::json!({"resourceVersion": page.version.to_string()});
    if !page.token.is_empty() {
        metadata["continue"] = page.token.clone().into();
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
    metadata
}

pub(super) fn object(code: u16, kind: &Kind, value: &Value) -> Response<SimBody> {
    json(
        code,
        &Shown {
            api_version: &kind.api_version(),
            kind: Some(&kind.kind),
            value: convert::shown(kind, value),
        },
    )
}

pub(super) fn list(kind: &Kind, page: &Page) -> Response<SimBody> {
    json(200, &List { kind, page })
}

pub(crate) fn text(text: impl Into<Bytes>) -> Response<SimBody> {
    whole(200, "text/plain; charset=utf-8", text.into())
}

/// Any JSON.
pub(super) fn json(code: u16, value: &impl Serialize) -> Response<SimBody> {
    typed(code, "application/json", value)
}

/// JSON with a content type of its own, as aggregated discovery has.
pub(super) fn typed(code: u16, media: &str, value: &impl Serialize) -> Response<SimBody> {
    let bytes = serde_json::to_vec(value).expect("JSON values with text keys always serialise");
    whole(code, media, bytes.into())
}

/// The Status object of an error.
pub(crate) fn failure(failure: &Failure) -> Response<SimBody> {
    if failure.code == 404 && failure.reason.is_empty() {
        let text = Bytes::from(format!("{}\n", failure.message));
        return whole(404, "text/plain; charset=utf-8", text);
    }
    let mut response = json(failure.code, &failure.status());
    if failure.code == 429 {
        // As priority and fairness has it.
        let seconds = http::HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn whole(code: u16, media: &str, bytes: Bytes) -> Response<SimBody> {
    let body = Full::new(bytes).map_err(Refused::from).boxed_unsync();
    Response::builder()
        .status(code)
        .header(header::CONTENT_TYPE, media)
        .body(body)
        .unwrap_or_else(|_| Response::new(Full::default().map_err(Refused::from).boxed_unsync()))
}
