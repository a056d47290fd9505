//! From a set and facts to Applications.

use std::collections::BTreeSet;

use argosy_crds::application_set::{ApplicationSetGenerator, ApplicationSetTemplate};
use argosy_crds::{Application, ApplicationSet};
use argosy_facts::{Complete, Observed};

use crate::error::{Error, Reason, Stop};
use crate::facts::{Answer, Facts, Request};
use crate::generator;
use crate::params::Params;
use crate::render::Renderer;
use crate::settings::{MAX_PARAMETER_SETS, Settings};
use crate::template::Engine;

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
    /// How many sets of parameters each entry of `spec.generators` gave.
    pub yields: Vec<usize>,
}

/// Expands a set as far as the facts go.
pub fn expand(set: &ApplicationSet, facts: &Facts, settings: &Settings) -> Step {
    let mut expander = Expander::new(set, facts, settings);
    match expander.applications() {
        Ok(applications) if expander.needs.is_empty() => Step::Done(Expansion {
            // Facts reach a generator through `Expander::ask` alone, which refuses incomplete ones.
            applications: Complete::vouch(applications),
            requests: expander.used,
            yields: expander.yields,
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
    yields: Vec<usize>,
}

impl<'a> Expander<'a> {
    fn new(set: &'a ApplicationSet, facts: &'a Facts, settings: &'a Settings) -> Self {
        Self {
            set,
            settings,
            engine: Engine::new(set, settings),
            facts,
            needs: BTreeSet::new(),
            used: BTreeSet::new(),
            yields: Vec::new(),
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
            "more than {limit} sets of parameters are generated; narrow the generators, or raise `{MAX_PARAMETER_SETS}` in argocd-cmd-params-cm"
        )))
    }

    fn applications(&mut self) -> Result<Vec<Application>, Error> {
        let all = self.parameters()?;
        if !self.needs.is_empty() {
            return Ok(Vec::new());
        }
        let mut applications = Vec::with_capacity(all.iter().map(|some| some.sets.len()).sum());
        for Parameters { place, over, sets } in all {
            let renderer = Renderer::new(self.set, over, &self.engine)
                .map_err(|message| self.error(Reason::Render, place.clone(), message))?;
            // Each set is dropped once it is rendered: parameters and Applications of a large set
            // are never in memory together.
            for (number, params) in sets.into_iter().enumerate() {
                let application = renderer.render(&params).map_err(|failure| {
                    let path = format!("spec{}", failure.path);
                    let place = format!(
                        "{path} for parameter set {number} {} of {place}",
                        params.summary()
                    );
                    self.error(Reason::Render, place, failure.message)
                })?;
                applications.push(application);
            }
        }
        Ok(applications)
    }

    /// The parameters of all generators, as far as the facts go.
    fn parameters(&mut self) -> Result<Vec<Parameters<'a>>, Error> {
        let mut all = Vec::new();
        let mut count = 0;
        for (index, entry) in self.set.spec.generators.iter().enumerate() {
            let place = format!("spec.generators[{index}]");
            let names = entry.names();
            if names.is_empty() {
                return Err(self.unrecognized(place));
            }
            let results = match generator::run(self, entry) {
                Ok(results) => results,
                Err(Stop::Needs) => continue,
                Err(Stop::Failed(failure)) => {
                    let place = failure.place(&place);
                    return Err(self.error(Reason::Generate, place, failure.message));
                }
            };
            self.yields.push(results.iter().map(Vec::len).sum());
            for (name, sets) in names.into_iter().zip(results) {
                count += sets.len();
                if let Err(Stop::Failed(failure)) = self.check_size(count) {
                    return Err(self.error(Reason::Generate, place, failure.message));
                }
                all.push(Parameters {
                    place: format!("{place}.{name}"),
                    over: template_of(entry, name),
                    sets,
                });
            }
        }
        Ok(all)
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

/// What one generator gave.
struct Parameters<'a> {
    /// The generator's path in the set.
    place: String,
    /// The template with which it overrides the set's.
    over: Option<&'a ApplicationSetTemplate>,
    sets: Vec<Params>,
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
