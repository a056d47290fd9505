//! Tables and metadata-only forms of objects, which clients ask for by the Accept header.

mod cells;
mod jsonpath;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::query::Query;
use super::respond::list_metadata;
use crate::registry::Kind;
use crate::store::Page;

/// A form other than the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// With the objects' metadata beside the cells, or without.
    Table {
        objects: bool,
    },
    Metadata,
}

/// Whether there is a form that the client takes.
pub(super) fn acceptable(accept: &str) -> bool {
    let known = ["json", "yaml", "protobuf", "*/*", "application/*"];
    accept.is_empty() || known.iter().any(|known| accept.contains(known))
}

/// The first form in an Accept header, `None` where the plain object comes first.
pub(super) fn wanted(accept: &str, query: &Query) -> Option<Form> {
    for media in accept.split(',') {
        if media.contains("as=Table") {
            let objects = query.get("includeObject") != "None";
            return Some(Form::Table { objects });
        }
        if media.contains("as=PartialObjectMetadata") {
            return Some(Form::Metadata);
        }
        let media = media.trim();
        if !media.contains("as=") && (media.starts_with("application/json") || media == "*/*") {
            return None;
        }
    }
    None
}

impl Form {
    pub(super) fn one(self, kind: &Kind, page: &Page, now: Timestamp) -> Value {
        match (self, page.items.first()) {
            (Self::Metadata, Some(object)) => partial(object),
            _ => self.many(kind, page, now),
        }
    }

    pub(super) fn many(self, kind: &Kind, page: &Page, now: Timestamp) -> Value {
        match self {
            Self::Metadata => json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": list_metadata(page),
                "items": page.items.iter().map(|object| partial(object)).collect::<Vec<_>>(),
            }),
            Self::Table { objects } => {
                let columns = cells::columns(kind);
                let rows: Vec<_> = page
                    .items
                    .iter()
                    .map(|object| row(kind, object, now, objects))
                    .collect();
                json!({
                    "kind": "Table",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": list_metadata(page),
                    "columnDefinitions": columns,
                    "rows": rows,
                })
            }
        }
    }

    /// The object of a watch event.
    pub(super) fn event(self, kind: &Kind, object: &Value, now: Timestamp) -> Value {
        match self {
            Self::Metadata => partial(object),
            Self::Table { objects } => json!({
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": object["metadata"]["resourceVersion"]},
                "columnDefinitions": cells::columns(kind),
                "rows": [row(kind, object, now, objects)],
            }),
        }
    }

    pub(super) fn bookmark(self, metadata: &Value) -> Value {
        let kind = match self {
            Self::Metadata => "PartialObjectMetadata",
            Self::Table { .. } => "Table",
        };
        json!({"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
    }
}

fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

fn row(kind: &Kind, object: &Value, now: Timestamp, objects: bool) -> Value {
    let shown = if objects {
        partial(object)
    } else {
        Value::Null
    };
    json!({"cells": cells::cells(kind, object, now), "object": shown})
}
