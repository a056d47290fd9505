//! `argosy appset generate FILE`: what a set would generate on a hub.
//!
//! The facts are the hub's own projects, repositories and, unless a file names others, clusters,
//! read with the hub's code; nothing is written.

use super::{Args, print};
use crate::cli::appset::{not_generated, read};
use crate::cli::{CommandResult, Outcome};
use crate::controller::application_set::{Supposed, generate};
use crate::hub::Hub;

pub(super) async fn run(args: &Args) -> CommandResult {
    let namespace = &args.hub.namespace;
    let set = read(&args.file, namespace)?;
    let clusters = args.offline.supposed_clusters(namespace)?;
    let hub = Hub::look(args.hub.client().await?, namespace).await?;
    let supposed = Supposed {
        clusters: clusters.as_deref(),
        ..Supposed::default()
    };
    let generated = generate(&hub, &set, supposed)
        .await
        .map_err(not_generated)?;
    print(
        args,
        &set,
        &generated.applications,
        (&generated.projects, &generated.clusters),
    )?;
    Ok(Outcome::Success)
}
