//! `argosy appset generate --offline`: what a set generates, from files alone.

use argosy_generators::offline::{World, generate};

use super::{Args, print};
use crate::cli::appset::{not_generated, read};
use crate::cli::{CommandResult, Outcome};

pub(super) fn run(args: &Args) -> CommandResult {
    let set = read(&args.file, &args.hub.namespace)?;
    let world = World {
        projects: args.offline.projects(&set, &[])?,
        clusters: args.offline.clusters(&args.hub.namespace)?,
        trees: &args.offline.trees(),
    };
    let expansion = generate(&set, &world, &args.offline.settings()).map_err(not_generated)?;
    let applications = expansion.applications.into_inner();
    let projects = args.offline.projects(&set, &applications)?;
    print(args, &set, &applications, (&projects, &world.clusters))?;
    Ok(Outcome::Success)
}
