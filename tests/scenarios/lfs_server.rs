//! The large files of a git server, by the batch API of git-lfs.

use std::collections::BTreeMap;

use argosy_registry::Digest;
use axum::body::{Body, Bytes};
use axum::http::{Response, Uri};
use serde_json::{Value, json};

/// The contents of large files.
#[derive(Default)]
pub(crate) struct LargeFiles {
    contents: BTreeMap<String, String>,
    downloads: u64,
}

impl LargeFiles {
    /// Serves a file; gives the text that stands for it.
    pub(crate) fn put(&mut self, content: &str) -> String {
        let digest = Digest::of(content.as_bytes());
        self.contents
            .insert(digest.hex().to_owned(), content.to_owned());
        let size = content.len();
        format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize {size}\n")
    }

    /// Serves something else, of the same size, in the place of a file.
    pub(crate) fn spoil(&mut self, content: &str) {
        let digest = Digest::of(content.as_bytes());
        self.contents
            .insert(digest.hex().to_owned(), content.to_ascii_uppercase());
    }

    /// How many files were downloaded.
    pub(crate) fn downloads(&self) -> u64 {
        self.downloads
    }

    /// What is answered to a request that asks for large files.
    pub(crate) fn answer(&mut self, uri: &Uri, body: &Bytes) -> Option<Response<Body>> {
        let (base, asked) = uri.path().split_once("/info/lfs/")?;
        if asked == "objects/batch" {
            let question: Value = serde_json::from_slice(body).ok()?;
            let objects = question["objects"].as_array()?.iter();
            let objects: Option<Vec<_>> = objects.map(|one| self.locate(base, one)).collect();
            let answer = json!({"transfer": "basic", "objects": objects});
            return Some(Response::new(Body::from(answer.to_string())));
        }
        let content = self.contents.get(asked)?.clone();
        self.downloads += 1;
        Some(Response::new(Body::from(content)))
    }

    fn locate(&self, base: &str, asked: &Value) -> Option<Value> {
        let oid = asked["oid"].as_str()?;
        Some(if self.contents.contains_key(oid) {
            let href = format!("{base}/info/lfs/{oid}");
            json!({"oid": oid, "size": asked["size"], "actions": {"download": {"href": href}}})
        } else {
            let error = json!({"code": 404, "message": "Object does not exist"});
            json!({"oid": oid, "size": asked["size"], "error": error})
        })
    }
}
