//! The facts that an expansion asks for, fetched.
//!
//! An answer that is not whole says so, and then the set is not generated: an empty list is only
//! ever the authority's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use argosy_generators::offline::{self, GitTree as _, select_directories, select_files};
use argosy_generators::{
    Answer, Cluster, Error, Expansion, Facts, Globbing, Reason, Request, Step, expand,
    select_clusters, servers,
};

use super::answers::{self, Asking};
use super::memory::Remembered;
use super::settings;
use super::tree::SourceTree;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::shown_url;

/// How often an expansion may ask for more: once for each generator that depends on another, and
/// generators nest two deep.
const ROUNDS: usize = 16;

/// Expands a set, fetching what it asks for; `None` while somebody outside is asked, and then the
/// set is woken.
pub(super) async fn expansion(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &Arc<ApplicationSet>,
) -> Option<Result<Arc<Expansion>, Error>> {
    let expanded = expand_with_answers(hub, name, set).await?;
    hub.application_sets.answers.gathered(name);
    Some(expanded)
}

async fn expand_with_answers(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &Arc<ApplicationSet>,
) -> Option<Result<Arc<Expansion>, Error>> {
    let asking = Asking::new(hub, name, set);
    let settings = settings(hub);
    let last = hub.application_sets.get(name);
    let mut known = BTreeMap::new();
    if let Some(last) = last.filter(|last| last.is_of(set, &settings)) {
        ask_all(hub, &asking, last.facts.keys(), &mut known).await?;
        if last.knew(&known) {
            return Some(last.result.clone());
        }
    }
    hub.metrics.application_sets.expansions.inc();
    for _ in 0..ROUNDS {
        let facts: Facts = known.clone().into_iter().collect();
        // Templates are somebody's program: they get a thread that may be busy for a while.
        let (owned, with) = (Arc::clone(set), settings.clone());
        let step = hub
            .blocking
            .run(move || expand(&owned, &facts, &with))
            .await;
        let result = match step {
            Err(panic) => {
                let why = format!("the expansion did not come to its end: {panic}");
                return Some(Err(failed(set, &why)));
            }
            Ok(Step::Needs(requests)) => {
                ask_all(hub, &asking, &requests, &mut known).await?;
                continue;
            }
            Ok(Step::Done(expansion)) => {
                // What the set asks for no longer is not looked at again.
                known.retain(|request, _| expansion.requests.contains(request));
                Ok(Arc::new(expansion))
            }
            Ok(Step::Failed(error)) => Err(error),
        };
        let made = Remembered::new(set, &settings, known, result.clone());
        hub.application_sets.keep(name, made);
        return Some(result);
    }
    let why = format!("the generators still asked for more after {ROUNDS} rounds");
    Some(Err(failed(set, &why)))
}

/// Notes the answers to some requests; `None` while one is asked for, and then all of them are.
async fn ask_all(
    hub: &Arc<Hub>,
    asking: &Asking,
    requests: impl IntoIterator<Item = &Request>,
    known: &mut BTreeMap<Request, Observed<Answer>>,
) -> Option<()> {
    let mut all = Some(());
    for request in requests {
        match answer(hub, asking, request).await {
            Some(answer) => drop(known.insert(request.clone(), answer)),
            None => all = None,
        }
    }
    all
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

/// The answer to a request, however long that takes.
pub(super) async fn awaited(
    hub: &Arc<Hub>,
    asking: &Asking,
    request: &Request,
) -> Observed<Answer> {
    loop {
        let next = hub.application_sets.answers.next();
        match answer(hub, asking, request).await {
            Some(answer) => return answer,
            None => next.await,
        }
    }
}

/// The answer to a request; `None` while somebody outside is asked.
async fn answer(hub: &Arc<Hub>, asking: &Asking, request: &Request) -> Option<Observed<Answer>> {
    Some(match request {
        Request::Clusters { generator } => of_clusters(hub, |all| select_clusters(generator, all)),
        Request::Servers => of_clusters(hub, |all| Observed::complete(servers(all))),
        Request::Project(name) => {
            let index = hub.fleet.index();
            let wanted = ObjectName::new(&hub.config.namespace, name);
            Observed::complete(Answer::Exists(index.projects.get(&wanted).is_some()))
        }
        Request::GitDirectories {
            repo_url,
            revision,
            project,
            include,
            exclude: _,
        } => {
            let include = include.clone();
            let asked = (repo_url.as_str(), revision.as_str(), project.as_str());
            with_tree(hub, asked, Seen::CheckedOut, move |tree| {
                let selected = select_directories(&tree.directories(), &include);
                Ok(Answer::Directories(selected))
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
            let seen = match globbing {
                Globbing::Pathspec => Seen::Tracked,
                Globbing::Doublestar => Seen::CheckedOut,
            };
            let asked = (repo_url.as_str(), revision.as_str(), project.as_str());
            with_tree(hub, asked, seen, move |tree| {
                select_files(tree, &pattern, globbing).map(Answer::Files)
            })
            .await
        }
        Request::ScmRepositories { .. }
        | Request::PullRequests { .. }
        | Request::ClusterDecisions { .. }
        | Request::PluginParameters { .. } => return answers::answer(hub, asking, request),
    })
}

/// What counts as a repository's.
#[derive(Clone, Copy)]
enum Seen {
    /// What its commits name.
    Tracked,
    /// What lies in a checkout: its submodules, too.
    CheckedOut,
}

/// Reads something of a repository's tree, or says why it is unknown.
async fn with_tree(
    hub: &Arc<Hub>,
    (repo_url, revision, project): (&str, &str, &str),
    seen: Seen,
    read: impl FnOnce(&SourceTree) -> Result<Answer, String> + Send + 'static,
) -> Observed<Answer> {
    let repository = hub.repositories().find(repo_url, project);
    let tree = async {
        let resolved = hub.sources.resolve(&repository, revision).await?;
        hub.verify(project, &repository, &resolved.sha).await?;
        match seen {
            Seen::Tracked => hub.sources.tree(&repository, &resolved.sha).await,
            Seen::CheckedOut => {
                let tree = hub.tree(project, &repository, &resolved.sha).await?;
                Ok(tree.without_large_files())
            }
        }
    };
    let tree = match tree.await {
        Ok(tree) => tree,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let listed = hub.application_sets.trees.clone();
    let read = move || read(listed.of(&tree)?.as_ref());
    match hub.blocking.run(read).await {
        Ok(Ok(answer)) => Observed::complete(answer),
        Ok(Err(why)) => Observed::unknown(format!("cannot read {}: {why}", shown_url(repo_url))),
        Err(panic) => Observed::unknown(format!(
            "reading {} did not come to its end: {panic}",
            shown_url(repo_url)
        )),
    }
}

/// What is asked of the registered clusters; as complete as the listing of their Secrets.
fn of_clusters(hub: &Hub, ask: impl FnOnce(&[Cluster]) -> Observed<Answer>) -> Observed<Answer> {
    let secrets = hub.fleet.index().secrets.observed("Secrets");
    let clusters = secrets.map(|secrets| {
        let values = secrets
            .iter()
            .filter_map(|secret| serde_json::to_value(&**secret).ok());
        offline::clusters(&values.collect::<Vec<_>>(), &hub.config.namespace)
    });
    match clusters {
        Observed::Complete(clusters) => ask(clusters.get()),
        Observed::Partial { why, .. } | Observed::Unknown { why } => Observed::unknown(why),
    }
}
