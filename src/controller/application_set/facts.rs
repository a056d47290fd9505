//! The facts that an expansion asks for, fetched.
//!
//! An answer that is not whole says so, and then the set is not generated: an empty list is only
//! ever the authority's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use argosy_generators::offline::{self, GitTree as _, select_files};
use argosy_generators::{
    Answer, Cluster, Error, Expansion, Facts, Globbing, Reason, Request, Step, expand,
};

use super::answers::{self, Asking};
use super::memory::Remembered;
use super::settings;
use super::tree::SourceTree;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::{GitTree, shown_url};

/// How often an expansion may ask for more: once for each generator that depends on another, and
/// generators nest two deep.
const ROUNDS: usize = 16;

/// Expands a set, fetching what it asks for.
pub(super) async fn expansion(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &Arc<ApplicationSet>,
) -> Result<Arc<Expansion>, Error> {
    let asking = Asking::new(hub, name, set);
    if let Some(same) = unchanged(hub, &asking, name, set).await {
        return Ok(same);
    }
    let settings = settings(hub);
    let mut known = BTreeMap::new();
    for _ in 0..ROUNDS {
        let mut facts = Facts::new();
        for (request, answer) in &known {
            facts.insert(Request::clone(request), Observed::clone(answer));
        }
        hub.metrics.application_sets.expansions.inc();
        // Templates are somebody's program: they get a thread that may be busy for a while.
        let (owned, with) = (Arc::clone(set), settings.clone());
        let step = hub
            .blocking
            .run(move || expand(&owned, &facts, &with))
            .await;
        match step.map_err(|panic| {
            failed(
                set,
                &format!("the expansion did not come to its end: {panic}"),
            )
        })? {
            Step::Needs(requests) => {
                for request in requests {
                    let answer = answer(hub, &asking, &request).await;
                    known.insert(request, answer);
                }
            }
            Step::Done(expansion) => {
                let expansion = Arc::new(expansion);
                hub.application_sets.keep(
                    name,
                    Remembered {
                        spec: set.spec.clone(),
                        facts: known,
                        expansion: Arc::clone(&expansion),
                    },
                );
                return Ok(expansion);
            }
            Step::Failed(error) => return Err(error),
        }
    }
    Err(failed(
        set,
        &format!("the generators still asked for more after {ROUNDS} rounds"),
    ))
}

pub(super) fn failed(set: &ApplicationSet, message: &str) -> Error {
    let meta = &set.metadata;
    let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
    Error {
        reason: Reason::Generate,
        set: format!(
            "{}/{}",
            namespace.unwrap_or_default(),
            name.unwrap_or_default()
        ),
        place: "spec.generators".to_owned(),
        message: message.to_owned(),
    }
}

/// The last expansion, if spec and facts are what they were.
async fn unchanged(
    hub: &Arc<Hub>,
    asking: &Asking,
    name: &ObjectName,
    set: &ApplicationSet,
) -> Option<Arc<Expansion>> {
    let last = hub.application_sets.get(name)?;
    if last.spec != set.spec {
        return None;
    }
    for (request, before) in &last.facts {
        if answer(hub, asking, request).await != *before {
            return None;
        }
    }
    Some(last.expansion)
}

pub(super) async fn answer(hub: &Arc<Hub>, asking: &Asking, request: &Request) -> Observed<Answer> {
    match request {
        Request::Clusters => clusters(hub).map(Answer::Clusters),
        Request::Project(name) => {
            let index = hub.fleet.index();
            let wanted = ObjectName::new(&hub.config.namespace, name);
            Observed::complete(Answer::Exists(index.projects.get(&wanted).is_some()))
        }
        Request::GitDirectories {
            repo_url,
            revision,
            project,
        } => {
            with_tree(hub, (repo_url, revision, project), |tree| {
                Ok(Answer::Directories(SourceTree::new(&tree)?.directories()))
            })
            .await
        }
        Request::GitFiles {
            repo_url,
            revision,
            project,
            pattern,
            globbing,
        } => {
            let (pattern, globbing) = (pattern.clone(), *globbing);
            with_tree(hub, (repo_url, revision, project), move |tree| {
                files(&tree, &pattern, globbing)
            })
            .await
        }
        Request::ScmRepositories { .. }
        | Request::PullRequests { .. }
        | Request::ClusterDecisions { .. }
        | Request::PluginParameters { .. } => answers::answer(hub, asking, request).await,
    }
}

/// Reads something of a repository's tree, or says why it is unknown.
async fn with_tree(
    hub: &Arc<Hub>,
    (repo_url, revision, project): (&str, &str, &str),
    read: impl FnOnce(GitTree) -> Result<Answer, String> + Send + 'static,
) -> Observed<Answer> {
    let repository = hub.repositories().find(repo_url, project);
    let tree = async {
        let resolved = hub.sources.resolve(&repository, revision).await?;
        hub.sources.tree(&repository, &resolved.sha).await
    };
    let tree = match tree.await {
        Ok(tree) => tree,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    match hub.blocking.run(move || read(tree)).await {
        Ok(Ok(answer)) => Observed::complete(answer),
        Ok(Err(why)) => Observed::unknown(format!("cannot read {}: {why}", shown_url(repo_url))),
        Err(panic) => Observed::unknown(format!(
            "reading {} did not come to its end: {panic}",
            shown_url(repo_url)
        )),
    }
}

fn files(tree: &GitTree, pattern: &str, globbing: Globbing) -> Result<Answer, String> {
    select_files(&SourceTree::new(tree)?, pattern, globbing).map(Answer::Files)
}

/// The registered clusters. A Secret without name and server hides a cluster whose applications
/// must not be taken for surplus.
fn clusters(hub: &Hub) -> Observed<Vec<Cluster>> {
    let secrets = hub.fleet.index().secrets.observed("Secrets");
    let values = secrets.map(|secrets| {
        let values = secrets
            .iter()
            .filter_map(|secret| serde_json::to_value(&**secret).ok());
        offline::clusters(&values.collect::<Vec<_>>(), &hub.config.namespace)
    });
    let nameless = values.seen().and_then(|clusters| {
        clusters
            .iter()
            .find(|cluster| cluster.server.is_empty())
            .map(|one| one.name.clone())
    });
    match (nameless, values) {
        (Some(name), Observed::Complete(clusters)) => Observed::partial(
            clusters.into_inner(),
            format!("the cluster Secret of `{name}` has no server; set its key `server`"),
        ),
        (_, values) => values,
    }
}
