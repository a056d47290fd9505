//! The OpenAPI v3 documents of clusters: how the lists of custom kinds are keyed, and their types.
//!
//! A document is asked for when an application uses a kind of it that is not Kubernetes' own, and read
//! once for all clusters that serve the same, which its hash tells. A cluster that does not answer has
//! its custom kinds compared as plain JSON until it does: then a dry run decides more often, and
//! nothing else changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use argosy_engine::schema::{Documents, Schema, read_openapi};
use kube::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::blocking::Blocking;

/// How many documents are kept; one of a big set of custom kinds takes some 100 KiB.
const KEPT: u64 = 500;

/// How long the list of documents is believed, so that the new schema of a kind is noticed.
const BELIEVED: Duration = Duration::from_mins(10);

/// How soon a cluster that gave no answer is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What was read from any cluster, by the documents' addresses, which hold their hashes.
#[derive(Clone)]
pub struct SchemaCache(moka::sync::Cache<String, Arc<Schema>>);

impl Default for SchemaCache {
    fn default() -> Self {
        Self(moka::sync::Cache::new(KEPT))
    }
}

/// The documents of one cluster.
pub struct Schemas {
    cache: SchemaCache,
    index: Mutex<Option<Index>>,
}

/// Which documents there are, as of some moment.
struct Index {
    until: Instant,
    /// The name of what was served at the time: a new kind has its document asked for at once.
    served: String,
    addresses: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Answer {
    paths: BTreeMap<String, Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "serverRelativeURL")]
    url: String,
}

impl Schemas {
    /// Nothing has been asked yet.
    pub fn new(cache: SchemaCache) -> Self {
        Self {
            cache,
            index: Mutex::new(None),
        }
    }

    /// What is known of the kinds of `api_versions`; `served` names what the cluster serves.
    pub async fn of(
        &self,
        (client, blocking): (&Client, Blocking),
        served: &str,
        api_versions: &BTreeSet<String>,
    ) -> Documents {
        let mut documents = Documents::default();
        if api_versions.is_empty() {
            return documents;
        }
        let addresses = self.addresses(client, served, api_versions).await;
        for (api_version, address) in addresses {
            if let Some(schema) = self.document(client, blocking, &address).await {
                documents.insert(api_version, schema);
            }
        }
        documents
    }

    /// The same, from the newest documents, whatever was believed: a definition that changed a
    /// moment ago is not noticed otherwise.
    pub async fn newest_of(
        &self,
        connection: (&Client, Blocking),
        served: &str,
        api_versions: &BTreeSet<String>,
    ) -> Documents {
        *self.index.lock().await = None;
        self.of(connection, served, api_versions).await
    }

    /// Where the documents of the API versions are.
    async fn addresses(
        &self,
        client: &Client,
        served: &str,
        api_versions: &BTreeSet<String>,
    ) -> Vec<(String, String)> {
        let mut index = self.index.lock().await;
        let now = Instant::now();
        let current = index
            .as_ref()
            .is_some_and(|index| index.until > now && index.served == served);
        if !current {
            let answer = ask(client, "/openapi/v3").await;
            let answer = answer.and_then(|text| serde_json::from_str::<Answer>(&text).ok());
            let believed = if answer.is_some() {
                BELIEVED
            } else {
                ASK_AGAIN_AFTER
            };
            let paths = answer.map(|answer| answer.paths).unwrap_or_default();
            *index = Some(Index {
                until: now + believed,
                served: served.to_owned(),
                addresses: paths.into_iter().map(|(path, at)| (path, at.url)).collect(),
            });
        }
        let addresses = index.iter().flat_map(|index| {
            api_versions.iter().filter_map(|api_version| {
                let group = if api_version.contains('/') {
                    "apis"
                } else {
                    "api"
                };
                let address = index.addresses.get(&format!("{group}/{api_version}"))?;
                Some((api_version.clone(), address.clone()))
            })
        });
        addresses.collect()
    }

    async fn document(
        &self,
        client: &Client,
        blocking: Blocking,
        address: &str,
    ) -> Option<Arc<Schema>> {
        if let Some(known) = self.cache.0.get(address) {
            return Some(known);
        }
        let text = ask(client, address).await?;
        // A document of several megabytes takes its time, which must not hold up other tasks.
        let read = blocking.run(move || {
            let document = serde_json::from_str(&text).ok()?;
            let mut schema = Schema::default();
            read_openapi(&document, &mut schema);
            Some(Arc::new(schema))
        });
        let schema = read.await.ok().flatten()?;
        self.cache.0.insert(address.to_owned(), Arc::clone(&schema));
        Some(schema)
    }
}

async fn ask(client: &Client, address: &str) -> Option<String> {
    let request = http::Request::get(address).body(Vec::new()).ok()?;
    match client.request_text(request).await {
        Ok(text) => Some(text),
        Err(error) => {
            tracing::debug!(
                address,
                error = crate::diagnostic::chain(&error),
                "a document of OpenAPI cannot be read; its kinds are compared as plain JSON"
            );
            None
        }
    }
}
