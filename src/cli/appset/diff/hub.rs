//! The preview with what a hub knows, read with the hub's own code.

use super::{Args, Previewed};
use crate::cli::appset::not_generated;
use crate::controller::application_set::{self, Base};
use crate::hub::Hub;

pub(super) async fn preview(args: &Args) -> Previewed {
    let question = args.question()?;
    let namespace = &args.hub.namespace;
    let elsewhere = question.set.metadata.namespace.as_ref() != Some(namespace);
    let hub = Hub::look_at(args.hub.client().await?, namespace, elsewhere).await?;
    let base = args.compares_expansions().then_some(Base {
        set: &question.base_set,
        substitute: question.base.as_ref(),
    });
    let head = question.head.as_ref();
    let preview = application_set::preview(&hub, &question.set, head, base)
        .await
        .map_err(not_generated)?;
    let name = question.set.metadata.name.unwrap_or_default();
    Ok((name, preview))
}
