//! The rules with what files tell.

use argosy_facts::Observed;
use argosy_generators::offline::{World, generate_from};
use argosy_generators::{Facts, Request};

use super::{Args, Linted, findings, sets};
use crate::diagnostic::Diagnostic;

pub(super) fn lint(args: &Args) -> Result<Vec<Linted>, Diagnostic> {
    let settings = args.offline.settings();
    let trees = args.offline.trees();
    let linted = sets(args)?.into_iter().map(|(file, set)| {
        let world = World {
            projects: args.offline.projects(&set, &[])?,
            clusters: args.offline.clusters(&args.hub.namespace)?,
            trees: &trees,
        };
        let mut facts = Facts::new();
        let expansion = generate_from(&set, &settings, &mut |request| {
            // No file of Secrets says nothing of clusters, and not that there are none.
            let of_clusters = matches!(request, Request::Clusters { .. } | Request::Servers);
            let answer = if of_clusters && !args.offline.knows_clusters() {
                Observed::unknown(
                    "the clusters are not given; name their file with --cluster-secrets",
                )
            } else {
                world.answer(request)
            };
            facts.insert(request.clone(), answer.clone());
            answer
        });
        let findings = findings(&set, &facts, &expansion, &settings);
        Ok(Linted::new(file, &set, findings))
    });
    linted.collect()
}
