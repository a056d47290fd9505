//! One side of a plan: every application of a revision, rendered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use argosy_crds::{Application, ApplicationSet, ApplicationSource};
use argosy_engine::application::instance_name;
use argosy_generators::offline::{World, generate};
use argosy_generators::{Cluster, Settings};
use argosy_render::{BuildFacts, Environment, Refs, Render, Request, Tools, Tree, render};
use serde_json::Value;

use super::find::{Declared, declared, manifests};
use super::snapshot::{Repository, Snapshot};

/// The most applications of one side.
const APPLICATIONS: usize = 20_000;

/// What both sides are rendered with.
pub(super) struct Terms<'a> {
    pub(super) repository: &'a Repository,
    pub(super) clusters: &'a [Cluster],
    pub(super) paths: &'a [String],
    pub(super) kube_version: &'a str,
    pub(super) api_versions: &'a [String],
    pub(super) namespace: &'a str,
    pub(super) tools: Tools,
}

/// Namespace and name of an application.
pub(super) type Name = (String, String);

/// An application and what it renders to.
pub(super) struct Planned {
    pub(super) application: Application,
    /// Whether another application renders it.
    by_parent: bool,
    pub(super) rendered: Result<Vec<Rendered>, String>,
}

/// One source of an application.
pub(super) enum Rendered {
    /// In the repository.
    Here(Arc<Render>),
    /// Elsewhere: what it says of itself.
    Elsewhere(Box<ApplicationSource>),
}

/// Every application of a revision.
#[derive(Default)]
pub(super) struct Side {
    pub(super) applications: BTreeMap<Name, Planned>,
    /// What could not be read, and why.
    pub(super) problems: BTreeSet<String>,
    projects: BTreeSet<String>,
}

impl Side {
    /// Finds and renders the applications of a snapshot. What reads the same as in `other` is taken
    /// from there.
    pub(super) fn of(terms: &Terms<'_>, snapshot: &Snapshot, other: Option<&Self>) -> Self {
        let mut side = Self {
            projects: BTreeSet::from(["default".to_owned()]),
            ..Self::default()
        };
        let found = manifests(snapshot, terms.paths);
        let found = found.unwrap_or_else(|why| {
            side.problems.insert(why);
            Vec::new()
        });
        let mut pending: VecDeque<_> = side.declared_in(terms, snapshot, &found).into();
        let mut of_files = pending.len();
        while let Some(application) = pending.pop_front() {
            let by_parent = of_files == 0;
            of_files = of_files.saturating_sub(1);
            let name = name_of(&application);
            if !side.accepts(&name, &application, by_parent) {
                continue;
            }
            let former = other.and_then(|other| other.applications.get(&name));
            let rendered = sources(terms, snapshot, &application, former);
            let children: Vec<Value> = rendered
                .iter()
                .flatten()
                .flat_map(Rendered::manifests)
                .cloned()
                .collect();
            side.applications.insert(
                name,
                Planned {
                    application,
                    by_parent,
                    rendered,
                },
            );
            pending.extend(side.declared_in(terms, snapshot, &children));
        }
        side
    }

    /// Whether an application is to be rendered. What a parent renders counts before what only lies
    /// in a file, and else what was found first.
    fn accepts(&mut self, name: &Name, application: &Application, by_parent: bool) -> bool {
        if self.applications.len() >= APPLICATIONS {
            let why = format!(
                "there are more than {APPLICATIONS} applications, and the rest is left out"
            );
            self.problems.insert(why);
            return false;
        }
        let Some(known) = self.applications.get_mut(name) else {
            return true;
        };
        let is_better = by_parent && !known.by_parent;
        known.by_parent |= by_parent;
        let differs = known.application.spec != application.spec;
        if differs && !is_better {
            self.problems.insert(format!(
                "the application `{}` is declared more than once and not alike; the first counts",
                name.1
            ));
        }
        differs && is_better
    }

    /// Whether there is no application.
    pub(super) fn is_empty(&self) -> bool {
        self.applications.is_empty() && self.problems.is_empty()
    }

    /// The applications that manifests declare, those that sets generate among them.
    fn declared_in(
        &mut self,
        terms: &Terms<'_>,
        snapshot: &Snapshot,
        manifests: &[Value],
    ) -> Vec<Application> {
        let (mut applications, mut sets) = (Vec::new(), Vec::new());
        for manifest in manifests {
            match declared(manifest, terms.namespace) {
                Ok(Some(Declared::Application(application))) => applications.push(*application),
                Ok(Some(Declared::Set(set))) => sets.push(*set),
                Ok(Some(Declared::Project(project))) => drop(self.projects.insert(project)),
                Ok(None) => {}
                Err(why) => drop(self.problems.insert(why)),
            }
        }
        for set in sets {
            match self.generated(terms, snapshot, &set) {
                Ok(generated) => applications.extend(generated),
                Err(why) => {
                    let name = set.metadata.name.as_deref().unwrap_or_default();
                    self.problems.insert(format!(
                        "the ApplicationSet `{name}` generates nothing: {why}"
                    ));
                }
            }
        }
        applications
    }

    fn generated(
        &self,
        terms: &Terms<'_>,
        snapshot: &Snapshot,
        set: &ApplicationSet,
    ) -> Result<Vec<Application>, String> {
        let mut projects = self.projects.clone();
        // A project may be declared elsewhere.
        projects.insert(set.spec.template.spec.project.clone());
        let world = World {
            projects,
            clusters: terms.clusters.to_vec(),
            trees: &|url, revision| {
                if !terms.repository.is(url) {
                    return Err(format!(
                        "the repository {url} is not the one that is looked at"
                    ));
                }
                Ok(Box::new(terms.repository.target(revision, snapshot)?))
            },
        };
        let settings = Settings {
            now: jiff::Timestamp::now(),
            ..Settings::default()
        };
        let expansion = generate(set, &world, &settings).map_err(|error| error.message)?;
        let mut applications = expansion.applications.into_inner();
        for application in &mut applications {
            application
                .metadata
                .namespace
                .clone_from(&set.metadata.namespace);
        }
        Ok(applications)
    }
}

impl Rendered {
    /// The objects.
    pub(super) fn manifests(&self) -> &[Value] {
        match self {
            Self::Here(render) => &render.manifests,
            Self::Elsewhere(_) => &[],
        }
    }
}

fn name_of(application: &Application) -> Name {
    let metadata = &application.metadata;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    (text(&metadata.namespace), text(&metadata.name))
}

/// Renders the sources of an application.
fn sources(
    terms: &Terms<'_>,
    snapshot: &Snapshot,
    application: &Application,
    former: Option<&Planned>,
) -> Result<Vec<Rendered>, String> {
    let sources = application.spec.sources();
    let several = sources.len() > 1 || !application.spec.sources.is_empty();
    let mut refs = Refs::default();
    for source in sources.iter().filter(|source| !source.ref_name.is_empty()) {
        if terms.repository.is(&source.repo_url) {
            let target = terms.repository.target(&source.target_revision, snapshot)?;
            refs = refs.with(&source.ref_name, Arc::new(target.tree));
        }
    }
    let refs = several.then_some(&refs);
    let rendering = sources
        .iter()
        .filter(|source| !source.is_ref_only())
        .enumerate();
    rendering
        .map(|(at, source)| {
            if !terms.repository.is(&source.repo_url) || !source.chart.is_empty() {
                return Ok(Rendered::Elsewhere(Box::new(source.clone())));
            }
            let target = terms.repository.target(&source.target_revision, snapshot)?;
            let former = former.filter(|former| former.application.spec == application.spec);
            let former = former.and_then(|former| former.rendered.as_ref().ok()?.get(at));
            if let Some(Rendered::Here(former)) = former
                && holds(former, &target, refs)
            {
                return Ok(Rendered::Here(Arc::clone(former)));
            }
            one(terms, &target, application, source, refs)
                .map(|render| Rendered::Here(Arc::new(render)))
        })
        .collect()
}

/// Whether everything that a render read is the same.
fn holds(former: &Render, target: &Snapshot, refs: Option<&Refs>) -> bool {
    let own = former.reads.hold_in(&target.tree);
    let mut referred = former.ref_reads.iter();
    own.unwrap_or(false)
        && referred.all(|(name, reads)| {
            let tree = refs.and_then(|refs| refs.tree(name));
            tree.is_some_and(|tree| reads.hold_in(tree.as_ref()).unwrap_or(false))
        })
}

fn one(
    terms: &Terms<'_>,
    target: &Snapshot,
    application: &Application,
    source: &ApplicationSource,
    refs: Option<&Refs>,
) -> Result<Render, String> {
    let (namespace, name) = name_of(application);
    let name = instance_name(&namespace, &name, terms.namespace);
    let spec = &application.spec;
    let environment = Environment::standard(&BuildFacts {
        app_name: &name,
        namespace: &spec.destination.namespace,
        project: spec.project_or_default(),
        revision: target.sha.as_str(),
        repo_url: &source.repo_url,
        path: &source.path,
        target_revision: &source.target_revision,
    });
    let request = Request {
        namespace: &spec.destination.namespace,
        kube_version: terms.kube_version,
        api_versions: terms.api_versions,
        refs,
        ..Request::new(source, &name, &environment)
    };
    let tree: Arc<dyn Tree> = Arc::new(target.tree.clone());
    render(tree, &request, &terms.tools).map_err(|error| error.to_string())
}
