//! Specs in the form in which they are written and compared.

use argosy_crds::ApplicationSpec;
use argosy_crds::application::ApplicationSource;
use argosy_crds::names::DEFAULT_PROJECT;

/// Names the default project, and drops a sync policy and source options in which nothing is set.
///
/// An empty `plugin` stays: it asks for whichever plugin finds itself responsible.
pub fn normalise(spec: &mut ApplicationSpec) {
    if spec.project.is_empty() {
        DEFAULT_PROJECT.clone_into(&mut spec.project);
    }
    drop_empty(&mut spec.sync_policy);
    spec.sources.iter_mut().for_each(normalise_source);
    spec.source.iter_mut().for_each(normalise_source);
}

fn normalise_source(source: &mut ApplicationSource) {
    drop_empty(&mut source.kustomize);
    drop_empty(&mut source.helm);
    drop_empty(&mut source.directory);
}

fn drop_empty<T: Default + PartialEq>(options: &mut Option<T>) {
    if options.as_ref().is_some_and(|set| *set == T::default()) {
        *options = None;
    }
}
