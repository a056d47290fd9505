//! SCM providers and plugins, asked for what generators need.
//!
//! The clients are pure and live in `argosy-scm`; here are their way to the network, their
//! credentials and what is counted. A question is answered whole or not at all.

mod aws;
mod http;
mod plugin;
pub(crate) mod reference;
mod settings;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use argosy_crds::application_set::generators::{PullRequestGenerator, ScmProviderGenerator};
use argosy_generators::{PullRequest, Repository, Request};
use argosy_scm::{Access, Credentials, Error, Memory, Reference, Session};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::http::{Http, Network, Reach};
use crate::hub::Hub;
use crate::metrics::ScmMetrics;
use crate::surroundings::Surroundings;
use http::{Carrier, Terms};
use reference::References;

pub use settings::ScmSettings;

/// What is shared by all questions to providers.
pub struct Scm {
    memory: Arc<Memory>,
    network: Network,
    surroundings: Surroundings,
    connections: Mutex<BTreeMap<Terms, Http>>,
    metrics: Arc<ScmMetrics>,
}

/// Why a question has no answer, in words that are the same each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// Why.
    pub(crate) why: String,
    /// Since when asking makes sense again, if the provider told.
    pub(crate) until: Option<Timestamp>,
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self { why, until: None }
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self {
            why: error.to_string(),
            until: error.until(),
        }
    }
}

impl Scm {
    /// Has not asked anything yet.
    pub fn new(network: Network, surroundings: Surroundings, metrics: Arc<ScmMetrics>) -> Self {
        Self {
            memory: Arc::default(),
            network,
            surroundings,
            connections: Mutex::default(),
            metrics,
        }
    }

    /// The repositories that a generator, as JSON, of a set in `namespace` may select.
    pub(crate) async fn repositories(
        &self,
        hub: &Hub,
        namespace: &str,
        generator: &str,
    ) -> Result<Vec<Repository>, Unanswered> {
        let spec: ScmProviderGenerator = read(generator)?;
        let access = Access::of_scm(&spec).ok_or_else(no_provider)?;
        let (carrier, credentials) = self.reach(hub, namespace, &access).await?;
        let session = self.session(hub);
        Ok(argosy_scm::repositories(carrier, &spec, &credentials, &session).await?)
    }

    /// The pull requests that a generator, as JSON, of a set in `namespace` asks for.
    pub(crate) async fn pull_requests(
        &self,
        hub: &Hub,
        namespace: &str,
        generator: &str,
    ) -> Result<Vec<PullRequest>, Unanswered> {
        let spec: PullRequestGenerator = read(generator)?;
        let access = Access::of_pull_requests(&spec).ok_or_else(no_provider)?;
        let (carrier, credentials) = self.reach(hub, namespace, &access).await?;
        let session = self.session(hub);
        Ok(argosy_scm::pull_requests(carrier, &spec, &credentials, &session).await?)
    }

    /// A way to the provider that may be gone, and who goes it.
    async fn reach(
        &self,
        hub: &Hub,
        namespace: &str,
        access: &Access<'_>,
    ) -> Result<(Carrier, Credentials), String> {
        let all = hub.fleet.settings();
        let settings = &all.scm;
        settings.check(access, namespace == hub.config.namespace)?;
        let references = References {
            client: &hub.client,
            namespace,
            hub: &hub.config.namespace,
            strict: settings.strict,
            surroundings: &self.surroundings,
        };
        let credentials = references.credentials(&access.credentials).await?;
        let mut authorities = Vec::new();
        if let Some(at) = access.authority {
            authorities.push(references.authority(at).await?);
        }
        if let Some(file) = &settings.root_ca {
            authorities.push(self.surroundings.file(file)?);
        }
        let terms = Terms {
            insecure: access.insecure,
            authorities,
            // Of AWS no generator names a host, and the agent that vouches for the hub is link-local.
            reach: match access.credentials {
                Reference::Aws => Reach::Anywhere,
                _ => Reach::Within(all.source_addresses.clone()),
            },
            timeout: hub.config.answer_timeout,
        };
        Ok((self.carrier(access.provider, terms)?, credentials))
    }

    fn carrier(&self, provider: &'static str, terms: Terms) -> Result<Carrier, String> {
        let timeout = terms.timeout;
        let all = self.connections.lock();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        let http = match all.entry(terms) {
            Entry::Occupied(shared) => shared.get().clone(),
            Entry::Vacant(new) => {
                let made = new.key().connections(&self.network)?;
                new.insert(made).clone()
            }
        };
        let metrics = Arc::clone(&self.metrics);
        Ok(Carrier {
            http,
            provider,
            timeout,
            metrics,
        })
    }

    fn session(&self, hub: &Hub) -> Session {
        Session {
            memory: Arc::clone(&self.memory),
            now: hub.clock.now(),
        }
    }
}

/// Who is asked for the answer to a request, as a text that is the same for all that one service
/// answers.
pub(crate) fn asked_of(request: &Request) -> String {
    let of = |access: Access<'_>| format!("{} {}", access.provider, access.api);
    let service = match request {
        Request::ScmRepositories { generator } => read(generator)
            .ok()
            .and_then(|spec: ScmProviderGenerator| Access::of_scm(&spec).map(of)),
        Request::PullRequests { generator } => read(generator)
            .ok()
            .and_then(|spec: PullRequestGenerator| Access::of_pull_requests(&spec).map(of)),
        Request::PluginParameters { config_map, .. } => Some(format!("plugin {config_map}")),
        _ => None,
    };
    service.unwrap_or_default()
}

fn read<T: DeserializeOwned>(generator: &str) -> Result<T, String> {
    serde_json::from_str(generator).map_err(|error| format!("cannot read the generator: {error}"))
}

fn no_provider() -> String {
    "the generator names no provider".to_owned()
}
