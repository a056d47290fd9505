//! The preview with what a hub knows, read with the hub's own code.

use super::{Args, Previewed};
use crate::cli::appset::not_generated;
use crate::cli::appset::offline::clusters_of;
use crate::controller::application_set::{self, Base, Supposed};
use crate::hub::Hub;

pub(super) async fn preview(args: &Args) -> Previewed {
    let question = args.question()?;
    let namespace = &args.hub.namespace;
    let clusters = args.offline.supposed_clusters(namespace)?;
    let clusters_before = match &args.base_cluster_secrets {
        Some(path) => Some(clusters_of(Some(path), namespace)?),
        None => clusters.clone(),
    };
    let elsewhere = question.set.metadata.namespace.as_ref() != Some(namespace);
    let hub = Hub::look_at(args.hub.client().await?, namespace, elsewhere).await?;
    let base = args.compares_expansions().then_some(Base {
        set: &question.base_set,
        supposed: Supposed {
            substitute: question.base.as_ref(),
            clusters: clusters_before.as_deref(),
        },
    });
    let head = Supposed {
        substitute: question.head.as_ref(),
        clusters: clusters.as_deref(),
    };
    let preview = application_set::preview(&hub, &question.set, head, base)
        .await
        .map_err(not_generated)?;
    let name = question.set.metadata.name.unwrap_or_default();
    Ok((name, preview))
}
