//! What carrying out a set would do, with what the hub knows; nothing is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use argosy_crds::{Application, ApplicationSet};
use argosy_facts::Observed;
use argosy_generators::approval::{Held, waits};
use argosy_generators::emptied::{Yields, emptied};
use argosy_generators::guard::{Guard, Limits, approved};
use argosy_generators::plan::Inputs;
use argosy_generators::policy;
use argosy_generators::preview::{self as pure, Preview, as_applied};
use argosy_generators::validate::validate;
use argosy_generators::{
    Answer, Cluster, Error, Expansion, Facts, Request, Settings, Step, Substitute, expand,
    select_clusters, servers,
};

use super::answers::Asking;
use super::{apply, facts, settings};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How often an expansion may ask for more, as when it is carried out.
const ROUNDS: usize = 16;

/// What is supposed to be otherwise than the hub knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Supposed<'a> {
    /// What a set reads in the place of a branch.
    pub substitute: Option<&'a Substitute>,
    /// The registered clusters, all of them.
    pub clusters: Option<&'a [Cluster]>,
}

impl Supposed<'_> {
    /// Whether everything is as the hub knows it.
    fn is_nothing(&self) -> bool {
        self.substitute.is_none() && self.clusters.is_none()
    }

    /// What follows of a supposition alone; `None` is for the hub to answer.
    fn answer(&self, request: &Request) -> Option<Observed<Answer>> {
        let clusters = self.clusters?;
        match request {
            Request::Clusters { generator } => Some(select_clusters(generator, clusters)),
            Request::Servers => Some(Observed::complete(servers(clusters))),
            _ => None,
        }
    }

    /// The clusters to which destinations may lead.
    fn destinations(&self, hub: &Hub) -> Vec<Cluster> {
        match self.clusters {
            Some(clusters) => clusters.to_vec(),
            None => apply::clusters(&hub.known_clusters()),
        }
    }
}

/// What a set is compared with instead of the Applications on the hub.
pub struct Base<'a> {
    /// The set as it was.
    pub set: &'a ApplicationSet,
    /// What it was expanded with.
    pub supposed: Supposed<'a>,
}

/// Previews a set with what `head` supposes. Without a base it is compared with its Applications on
/// the hub.
pub async fn preview(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    head: Supposed<'_>,
    base: Option<Base<'_>>,
) -> Result<Preview, Error> {
    let name = name_of(set);
    let set = as_on_the_hub(hub, &name, set);
    let expansion = expanded(hub, &set, head).await.result?;
    let (live, yielded, held) = match base {
        None => {
            let live = apply::concerned(hub, &set, expansion.applications.get());
            let yielded = yielded_on_the_hub(hub, &name, &set, head).await;
            (live, yielded, held_on_the_hub(hub, &name))
        }
        Some(base) => {
            let before = as_on_the_hub(hub, &name, base.set);
            let expansion = expanded(hub, &before, base.supposed).await.result?;
            let live = as_applied(&before, expansion.applications.get());
            let yielded = Yields::of(&before, &expansion);
            (live, Some(yielded), Held::default())
        }
    };
    let settings = hub.fleet.settings();
    let guard = Guard {
        limits: Limits::of(&set, settings.guard),
        approved: approved(&set),
        emptied: &emptied(yielded.as_ref(), &set, &expansion),
        held: &held,
    };
    let clusters = head.destinations(hub);
    Ok(judged(hub, &set, &expansion, &live, &guard, &clusters))
}

/// What the set on the hub waits with.
fn held_on_the_hub(hub: &Hub, name: &ObjectName) -> Held {
    let index = hub.fleet.index();
    let known = index.application_sets.read(name);
    known.map(|known| Held::of(known)).unwrap_or_default()
}

/// What the generators of the set on the hub yielded, as far as that can be told. Only those that
/// the change leaves as they are can stop.
///
/// Where nothing is supposed and no generator changes, the hub has looked already: it waits, and
/// says so, or it has nothing to wait for.
async fn yielded_on_the_hub(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &ApplicationSet,
    head: Supposed<'_>,
) -> Option<Yields> {
    let known = Arc::clone(hub.fleet.index().application_sets.read(name)?);
    if waits(&known) {
        return Some(Yields::assumed(&known));
    }
    if known.spec.generators == set.spec.generators && head.is_nothing() {
        return None;
    }
    let now = expanded(hub, &known, Supposed::default()).await.result;
    Some(match now {
        Ok(expansion) => Yields::of(&known, &expansion),
        Err(_) => Yields::assumed(&known),
    })
}

/// What a set generates, and what its Applications may name.
pub struct Generated {
    /// The Applications, in the order of generators and parameters.
    pub applications: Vec<Application>,
    /// The names of the projects that exist.
    pub projects: BTreeSet<String>,
    /// The clusters to which destinations may lead.
    pub clusters: Vec<Cluster>,
}

/// Expands a set that need not be on the hub.
pub async fn generate(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    supposed: Supposed<'_>,
) -> Result<Generated, Error> {
    let expansion = expanded(hub, set, supposed).await.result?;
    Ok(Generated {
        applications: expansion.applications.into_inner(),
        projects: apply::projects(hub),
        clusters: supposed.destinations(hub),
    })
}

fn name_of(set: &ApplicationSet) -> ObjectName {
    let meta = &set.metadata;
    ObjectName::new(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    )
}

fn judged(
    hub: &Hub,
    set: &ApplicationSet,
    expansion: &Expansion,
    live: &[Application],
    guard: &Guard<'_>,
    clusters: &[Cluster],
) -> Preview {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let (generated, projects) = (&expansion.applications, apply::projects(hub));
    let settings = hub.fleet.settings();
    let inputs = Inputs {
        set,
        generated,
        invalid: &validate(name, generated.get(), &projects, clusters),
        live,
        policy: policy::effective(set, settings.sets.policy, settings.sets.policy_override),
        preserved: &settings.sets.preserved,
        clusters,
        rolling: super::rollout::is_rolling(hub, set),
        jq: &|expression, value| argosy_engine::ignore::pointers(expression, value),
    };
    pure::preview(&inputs, guard)
}

/// The set as it would be if it were applied: with the identity and the annotations that the one
/// on the hub has.
fn as_on_the_hub(hub: &Hub, name: &ObjectName, set: &ApplicationSet) -> ApplicationSet {
    let mut set = set.clone();
    let index = hub.fleet.index();
    if let Some(known) = index.application_sets.read(name) {
        set.metadata.uid.clone_from(&known.metadata.uid);
        let mut annotations = known.metadata.annotations.clone().unwrap_or_default();
        annotations.extend(set.metadata.annotations.take().unwrap_or_default());
        set.metadata.annotations = Some(annotations);
    }
    set
}

/// What a set came to without being carried out, and the facts that it was made from.
pub struct Expanded {
    /// What was known in the end.
    pub facts: Facts,
    /// What it generates, or why it does not.
    pub result: Result<Expansion, Error>,
    /// How it was expanded.
    pub settings: Settings,
}

/// Expands a set that need not be on the hub, and keeps what it was made from.
pub async fn expanded(hub: &Arc<Hub>, set: &ApplicationSet, supposed: Supposed<'_>) -> Expanded {
    let settings = settings(hub);
    let mut facts = Facts::new();
    let result = expand_with(hub, set, supposed, &settings, &mut facts).await;
    Expanded {
        facts,
        result,
        settings,
    }
}

async fn expand_with(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    supposed: Supposed<'_>,
    settings: &Settings,
    known: &mut Facts,
) -> Result<Expansion, Error> {
    let name = name_of(set);
    let asking = Asking::new(hub, &name, set);
    for _ in 0..ROUNDS {
        match expand(set, known, settings) {
            Step::Done(expansion) => return Ok(expansion),
            Step::Failed(error) => return Err(error),
            Step::Needs(requests) => {
                for request in requests {
                    let answer = answer(hub, &asking, supposed, &request).await;
                    known.insert(request, answer);
                }
            }
        }
    }
    let why = format!("the generators still asked for more after {ROUNDS} rounds");
    Err(facts::failed(set, &why))
}

async fn answer(
    hub: &Arc<Hub>,
    asking: &Asking,
    supposed: Supposed<'_>,
    request: &Request,
) -> Observed<Answer> {
    if let Some(answer) = supposed.answer(request) {
        return answer;
    }
    let replaced = supposed.substitute.and_then(|one| one.replaced(request));
    facts::awaited(hub, asking, replaced.as_ref().unwrap_or(request)).await
}
