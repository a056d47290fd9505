//! `argosy appset generate FILE`: what a set would generate on a hub.
//!
//! The facts are the hub's own clusters, projects and repositories, read with the hub's code;
//! nothing is written.

use std::sync::Arc;

use super::{Args, print};
use crate::cli::appset::{not_generated, read};
use crate::cli::{CommandResult, Outcome};
use crate::controller::application_set::generate;
use crate::hub::Hub;

pub(super) async fn run(args: &Args) -> CommandResult {
    let set = Arc::new(read(&args.file, &args.hub.namespace)?);
    let hub = Hub::look(args.hub.client().await?, &args.hub.namespace).await?;
    let generated = generate(&hub, &set).await.map_err(not_generated)?;
    print(
        args,
        &set,
        &generated.applications,
        (&generated.projects, &generated.clusters),
    )?;
    Ok(Outcome::Success)
}
