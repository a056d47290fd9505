//! `argosy app diff NAME`: git against the cluster, as the hub would see it.
//!
//! The command reads what the hub reads, with the hub's own code, and writes nothing.

use serde_json::json;
use similar::TextDiff;

use super::Args;
use crate::cli::hub_access::absent;
use crate::cli::{CommandResult, Outcome, output};
use crate::controller::application::{Difference, differences};
use crate::diagnostic::Diagnostic;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Lines of context around a change.
const CONTEXT: usize = 3;

pub(super) async fn run(args: &Args, name: &str) -> CommandResult {
    let hub = Hub::look(args.hub.client().await?, &args.hub.namespace).await?;
    let wanted = ObjectName::new(&args.hub.namespace, name);
    if hub.fleet.index().applications.get(&wanted).is_none() {
        let known: Vec<_> = hub
            .fleet
            .index()
            .applications
            .names()
            .map(|one| one.name.clone())
            .collect();
        return Err(absent("app", name, &known));
    }
    let found = differences(&hub, &wanted, &args.revision)
        .await
        .map_err(|why| {
            Diagnostic::remote("ComparisonFailed", format!("cannot compare `{name}`"))
                .because(&std::io::Error::other(why))
        })?;
    let answer: Vec<_> = found
        .iter()
        .map(|one| {
            json!({
                "group": one.key.group, "kind": one.key.kind,
                "namespace": one.key.namespace, "name": one.key.name,
                "live": one.live, "predicted": one.predicted,
            })
        })
        .collect();
    output::document(args.output, &answer, || text(&found))?;
    let differs = !found.is_empty() && !args.no_exit_code;
    Ok(if differs {
        Outcome::Negative
    } else {
        Outcome::Success
    })
}

fn text(found: &[Difference]) -> String {
    found.iter().map(one_text).collect()
}

fn one_text(one: &Difference) -> String {
    let yaml = |object: &Option<serde_json::Value>| {
        object
            .as_ref()
            .map(argosy_yaml::to_string)
            .unwrap_or_default()
    };
    let (live, predicted) = (yaml(&one.live), yaml(&one.predicted));
    let diff = TextDiff::from_lines(&live, &predicted);
    let unified = diff
        .unified_diff()
        .context_radius(CONTEXT)
        .header("live", "git")
        .to_string();
    format!("===== {} ======\n{unified}\n", one.key)
}
