//! From a set and facts to Applications.

use std::collections::BTreeSet;

use argosy_crds::application_set::{ApplicationSetGenerator, ApplicationSetTemplate};
use argosy_crds::names::finalizer;
use argosy_crds::{Application, ApplicationSet};
use argosy_facts::{Complete, Observed};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::error::{Error, Reason, Stop};
use crate::facts::{Answer, Facts, Request};
use crate::generator;
use crate::params::Params;
use crate::settings::Settings;
use crate::template::{Engine, Patch, Scope, Tree, fill};

/// What an attempt at expanding a set came to.
#[derive(Debug)]
pub enum Step {
    /// These facts are missing; fetch them and call again. Later generators learn what they need
    /// from the answers to earlier ones, so there may be several rounds.
    Needs(BTreeSet<Request>),
    /// Everything was known.
    Done(Expansion),
    /// The set, or a fact it needs, is in a state that must not be acted on.
    Failed(Error),
}

/// What a set generates.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The Applications in the order of generators and parameters; names may repeat or be empty,
    /// which [`crate::validate`] finds. Complete because every fact that was used was.
    pub applications: Complete<Vec<Application>>,
    /// The facts that were used.
    pub requests: BTreeSet<Request>,
}

/// Expands a set as far as the facts go.
pub fn expand(set: &ApplicationSet, facts: &Facts, settings: &Settings) -> Step {
    let mut expander = Expander::new(set, facts, settings);
    match expander.applications() {
        Ok(applications) if expander.needs.is_empty() => Step::Done(Expansion {
            // Facts reach a generator through `Expander::ask` alone, which refuses incomplete ones.
            applications: Complete::vouch(applications),
            requests: expander.used,
        }),
        Ok(_) => Step::Needs(expander.needs),
        Err(error) => Step::Failed(error),
    }
}

/// The state of one attempt.
pub(crate) struct Expander<'a> {
    pub(crate) set: &'a ApplicationSet,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    facts: &'a Facts,
    needs: BTreeSet<Request>,
    used: BTreeSet<Request>,
}

impl<'a> Expander<'a> {
    fn new(set: &'a ApplicationSet, facts: &'a Facts, settings: &'a Settings) -> Self {
        let spec = &set.spec;
        Self {
            set,
            settings,
            engine: Engine::new(spec.go_template, &spec.go_template_options, settings),
            facts,
            needs: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// The complete answer to a request. An incomplete one is a failure, never an emptier list.
    pub(crate) fn ask(&mut self, request: Request) -> Result<&'a Answer, Stop> {
        match self.facts.get(&request) {
            Some(Observed::Complete(answer)) => {
                self.used.insert(request);
                Ok(answer.get())
            }
            Some(Observed::Partial { why, .. } | Observed::Unknown { why }) => {
                Err(Stop::failed(why))
            }
            None => {
                self.needs.insert(request);
                Err(Stop::Needs)
            }
        }
    }

    /// Fails when there would be more sets of parameters than allowed.
    pub(crate) fn check_size(&self, size: usize) -> Result<(), Stop> {
        let limit = self.settings.max_parameter_sets;
        if size <= limit {
            return Ok(());
        }
        Err(Stop::failed(format!(
            "more than {limit} sets of parameters are generated; narrow the generators or raise the limit"
        )))
    }

    fn applications(&mut self) -> Result<Vec<Application>, Error> {
        let mut applications = Vec::new();
        for (index, entry) in self.set.spec.generators.iter().enumerate() {
            let place = format!("spec.generators[{index}]");
            let names = entry.names();
            if names.is_empty() {
                return Err(self.unrecognized(place));
            }
            let results = match generator::run(self, entry) {
                Ok(results) => results,
                Err(Stop::Needs) => continue,
                Err(Stop::Failed(message)) => {
                    let place = format!("{place}.{}", names.join("+"));
                    return Err(self.error(Reason::Generate, place, message));
                }
            };
            for (name, sets) in names.into_iter().zip(results) {
                if let Err(Stop::Failed(message)) = self.check_size(applications.len() + sets.len())
                {
                    return Err(self.error(Reason::Generate, place, message));
                }
                let renderer = Renderer::new(self.set, template_of(entry, name), &self.engine)
                    .map_err(|message| self.error(Reason::Render, place.clone(), message))?;
                for (number, params) in sets.iter().enumerate() {
                    let application = renderer.render(params).map_err(|(path, message)| {
                        let place = format!("{path} for parameter set {number} of {place}.{name}");
                        self.error(Reason::Render, place, message)
                    })?;
                    applications.push(application);
                }
            }
        }
        Ok(applications)
    }

    fn error(&self, reason: Reason, place: String, message: String) -> Error {
        let metadata = &self.set.metadata;
        Error {
            reason,
            set: format!(
                "{}/{}",
                metadata.namespace.as_deref().unwrap_or_default(),
                metadata.name.as_deref().unwrap_or_default()
            ),
            place,
            message,
        }
    }

    /// Argo CD's controller would generate nothing here, and so delete; a typing mistake must not.
    fn unrecognized(&self, place: String) -> Error {
        let name = self.set.metadata.name.as_deref().unwrap_or_default();
        let message = format!("ApplicationSet {name} contains unrecognized generators");
        self.error(Reason::Generate, place, message)
    }
}

/// The template with which a generator overrides the set's.
pub(crate) fn template_of<'g>(
    entry: &'g ApplicationSetGenerator,
    name: &str,
) -> Option<&'g ApplicationSetTemplate> {
    match name {
        "list" => entry.list.as_ref()?.template.as_deref(),
        "clusters" => entry.clusters.as_ref()?.template.as_deref(),
        "git" => entry.git.as_ref()?.template.as_deref(),
        "scmProvider" => entry.scm_provider.as_ref()?.template.as_deref(),
        "clusterDecisionResource" => entry
            .cluster_decision_resource
            .as_ref()?
            .template
            .as_deref(),
        "pullRequest" => entry.pull_request.as_ref()?.template.as_deref(),
        "matrix" => entry.matrix.as_ref()?.template.as_deref(),
        "merge" => entry.merge.as_ref()?.template.as_deref(),
        "plugin" => entry.plugin.as_ref()?.template.as_deref(),
        _ => None,
    }
}

/// Renders the Applications of one generator.
struct Renderer {
    /// The template as written, for sets without parameters.
    plain: Value,
    tree: Tree,
    patch: Option<Patch>,
    namespace: String,
    adds_finalizer: bool,
}

impl Renderer {
    fn new(
        set: &ApplicationSet,
        over: Option<&ApplicationSetTemplate>,
        engine: &Engine,
    ) -> Result<Self, String> {
        let spec = &set.spec;
        let json = |template: &ApplicationSetTemplate| {
            serde_json::to_value(template)
                .map_err(|error| format!("cannot read the template: {error}"))
        };
        let mut plain = json(&spec.template)?;
        if let Some(over) = over {
            let mut merged = json(over)?;
            fill(&mut merged, plain);
            plain = merged;
        }
        let preserves = spec
            .sync_policy
            .as_ref()
            .is_some_and(|policy| policy.preserve_resources_on_deletion);
        Ok(Self {
            tree: Tree::compile(plain.clone(), engine),
            plain,
            patch: spec
                .template_patch
                .as_ref()
                .map(|text| Patch::compile(text, engine)),
            namespace: set.metadata.namespace.clone().unwrap_or_default(),
            adds_finalizer: !preserves,
        })
    }

    /// The error is where and what.
    fn render(&self, params: &Params) -> Result<Application, (String, String)> {
        let scope = Scope::new(params);
        let mut app = if params.is_empty() {
            self.plain.clone()
        } else {
            let mut app = self
                .tree
                .render(&scope)
                .map_err(|failure| (format!("spec.template{}", failure.path), failure.message))?;
            if self.adds_finalizer {
                add_finalizer(&mut app);
            }
            app
        };
        if let Some(patch) = &self.patch {
            patch
                .apply(&mut app, &scope)
                .map_err(|message| ("spec.templatePatch".to_owned(), message))?;
        }
        let mut app = Application::deserialize(app)
            .map_err(|error| ("spec.template".to_owned(), error.to_string()))?;
        app.metadata.namespace = Some(self.namespace.clone());
        Ok(app)
    }
}

/// An Application without finalizers gets the one that deletes its resources.
fn add_finalizer(app: &mut Value) {
    let finalizers = app
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array);
    if finalizers.is_some_and(|finalizers| !finalizers.is_empty()) {
        return;
    }
    if let Some(metadata) = app.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("finalizers".to_owned(), json!([finalizer::RESOURCES]));
    }
}
